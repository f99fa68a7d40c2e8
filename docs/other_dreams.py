"""The search of a finished round once more, in other dreams: what a setting is worth to C.

    mpirun -n 3 python docs/other_dreams.py dreamt --number 5 --dream.temperature 1.3

Begins as the round did: the same M, C and random numbers. Settings of `dream`, and of a round's
search, may be others than the run's. The C at the start and those on the way drive tracks that no
round and no score has. Changes nothing of the run. docs/rounds-and-dreams.md has results.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

from replication.config import Config, UserError, check
from replication.parallel import mpi
from replication.rollouts.agent import one_thread
from replication.rollouts.workers import NewM, run_all, start_worker
from replication.rounds import dream_up, make_m, whiten
from replication.runs import records
from replication.runs.command_line import parse_dataclass
from replication.runs.seeds import Purpose, derive_seed
from replication.search.course import Course
from replication.search.round_trials import dream_trials, each_on

import numpy as np
from dream_against_game import course_of, standing_at

OWN = 3  # of a round's drives: 0 are the clean ones, 1 and 2 the disturbed


def read_options() -> tuple[argparse.Namespace, list[str]]:
    """The script's own options, and the settings."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("run")
    parser.add_argument("--number", type=int, required=True, help="of the round")
    parser.add_argument("--tracks", type=int, default=48, help="that each C drives")
    options, settings = parser.parse_known_args()
    if options.tracks < 2:
        raise UserError(f"--tracks {options.tracks}: at least 2")
    return options, settings


def config_of(run: str, settings: list[str]) -> Config:
    """The run's, with other settings of its dreams and rounds."""
    known = records.load_config(run)
    config = parse_dataclass(Config, known, settings)
    check(config)
    same = dataclasses.replace(known, dream=config.dream, rounds=config.rounds)
    if config != same:
        raise UserError(f"{' '.join(settings)}: only settings of dream and rounds can be others")
    return config


def drive(
    course: Course, pool: mpi.Pool, number: int, found: np.ndarray, tracks: int, m: NewM
) -> np.ndarray:
    """The returns (C's, tracks) of every C (C's, P) on the same tracks."""
    seeds = [
        derive_seed(course.seed(number), Purpose.ROUND_DRIVE, OWN, track) for track in range(tracks)
    ]
    returns = run_all(pool, "drives", each_on(seeds, found, patience=0), "real", m)[:, 0]
    return returns.reshape(len(found), tracks)


def show(place: str, returns: np.ndarray, start: np.ndarray, dream: float) -> None:
    more = returns - start
    error = more.std(ddof=1) / np.sqrt(len(more))
    print(
        f"{place:<13} game {returns.mean():6.1f} ± {returns.std():5.1f}"
        f"   median {np.median(returns):6.1f}   worst {returns.min():6.1f}"
        f"   than the start {more.mean():+7.1f} ± {error:4.1f}   its dreams {dream:6.1f}",
        flush=True,
    )


def main() -> None:
    options, settings = read_options()
    one_thread()
    config = config_of(options.run, settings)
    course, number = course_of(config), options.number
    before = standing_at(course, number)
    m, whitening = make_m(course, before), whiten(course, before)
    with mpi.pool(start_worker, (course.parts, config.env)) as pool:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log.jsonl"
            found = dream_up(course, pool, before, whitening, m, path)
        dreams = run_all(pool, "dreams", dream_trials(course, number, found), "dream", m)[:, 0]
        returns = drive(course, pool, number, found, options.tracks, m)
    dreams = dreams.reshape(len(found), -1).mean(axis=1)
    for place, own in enumerate(returns):
        name = f"point {place} of {len(found) - 1}" if place else "the start"
        show(name, own, returns[0], dreams[place])


if __name__ == "__main__":
    mpi.run_parallel(main)
