"""A round's C's in the dream, from states of their own drives, beside what came of these drives.

    python docs/dream_against_game.py dreamt --number 7 --temperature 1.0
    python docs/dream_against_game.py dreamt --number 4 --video lost.mp4

Of a finished round of a run with the car's tiles. For each C: the new tiles of every eighth of so
many steps, how often it had fewer than two, as then a car is lost, and in how many frames the road
ahead bends. docs/dream-trials.md has results. With --video only a film of drives in which one
C lost the road, beside dreams from a state shortly before.
"""

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

from replication.config import Config, UserError
from replication.report import video
from replication.rnn.rnn import heads_of
from replication.rnn.starts import starts_at
from replication.rollouts.agent import one_thread
from replication.rollouts.agent_files import load_decoder, load_parts
from replication.rollouts.dream_controllers import DreamControllers
from replication.rollouts.dream_paths import dream_path
from replication.rollouts.dream_world import WIDTH, DreamRules, DreamWorld
from replication.rollouts.loop import Episode, Seen, Trial, drive
from replication.rounds import dream_up, make_m, whiten
from replication.runs import folders, records
from replication.runs.script import run_script
from replication.search.course import Course, Standing, read_round, standing_after, standing_before
from replication.search.search_start import read_rounds_start
from replication.tf import keras
from replication.vae.vae import decode

import numpy as np

EVERY = 20  # frames of a drive, of which one is a start
PARTS = 8  # of a drive or dream, whose tiles are added up
LOOKED_AT, EIGHTH = 200, 8  # drives and dreams whose road is looked at, and in which frames
FAR, NEAR = 12, 44  # rows of V's 64: ahead of the car, and just before it
BENT = 8  # pixels from side to side, between these rows
BEFORE, AFTER = 80, 50  # frames of a film, up to a car's last tile and without any
LAP = 900  # points for tiles: a car that has them finds few more
FILMS, DREAMS = 6, 3  # lost cars in a video, and dreams beside each


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--number", type=int, required=True, help="of the round")
    parser.add_argument(
        "--temperature", type=float, default=0.0, help="of the dreams; 0: the run's"
    )
    parser.add_argument("--steps", type=int, default=400, help=f"compared, {PARTS} times N")
    parser.add_argument("--first", type=int, default=60, help="frame of a drive that is a start")
    parser.add_argument("--dreams", type=int, default=2000, help="of each C")
    parser.add_argument("--video", default="", help="PATH.mp4 or .gif: only cars that get lost")
    parser.add_argument("--of", type=int, help="which C is filmed (default: the one that went on)")
    options = parser.parse_args()
    if options.video:
        video.check_path(Path(options.video))
    if min(options.steps, options.first, options.dreams) < 1 or options.steps % PARTS:
        raise UserError(f"--steps must be {PARTS} times N, --first and --dreams at least 1")
    if not 0 <= options.temperature < np.inf:
        raise UserError(f"--temperature {options.temperature:g}: must be positive")
    return options


def course_of(config: Config) -> Course:
    run, settings = folders.run_folder(config.run), config.controller
    parts = load_parts(run, settings.mode, config.vision, settings.z, run / "rnn")
    if "tiles" not in heads_of(parts.rnn_config, parts.task):
        raise UserError(f"the M of {config.run} does not predict tiles")
    start = read_rounds_start(config, parts)
    return Course(config, parts, start.parameters, run / "rounds")


def standing_at(course: Course, number: int) -> Standing:
    """Where the rounds stood before a finished one; UserError if there is none of that number."""
    if not 1 <= number <= standing_after(course).number:
        raise UserError(f"--number {number}: {course.config.run} has no such finished round")
    return standing_before(course, number)


def driven_from(
    series: dict, episodes: range, first: int, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Frames (N,) of these episodes from which dreams start, and the tiles found next (N, steps).

    In the `first` frames before each something was found; after an episode's end nothing is.
    """
    tiles, offset = np.asarray(series["tiles"])[:, 0], np.asarray(series["offset"])
    limit = np.diff(offset).max()
    at, found = [], []
    for episode in episodes:
        own = tiles[offset[episode] : offset[episode + 1]]
        for frame in range(first, min(limit - steps, len(own)), EVERY):
            if own[frame - first : frame].any():
                at.append(offset[episode] + frame)
                found.append(np.pad(own, (0, steps))[frame : frame + steps])
    if not at:
        raise UserError("a C's drives are too short: give fewer --steps")
    return np.array(at), np.array(found)


def dream_world(course: Course, before: Standing, at: np.ndarray, rules: DreamRules) -> DreamWorld:
    """Dreams of a round's M, from these frames of its drives."""
    starts = starts_at(course.watcher(before.weights), course.driven(before.number + 1), at)
    return DreamWorld(course.build_rnn(before.weights), starts, rules)


def dream(
    world: DreamWorld, course: Course, parameters: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The tiles that C (P,) earns in so many dreams (count, steps), and z of some of them
    (N, steps, Z), nan after an end.
    """
    controllers = DreamControllers(course.parts.controller, WIDTH)
    trials = [Trial(seed, parameters) for seed in range(count)]
    earned = np.zeros((count, world.max_steps))
    looked_at = min(count, LOOKED_AT)
    z = np.full((looked_at, world.max_steps, course.parts.task.z_size), np.nan, np.float32)
    steps = np.zeros(looked_at, int)  # so far

    def watch(slot: int, episode: Episode, seen: Seen, action: np.ndarray) -> None:
        if episode.seed < looked_at:
            z[episode.seed, steps[episode.seed]] = seen.z[slot]
            steps[episode.seed] += 1

    for place, episode in drive(world, controllers, trials, watch=watch):
        earned[place, : len(episode.rewards)] = episode.rewards
    return earned, z


def driven_z(series: dict, at: np.ndarray, steps: int) -> np.ndarray:
    """V's means of some of the drives from these frames on: (N, steps, Z), nan after an end."""
    chosen = at[np.linspace(0, len(at) - 1, min(len(at), LOOKED_AT)).astype(int)]
    ends = np.asarray(series["offset"])[np.searchsorted(series["offset"], chosen, "right")]
    mu = np.full((len(chosen), steps, series["mu"].shape[1]), np.nan, np.float32)
    for values, first, end in zip(mu, chosen, ends, strict=True):
        own = series["mu"][first : min(first + steps, end)]
        values[: len(own)] = own
    return mu


def bends(decoder: keras.Model, z: np.ndarray) -> np.ndarray:
    """How often the road ahead bends, in each part of such stretches z (N, steps, Z): (PARTS,).

    Of the frames with road in both rows. A pixel is grey as in docs/tuning.md.
    """
    z = z.reshape(len(z), PARTS, -1, z.shape[2])[:, :, ::EIGHTH]
    frames = decode(decoder, np.nan_to_num(z).reshape(-1, z.shape[3]))
    rows = frames[:, (FAR, NEAR)].astype(int)  # (F, 2, 64, 3)
    least, largest = rows.min(axis=3), rows.max(axis=3)
    grey = (largest - least <= 25) & (largest > 70) & (largest < 150)
    count = grey.sum(axis=2)
    middle = (grey * np.arange(grey.shape[2])).sum(axis=2) / np.maximum(count, 1)  # (F, 2)
    seen = (count.all(axis=1) & np.isfinite(z).all(axis=3).reshape(-1)).reshape(z.shape[:3])
    bent = seen & (np.abs(middle[:, 0] - middle[:, 1]) > BENT).reshape(seen.shape)
    return bent.sum(axis=(0, 2)) / np.maximum(seen.sum(axis=(0, 2)), 1)


def show(name: str, tiles: np.ndarray, bent: np.ndarray) -> None:
    parts = tiles.reshape(len(tiles), PARTS, -1).sum(axis=2)
    means = " ".join(f"{mean:5.1f}" for mean in parts.mean(axis=0))
    lost, road = (
        " ".join(f"{share:4.0%}" for share in shares) for shares in ((parts < 2).mean(axis=0), bent)
    )
    print(f"{name:<17} tiles {means}   below two {lost}   bends {road}", flush=True)


# Lost cars, filmed -------------------------------------------------------------------------------


def losses(series: dict, episodes: range) -> np.ndarray:
    """Frames (N,) BEFORE the last tile of drives that went on without any, far from a lap's end."""
    tiles, reward = (np.asarray(series[name]) for name in ("tiles", "reward"))
    lost = []
    for first, after in itertools.pairwise(series["offset"][episodes.start : episodes.stop + 1]):
        (found,) = np.nonzero(tiles[first:after, 0])
        last = found[-1] if len(found) else -1
        points = reward[first : first + last + 1] + 0.1  # of 1000 that all tiles are worth
        if BEFORE <= last < after - first - AFTER and points.sum() < LAP:
            lost.append(first + last - BEFORE)
    return np.array(lost, int)


def film(
    course: Course, before: Standing, parameters: np.ndarray, lost: np.ndarray, rules: DreamRules
) -> Iterator[np.ndarray]:
    """Frames of a video: what V saw of each drive, beside dreams from the same state."""
    series = course.driven(before.number + 1)
    decoder = load_decoder(folders.run_folder(course.config.run), course.config.vision)
    controllers = DreamControllers(course.parts.controller, width=1)
    for at in lost[:FILMS]:
        panels = {"game": decode(decoder, np.float32(series["mu"][at : at + rules.max_steps]))}
        starts = starts_at(course.watcher(before.weights), series, np.array([at]))
        world = DreamWorld(course.build_rnn(before.weights), starts, rules, width=1)
        for number in range(1, DREAMS + 1):
            trial = Trial(number, parameters)
            z, _ = dream_path(world, controllers, trial, rules.max_steps)
            panels[f"dream {number}"] = decode(decoder, z)
        yield from video.side_by_side(panels)


def write_film(
    options: argparse.Namespace,
    course: Course,
    before: Standing,
    found: np.ndarray,
    rules: DreamRules,
) -> None:
    of = read_round(course, options.number)["log"]["best"] if options.of is None else options.of
    if not 0 <= of < len(found):
        raise UserError(f"--of {of}: round {options.number} has C's from 0 to {len(found) - 1}")
    tracks, fps = course.config.rounds.tracks, course.parts.task.fps
    lost = losses(course.driven(options.number), range(of * tracks, (of + 1) * tracks))
    if not len(lost):
        raise UserError(f"--video: C {of} of round {options.number} lost the road on no track")
    video.write(Path(options.video), film(course, before, found[of], lost, rules), fps)
    print(
        f"{options.video}: {min(len(lost), FILMS)} of {len(lost)} drives in which C {of} lost the"
        f" road; the last tile of each is at {BEFORE / fps:.1f} s"
    )


def main() -> None:
    options = read_options()
    one_thread()
    config = records.load_config(options.run)
    course, number = course_of(config), options.number
    before = standing_at(course, number)
    m, whitening = make_m(course, before), whiten(course, before)
    # The search's log is whole, so this only repeats what it came to.
    log = course.of_round(number) / "log.jsonl"
    found = dream_up(course, None, before, whitening, m, log)
    temperature = options.temperature or config.dream.temperature
    if options.video:
        rules = DreamRules(temperature, BEFORE + AFTER, config.dream.ends)
        write_film(options, course, before, found, rules)
        return
    series, tracks = course.driven(number), config.rounds.tracks
    decoder = load_decoder(folders.run_folder(config.run), config.vision)
    rules = DreamRules(temperature, options.steps, config.dream.ends)
    for place, parameters in enumerate(found):
        drives = range(place * tracks, (place + 1) * tracks)
        at, game = driven_from(series, drives, options.first, options.steps)
        show(f"C {place}, in the game", game, bends(decoder, driven_z(series, at, options.steps)))
        world = dream_world(course, before, at, rules)
        earned, z = dream(world, course, parameters, options.dreams)
        show("  in the dream", earned, bends(decoder, z))


if __name__ == "__main__":
    run_script(main)
