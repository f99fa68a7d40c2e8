"""What all rounds of a run share, and what stands of them in files.

checkpoints/RUN/rounds/NN/: log.jsonl, the search's; rnn/, M's training; rnn.weights.h5, M after it;
round.json, written last: C as the dream made it (`found`), C on the new M (`parameters`), and what
the next round must know. data/RUN/rounds/NN/: what was driven.
"""

from dataclasses import dataclass
from pathlib import Path

from replication.config import Config
from replication.dataset.driven import load_driven
from replication.dataset.series import load_series
from replication.rnn.batches import for_m
from replication.rnn.memory import series_memories
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts
from replication.rollouts.agent_files import load_into
from replication.runs import files, folders
from replication.runs.seeds import Purpose, derive_seed

import numpy as np

KEPT = 6  # ours: rounds whose driving M learns from and dreams start from, the latest


@dataclass(frozen=True)
class Standing:
    """What the rounds so far leave to the next one."""

    number: int  # rounds that are over
    weights: list[np.ndarray]  # M's
    parameters: np.ndarray  # C's flat vector on that M, float32 (P,)
    steps: float = 1.0  # times which the search's steps are as large as planned


class Course:
    """What all rounds of a run share."""

    def __init__(self, config: Config, parts: AgentParts, start: np.ndarray, folder: Path):
        """parts: V, and M as it was before the first round; start: C's flat vector then (P,)."""
        self.config, self.parts, self.folder = config, parts, folder
        self.start = np.float32(start)
        self._watcher = parts.build_rnn()  # one: for each MDNRNN the watching is traced anew
        self.first = self.for_m(load_series(config))

    def for_m(self, series: dict) -> dict:
        return for_m(series, self.parts.rnn_config, self.parts.task)

    def of_round(self, number: int) -> Path:
        return self.folder / f"{number:02d}"

    def seed(self, number: int) -> int:
        return derive_seed(self.config.seed, Purpose.ROUND, number)

    def driven(self, number: int) -> dict:
        """What was driven in a round, as M learns it."""
        return self.for_m(load_driven(self.parts.task, folders.driven_folder(self.config, number)))

    def shares(self, rounds: int) -> list[tuple[dict, float]]:
        """The run's own series and those of the latest rounds, and how much each counts."""
        settings = self.config.rounds
        ages = {
            n: settings.age ** (rounds - n) for n in range(max(1, rounds - KEPT + 1), rounds + 1)
        }
        total = sum(ages.values())
        later = [(self.driven(n), settings.new * age / total) for n, age in ages.items()]
        return [(self.first, 1 - settings.new if later else 1.0), *later]

    def build_rnn(self, weights: list[np.ndarray]) -> MDNRNN:
        rnn = self.parts.build_rnn()
        rnn.set_weights(weights)
        return rnn

    def watcher(self, weights: list[np.ndarray]) -> MDNRNN:
        """An M to watch recordings with, until the next call."""
        self._watcher.set_weights(weights)
        return self._watcher

    def inputs_of_c(self, weights: list[np.ndarray], series: dict) -> np.ndarray:
        """What C sees at every frame of a series, of V's means and such an M: float32 (F, I)."""
        seen = np.float32(series["mu"]), *series_memories(self.watcher(weights), series)
        return np.concatenate(self.parts.controller.parts(*seen), axis=1)


# Files --------------------------------------------------------------------------------------


def standing_after(course: Course) -> Standing:
    """Where the rounds stand that are over."""
    number = 0
    while (course.of_round(number + 1) / "round.json").exists():
        number += 1
    return standing_before(course, number + 1)


def standing_before(course: Course, number: int) -> Standing:
    """Where the rounds stood before this one."""
    if number == 1:
        return Standing(0, course.parts.rnn, course.start)
    record, rnn = read_round(course, number - 1), course.parts.build_rnn()
    load_into(rnn, course.of_round(number - 1) / "rnn.weights.h5")
    parameters = np.float32(record["parameters"])
    return Standing(number - 1, rnn.get_weights(), parameters, record["steps"])


def read_round(course: Course, number: int) -> dict:
    """A round's round.json."""
    path = course.of_round(number) / "round.json"
    return files.read_json(path, "found", "parameters", "steps", "log")
