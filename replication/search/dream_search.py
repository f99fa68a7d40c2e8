"""A search in M's dream, of one round: the population's generations, told to CMA-ES."""

from pathlib import Path

from replication.config import Config, Controller, UserError
from replication.parallel import mpi
from replication.rollouts.loop import Trial
from replication.rollouts.workers import NewM, run_all
from replication.runs import folders
from replication.runs.logs import Log, read_log
from replication.runs.seeds import Purpose, derive_seed
from replication.search.cma_es import Evolution
from replication.search.fitness import fitness_of
from replication.search.whitening import Whitening

import numpy as np


def search_settings(config: Config, sigma: float) -> Controller:
    """What CMA-ES must know of a round's search."""
    rounds = config.rounds
    return Controller(
        population=rounds.population, episodes=rounds.episodes, sigma=sigma, inputs="whitened"
    )


class DreamSearch:
    """C's search in one round; what it has done so far stands in its log."""

    def __init__(self, config: Config, seed: int, sigma: float, m: NewM):
        """seed: the round's."""
        self.rounds, self.dream, self.seed, self.m = config.rounds, config.dream, seed, m
        self.settings = search_settings(config, sigma)

    def run(
        self, pool: mpi.Pool, start: np.ndarray, whitening: Whitening, path: Path
    ) -> tuple[np.ndarray, dict]:
        """The mean of the last generation's distribution, float32 (P,), and its line of the log.

        start: C's flat vector (P,). path: the log, from which a search that was killed goes on.
        """
        es = Evolution(np.float64(start), self.settings, self.seed, whitening)
        for line in read_log(path):
            if len(line.get("returns", [])) != self.settings.population:
                raise UserError(f"{folders.shown(path)} is no log of this search: --overwrite")
            es.ask()
            es.tell(line["returns"])
        log = Log(path, resume_at=es.generation)
        while es.generation < self.rounds.generations:
            log.write(es.generation + 1, **self._generation(pool, es))
        return np.float32(es.mean), read_log(path)[-1]

    def _generation(self, pool: mpi.Pool, es: Evolution) -> dict:
        number = es.generation + 1
        seeds = [
            derive_seed(self.seed, Purpose.CANDIDATE, number, 0, episode)
            for episode in range(self.rounds.episodes)
        ]
        trials = [
            Trial(seed, np.float32(parameters), self.dream.patience)
            for parameters in es.ask()
            for seed in seeds
        ]
        results = run_all(pool, f"generation {number}", trials, "dream", self.m)
        returns = results[:, 0].reshape(self.settings.population, -1)  # (population, dreams)
        fitness = fitness_of(returns, self.dream.worst)
        es.tell(fitness)
        return {
            "best": float(fitness.max()),
            "mean": float(fitness.mean()),
            "dream": float(returns.mean()),
            "sigma": es.sigma,
            "frames": int(results[:, 1].sum()),
            "returns": fitness.tolist(),
        }
