"""A search in M's dream, of one round: the population's generations, told to CMA-ES."""

from pathlib import Path

from replication.config import Config, Controller, UserError
from replication.parallel import mpi
from replication.rollouts.workers import NewM, run_all
from replication.runs import folders
from replication.runs.logs import Log, read_log
from replication.runs.seeds import Purpose, derive_seed
from replication.search.cma_es import Evolution
from replication.search.fitness import fitness_of
from replication.search.round_trials import each_on
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
    ) -> np.ndarray:
        """C at the start, float32 (P,), and at points on the way, evenly spread: (C's, P).

        A point is the mean of the search's distribution; the last one is the end. path: the log,
        from which a search that was killed goes on.
        """
        es = Evolution(np.float64(start), self.settings, self.seed, whitening)
        known = read_log(path)
        log, found = Log(path, resume_at=len(known)), [start]
        while es.generation < self.rounds.generations:
            asked = es.ask()
            if es.generation < len(known):
                es.tell(self._returns(known[es.generation], path))
            else:
                values = self._generation(pool, es.generation + 1, asked)
                es.tell(values["returns"])
                log.write(es.generation, **values, sigma=es.sigma)
            if self._is_point(es.generation):
                found.append(np.float32(es.mean))
        return np.stack(found)

    def _is_point(self, generation: int) -> bool:
        """Whether one of so many evenly spread points is at this generation."""
        points, total = self.rounds.points, self.rounds.generations
        return generation * points // total > (generation - 1) * points // total

    def _returns(self, line: dict, path: Path) -> list[float]:
        returns = line.get("returns", [])
        if len(returns) != self.settings.population:
            raise UserError(f"{folders.shown(path)} is no log of this search: --overwrite")
        return returns

    def _generation(self, pool: mpi.Pool, number: int, asked: np.ndarray) -> dict:
        seeds = [
            derive_seed(self.seed, Purpose.CANDIDATE, number, 0, episode)
            for episode in range(self.rounds.episodes)
        ]
        trials = each_on(seeds, asked, self.dream.patience)
        results = run_all(pool, f"generation {number}", trials, "dream", self.m)
        returns = results[:, 0].reshape(self.settings.population, -1)  # (population, dreams)
        fitness = fitness_of(returns, self.dream.worst)
        return {
            "best": float(fitness.max()),
            "mean": float(fitness.mean()),
            "dream": float(returns.mean()),
            "frames": int(results[:, 1].sum()),
            "returns": fitness.tolist(),
        }
