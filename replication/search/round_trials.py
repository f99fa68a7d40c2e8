"""The episodes that C's drive in a round: as they are, on the same tracks, and disturbed."""

from replication.rollouts.loop import Trial
from replication.runs.seeds import Purpose, derive_seed, generator
from replication.search.course import Course
from replication.search.whitening import Whitening

import numpy as np

DREAMS = 64  # ours: dreams that each C of a round has, to be compared with what it drives
GIVE_UP = 150  # ours: frames without reward after which a recorded episode is given up


def each_on(seeds: list[int], found: np.ndarray, patience: int) -> list[Trial]:
    """Every C (C's, P) on each of these seeds, C by C."""
    return [Trial(seed, np.float32(parameters), patience) for parameters in found for seed in seeds]


def clean_trials(course: Course, number: int, found: np.ndarray) -> list[Trial]:
    """Every C (C's, P) on the round's tracks, C by C."""
    seeds = [
        derive_seed(course.seed(number), Purpose.ROUND_DRIVE, 0, track)
        for track in range(course.config.rounds.tracks)
    ]
    return each_on(seeds, found, _patience(course))


def dream_trials(course: Course, number: int, found: np.ndarray) -> list[Trial]:
    """Every C (C's, P) in the same dreams, C by C."""
    seeds = [
        derive_seed(course.seed(number), Purpose.ROUND_DREAM, dream) for dream in range(DREAMS)
    ]
    return each_on(seeds, found, course.config.dream.patience)


def disturbed_trials(
    course: Course, number: int, parameters: np.ndarray, whitening: Whitening
) -> list[Trial]:
    """A C (P,) with noise on it, and with bursts of random actions: tracks of their own."""
    settings, trials = course.config.rounds, []
    for kind, count in ((1, settings.noisy), (2, settings.bursts)):
        for episode in range(count):
            seed, driver = course.seed(number), parameters
            seed = derive_seed(seed, Purpose.ROUND_DRIVE, kind, episode)
            if kind == 1:
                random = generator(seed, Purpose.RECORDING)
                spread = random.uniform(0, settings.noise)
                step = random.standard_normal((1, len(parameters))) * spread
                driver = np.float32(parameters + whitening.flat(step)[0])
            trials.append(Trial(seed, driver, _patience(course), bursts=kind == 2))
    return trials


def _patience(course: Course) -> int:
    return 0 if course.parts.task.idle_reward is None else GIVE_UP
