"""A round's C's in the dream, from states of their own drives, beside what came of these drives.

    python docs/dream_against_game.py dreamt --number 7 --temperature 1.0

Of a finished round of a run with the car's tiles. For each C: the new tiles of every 50 steps, and
how often 50 steps found fewer than two, as then a car is lost. docs/rounds-and-dreams.md has
results.
"""

import argparse

from replication.config import Config
from replication.rnn.dream import Starts
from replication.rnn.memory import series_memories
from replication.rollouts.agent import one_thread
from replication.rollouts.agent_files import load_parts
from replication.rollouts.dream_controllers import DreamControllers
from replication.rollouts.dream_world import WIDTH, DreamRules, DreamWorld
from replication.rollouts.loop import Trial, drive
from replication.rounds import dream_up, make_m, whiten
from replication.runs import folders, records
from replication.search.course import Course, Standing, standing_before
from replication.search.search_start import read_rounds_start

import numpy as np

STEPS, WINDOW = 400, 50  # of a drive or dream that are compared; steps that are added up
FIRST, EVERY = 60, 20  # frames of a drive from which dreams start
DREAMS = 2000  # of each C


def course_of(config: Config) -> Course:
    run, settings = folders.run_folder(config.run), config.controller
    parts = load_parts(run, settings.mode, config.vision, settings.z, run / "rnn")
    start = read_rounds_start(config, parts)
    return Course(config, parts, start.parameters, run / "rounds")


def driven_from(series: dict, episodes: range) -> tuple[np.ndarray, np.ndarray]:
    """Frames (N,) of these episodes from which dreams start, and the tiles found next (N, STEPS).

    They are frames before which something was found; after an episode's end nothing is.
    """
    tiles, offset = np.asarray(series["tiles"])[:, 0], np.asarray(series["offset"])
    limit = np.diff(offset).max()
    at, found = [], []
    for episode in episodes:
        own = tiles[offset[episode] : offset[episode + 1]]
        for frame in range(FIRST, min(limit - STEPS, len(own)), EVERY):
            if own[frame - FIRST : frame].any():
                at.append(offset[episode] + frame)
                found.append(np.pad(own, (0, STEPS))[frame : frame + STEPS])
    return np.array(at), np.array(found)


def dreamt_from(
    course: Course, before: Standing, parameters: np.ndarray, at: np.ndarray, temperature: float
) -> np.ndarray:
    """The tiles that C (P,) earns in dreams from these frames of its round: (DREAMS, STEPS)."""
    series = course.driven(before.number + 1)
    h, c = series_memories(course.watcher(before.weights), series)
    mu, logvar = (np.float32(series[name][at]) for name in ("mu", "logvar"))
    starts = Starts(mu, logvar, h[at], c[at], np.zeros(len(at), bool))
    rules = DreamRules(temperature, STEPS, course.config.dream.ends)
    world = DreamWorld(course.build_rnn(before.weights), starts, rules)
    trials = [Trial(seed, parameters) for seed in range(DREAMS)]
    controllers, earned = (
        DreamControllers(course.parts.controller, WIDTH),
        np.zeros((DREAMS, STEPS)),
    )
    for place, episode in drive(world, controllers, trials):
        earned[place, : len(episode.rewards)] = episode.rewards
    return earned


def show(name: str, tiles: np.ndarray) -> None:
    windows = tiles.reshape(len(tiles), -1, WINDOW).sum(axis=2)
    means = " ".join(f"{mean:5.1f}" for mean in windows.mean(axis=0))
    lost = " ".join(f"{share:4.0%}" for share in (windows < 2).mean(axis=0))
    print(f"{name:<22} tiles {means}   below two {lost}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--number", type=int, required=True, help="of the round")
    parser.add_argument("--temperature", type=float, help="of the dreams; else the run's")
    options = parser.parse_args()
    one_thread()
    config = records.load_config(options.run)
    course = course_of(config)
    before = standing_before(course, options.number)
    m, whitening = make_m(course, before), whiten(course, before)
    # The search's log is whole, so this only repeats what it came to.
    found = dream_up(course, None, before, whitening, m)
    series, tracks = course.driven(options.number), config.rounds.tracks
    temperature = options.temperature or config.dream.temperature
    for place, parameters in enumerate(found):
        at, game = driven_from(series, range(place * tracks, (place + 1) * tracks))
        show(f"C {place}, in the game", game)
        show("  in the dream", dreamt_from(course, before, parameters, at, temperature))


if __name__ == "__main__":
    main()
