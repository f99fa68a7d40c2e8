"""What CMA-ES itself takes of a generation, for populations of several sizes."""

import time

from replication.config import Controller
from replication.search.cma_es import Evolution

import numpy as np

POPULATIONS = (16, 64, 256)  # 64: the paper's


def measure_search(parameters: int, generations: int = 8) -> list[dict]:
    """Milliseconds of a generation's ask and tell, the mean; full covariance, as the paper."""
    rows = []
    for population in POPULATIONS:
        settings = Controller(population=population)
        search = Evolution(np.zeros(parameters), settings, seed=0)
        start = time.perf_counter()
        for _ in range(generations):
            search.tell(np.square(search.ask()).sum(axis=1).tolist())
        spent = (time.perf_counter() - start) / generations
        rows.append({"name": f"CMA-ES, population {population}", "milliseconds": 1e3 * spent})
    return rows
