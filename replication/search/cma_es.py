"""CMA-ES as ask and tell, over pycma.

Its state follows from the seed and from the returns it was told. Replaying the logged returns
restores the state exactly.
"""

from collections.abc import Sequence

from replication.config import Controller
from replication.runs.seeds import Purpose, generator
from replication.search.whitening import Whitening

import cma
import numpy as np


class _Normal:
    """Normal numbers that follow from (seed, generation): there is no hidden state to save."""

    def __init__(self, seed: int):
        self.seed, self.generation = seed, 0

    def __call__(self, *shape: int) -> np.ndarray:
        return self.random.standard_normal(shape)

    def restart(self, generation: int) -> None:
        self.random = generator(self.seed, Purpose.CMA_ES, generation)


class Evolution:
    """A search for the vector of greatest return, from `start`: from 0 in the paper (A.4)."""

    def __init__(
        self,
        start: np.ndarray,
        settings: Controller,
        seed: int,
        whitening: Whitening | None = None,
        earlier: int = 0,
    ):
        """start: C's flat vector (P,); whitening: what steps are made for, if not raw inputs;
        earlier: generations of the searches that led to the start.
        """
        self.generation = 0  # generations that are told
        self.earlier = earlier
        self.start, self.whitening, self.average = start, whitening, settings.average
        self.normal = _Normal(seed)
        options = {
            "popsize": settings.population,
            "CMA_diagonal": settings.covariance == "diagonal",
            "randn": self.normal,
            "seed": np.nan,  # do not touch NumPy's global generator
            # pycma's choice of 2018; for so many dimensions it takes another one today
            "AdaptSigma": cma.sigma_adaptation.CMAAdaptSigmaCSA,
            "verbose": -9,
            "signals_filename": "",
        }
        self.normal.restart(0)
        first = np.zeros_like(start) if whitening else start
        self.cma = cma.CMAEvolutionStrategy(first, settings.sigma, options)
        self.means: list[np.ndarray] = []  # (dimensions,) of the search distribution, as told

    def ask(self) -> np.ndarray:
        """The candidates of the next generation: float64 (population, dimensions)."""
        self.normal.restart(self.generation + 1)
        self.asked = self.cma.ask()
        return self._flat(np.stack(self.asked))

    def tell(self, returns: Sequence[float]) -> None:
        """What each candidate of the last ask returned: more is better."""
        self.cma.tell(self.asked, [-value for value in returns])
        self.generation += 1
        self.means.append(self.mean)

    @property
    def mean(self) -> np.ndarray:
        """The mean of the search distribution, float64 (dimensions,)."""
        return self._flat(np.array(self.cma.mean)[None])[0]

    @property
    def found(self) -> np.ndarray:
        """What is evaluated, float64 (dimensions,): the mean, or that of the last means."""
        last = max(1, round(self.average * self.generation))
        return np.mean(self.means[-last:] or [self.mean], axis=0)

    def _flat(self, points: np.ndarray) -> np.ndarray:
        """CMA-ES's points (N, P) as C's flat vectors."""
        return self.start + self.whitening.flat(points) if self.whitening else points

    @property
    def sigma(self) -> float:
        return float(self.cma.sigma)
