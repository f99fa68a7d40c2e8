"""Published numbers that the figures are compared with, each with its source."""

from pathlib import Path
from typing import NamedTuple

from replication.report.tables import columns, read_table
from replication.runs.stages import V

import numpy as np

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference"


class PublishedModel(NamedTuple):
    """A model of the paper, as the 2021 report trained it."""

    name: str
    stage: str  # of this pipeline, that trains it
    parameters: int  # paper, A.1 to A.3, and report Figure 9
    hours: float  # report Figure 15
    workers: int  # report Figure 15


MODELS = (
    PublishedModel("V", V, 4_348_547, 60, 1),
    PublishedModel("M", "train_rnn", 422_368, 10, 1),
    PublishedModel("C", "train_controller", 867, 47, 4),
)
REPORT_VAE_LOSS = 40  # where V's total loss settles (report Figure 11), both terms times 0.5
REPORT_RNN_LOSS = 0.68  # where M's loss settles (report Figure 13)
REPORT_BEST, REPORT_HOURS = 273, 188  # best return, core-hours of C (report 2.3 and Figure 15)
PAPER_MEAN, PAPER_STD = 906, 21  # over 100 tracks (paper, table 1)
ENVIRONMENT = "CarRacing-v0"  # of the paper, the original, Wellmer and the report


SOLVED = 750  # Take Cover: a mean over 100 episodes above this (paper, 4)
DOOM_MEAN, DOOM_STD = 1092, 556  # over 100 episodes, at temperature 1.15 (paper, table 2)
CAR, DOOM = "car_racing", "take_cover"  # what a Task's `published` says
PARAMETERS = {  # of V, M and C, by name
    CAR: {model.name: model.parameters for model in MODELS},
    DOOM: {"V": 4_446_915, "M": 1_678_785, "C": 1_088},  # paper, 4
}
SCORES = {CAR: "scores.csv", DOOM: "doom_scores.csv"}


def doom_training() -> dict[str, np.ndarray]:
    """The original's log of C's training in its dream of Doom, by column: (generations,)."""
    return columns(read_table(REFERENCE / "ha2018_doom_controller.csv"))


def doom_temperatures() -> list[dict]:
    """The paper's table 2: temperature, dream_mean, dream_std, real_mean, real_std, source."""
    return read_table(REFERENCE / "ha2018_doom_temperature.csv")


def original_training() -> dict[str, np.ndarray]:
    """The original's log of C's training, by column: float64 (generations,)."""
    return columns(read_table(REFERENCE / "ha2018_controller.csv"))


def wellmer_evaluations() -> dict[str, np.ndarray]:
    """Wellmer's log of C's evaluations, by column: float64 (evaluations,)."""
    return columns(read_table(REFERENCE / "wellmer2020_controller_eval.csv"))


def published_scores(game: str) -> list[dict]:
    """Rows of the table of scores: who, environment, mean_return, std, episodes, note, source.

    game: a Task's `published`; none if that is "".
    """
    return read_table(REFERENCE / SCORES[game]) if game else []
