"""How the frames of agents grow with processes."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

from replication.rollouts.agent import one_thread
from replication.speed.drivers import new_agent, random_parts

import numpy as np

WORKER: dict = {}  # of a process: its agent's driver


def _start_agent(width: int) -> None:
    one_thread()
    WORKER["drive"] = new_agent(random_parts(), width).drive
    WORKER["drive"](width)


def _drive(frames: int) -> int:
    return WORKER["drive"](frames)


def measure_scaling(frames: int, rounds: int, width: int = 16) -> dict:
    """Frames a second of two agents in two processes at once, against one of them alone."""
    spawn = multiprocessing.get_context("spawn")
    ratios = []
    with ProcessPoolExecutor(2, spawn, _start_agent, (width,)) as pool:
        list(pool.map(_drive, [frames] * 8))  # both have started, and are warm
        for _ in range(rounds):
            start = time.perf_counter()
            pool.submit(_drive, frames).result()
            alone = time.perf_counter() - start
            start = time.perf_counter()
            list(pool.map(_drive, [frames] * 2))
            ratios.append(2 * alone / (time.perf_counter() - start))
    return {
        "name": f"2 processes against 1, batch {width}",
        "ratio": float(np.median(ratios)),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }
