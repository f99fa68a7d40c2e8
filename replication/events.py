"""Which component of M's mixture speaks in which event (Figure 8, after Ellefsen et al. 2019).

    python replication/events.py quick --run mine --events.episodes 20

Drives the run's agent on the first tracks of the evaluation with seed 0 and notes what the
simulator says of each step, and with which weights M then predicts the next z. Writes
checkpoints/RUN/events/: events.npz (one stretch of 100 steps, its frames, and dreams from its start
with one component forced), tests.csv (is a component's share another one during an event?).

The events are those of the task (tasks/car_facts.py for the car), facts of the game at x_t; several
can happen at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from replication.config import Config
from replication.report.tables import write_table
from replication.rnn import component_tests
from replication.rnn.dream import Starts
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import WIDTH, AgentParts, LinearControllers
from replication.rollouts.agent_files import load_agent, load_decoder, load_rnn
from replication.rollouts.dream_paths import dream_along
from replication.rollouts.dream_world import DreamRules, DreamWorld
from replication.rollouts.fresh_tracks import fresh_trials
from replication.rollouts.loop import Episode, Seen, drive
from replication.rollouts.real_world import RealWorld
from replication.rollouts.workers import make_real_world
from replication.runs import files, folders, records, seeds
from replication.runs.script import parse_run_cli, run_script
from replication.runs.seeds import Purpose
from replication.tasks.task import Events
from replication.tf import keras
from replication.vae.vae import decode

import numpy as np
from tqdm import tqdm

STEPS = 100  # of the stretch that is shown (report Figure 8)
EVERY = 10  # steps: one frame of so many is kept


# Driving ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WatchedEpisode:
    """An episode of the agent, with what it saw and what happened."""

    seed: int
    action: np.ndarray  # (T, A)
    z: np.ndarray  # (T, Z)
    h: np.ndarray  # (T, H): h_t
    c: np.ndarray  # (T, H): c_t
    happening: np.ndarray  # (T, E), bool
    frames: np.ndarray  # (T / EVERY, 64, 64, 3), uint8: x_0, x_10, ...


class Watcher:
    """Notes what rollouts.drive does not keep, for each episode by the seed of its track."""

    def __init__(self, world: RealWorld, events: Events):
        self.world, self.watch_env = world, events.watch
        self.events: dict[int, Callable[[], np.ndarray]] = {}  # which happen now
        self.steps: dict[int, list[tuple[np.ndarray, ...]]] = {}  # z_t, h_t, c_t, events
        self.frames: dict[int, list[np.ndarray]] = {}

    def watch(self, slot: int, episode: Episode, seen: Seen, action: np.ndarray) -> None:
        """Called by the loop before each step."""
        seed = episode.seed
        if seed not in self.events:
            self.events[seed] = self.watch_env(self.world.envs[slot].unwrapped)
            self.steps[seed], self.frames[seed] = [], []
        if len(self.steps[seed]) % EVERY == 0:
            self.frames[seed].append(self.world.frames[slot].copy())
        now = (values[slot].copy() for values in seen)
        self.steps[seed].append((*now, self.events[seed]()))

    def watched(self, episode: Episode) -> WatchedEpisode:
        """All that was noted of an episode that has ended."""
        columns = zip(*self.steps[episode.seed], strict=True)
        noted = (np.stack(column) for column in columns)
        frames = np.stack(self.frames[episode.seed])
        return WatchedEpisode(episode.seed, np.stack(episode.actions), *noted, frames)


def watch_drives(config: Config, parts: AgentParts, parameters: np.ndarray) -> list[WatchedEpisode]:
    """The first tracks of the evaluation of seed 0, on the environment of the settings."""
    trials = fresh_trials(parameters, config.events.episodes)
    world = make_real_world(parts, config.env, min(WIDTH, len(trials)))
    watcher, drives = Watcher(world, parts.task.events), {}
    episodes = drive(world, LinearControllers(parts.controller), trials, watch=watcher.watch)
    for place, episode in tqdm(episodes, "events", len(trials), unit="episode"):
        drives[place] = watcher.watched(episode)
    return [drives[place] for place in range(len(trials))]


# What M says ------------------------------------------------------------------------------------


def weights_of(rnn: MDNRNN, drive: WatchedEpisode) -> np.ndarray:
    """The mixture's weights in M's prediction of each step's next z: (T, Z, K)."""
    restart = np.float32(np.arange(len(drive.z)) == 0)
    h, _ = rnn.step(drive.z, drive.action, drive.h, drive.c, restart)  # h_{t+1}
    return rnn.predict_z(h).mixture_distribution.probs_parameter().numpy()


def choose_stretch(happening: list[np.ndarray], watched: Events) -> tuple[int, int]:
    """Which episode, and from which step: most kinds of events, then the first such.

    What the road does counts while the car is on it. happening: (T, E) of each episode. Starts are
    multiples of EVERY behind the opening.
    """
    kinds, names = {}, list(watched.meanings)
    hiding = names.index(watched.hides) if watched.hides else 0
    for number, events in enumerate(happening):
        counting = events[:, :hiding] & ~events[:, [hiding]]
        events = np.hstack([counting, events[:, hiding:]])
        last = max(len(events) - STEPS, 0) // EVERY * EVERY
        for start in range(min(-(-watched.opening // EVERY) * EVERY, last), last + 1, EVERY):
            kinds[number, start] = events[start : start + STEPS].any(axis=0).sum()
    return max(kinds, key=kinds.get)


def forced_dreams(
    rnn: MDNRNN, decoder: keras.Model, drive: WatchedEpisode, start: int
) -> np.ndarray:
    """Dreams from x_start on, under the actions that were taken: the mixture, then each component.

    All draw the same random numbers. Every tenth frame, as of the drive: (1 + K, N, 64, 64, 3).
    """
    now = slice(start, start + 1)
    exactly = np.full_like(drive.z[now], -np.inf)  # the logvar of no noise
    starts = Starts(drive.z[now], exactly, drive.h[now], drive.c[now])
    actions = drive.action[start : start + STEPS]
    strips = []
    for component in (None, *range(rnn.config.mixtures)):
        world = DreamWorld(rnn, starts, DreamRules(component=component), 1, Purpose.FORCED_DREAM)
        z = dream_along(world, actions, drive.seed)
        strips.append(decode(decoder, z[::EVERY]))
    return np.stack(strips)


def save_arrays(
    rnn: MDNRNN, decoder: keras.Model, drives: list[WatchedEpisode], folder: Path
) -> list[dict]:
    """Write events.npz, and return the rows of tests.csv.

    The dimension of z that is tested, and shown, is the one whose weights move most: a component's
    number means the same only within a dimension, and the events have no part in this choice.
    """
    mixtures = [weights_of(rnn, drive) for drive in drives]
    moved = np.mean([component_tests.switching(weights) for weights in mixtures], axis=0)  # (Z,)
    dimension = int(moved.argmax())
    watched = rnn.task.events
    number, start = choose_stretch([drive.happening for drive in drives], watched)
    chosen, stretch = drives[number], slice(start, start + STEPS)
    parts = [
        component_tests.shares(weights[:, dimension], drive.happening)
        for weights, drive in zip(mixtures, drives, strict=True)
    ]
    during, otherwise = (np.stack(part) for part in zip(*parts, strict=True))  # (N, E, K)
    forced = forced_dreams(rnn, decoder, chosen, start)
    with files.replacing(folder / "events.npz") as temporary:
        np.savez_compressed(
            temporary,
            names=np.array(list(watched.meanings)),
            meanings=np.array(list(watched.meanings.values())),
            weights=mixtures[number][stretch, dimension],
            mean_weights=mixtures[number][stretch].mean(axis=1),
            happening=chosen.happening[stretch],
            frames=chosen.frames[start // EVERY :][: len(forced[0])],
            forced=forced,
            seed=chosen.seed,
            start=start,
            every=EVERY,
            dimension=dimension,
            switching=moved,
            during=during,
            otherwise=otherwise,
        )
    return component_tests.compare(list(watched.meanings), during, otherwise)


def main(config: Config) -> None:
    begun, run = time.monotonic(), folders.run_folder(config.run)
    folder = folders.stage_folder(config, "events")
    records.check_stage(config, "events")
    records.check_inputs(config, "events")
    folder.mkdir(exist_ok=True)
    with folders.lock(folder):  # cheap: it is made anew for another agent, whatever is there
        seeds.seed_everything(config.seed)
        parts, parameters = load_agent(run)
        drives = watch_drives(config, parts, parameters)
        tests = save_arrays(load_rnn(run), load_decoder(run), drives, folder)
        write_table(folder / "tests.csv", tests, list(tests[0]))
        report(config, tests, folder, time.monotonic() - begun)


def report(config: Config, tests: list[dict], folder: Path, seconds: float) -> None:
    made = [test for test in tests if test["p"] is not None]
    found = sum(test["p_holm"] < component_tests.SIGNIFICANCE for test in made)
    reached = (
        f"{config.events.episodes} episodes; {found} of {len(made)} pairs of component and event"
        f" go together (p < {component_tests.SIGNIFICANCE:g}, corrected)"
    )
    output = files.fingerprint([np.fromfile(folder / "events.npz", np.uint8)])
    records.finish(config, "events", output, reached, seconds, processes=records.cores())
    print(f"events: {reached}, in {folders.shown(folder)}")


if __name__ == "__main__":
    run_script(lambda: main(parse_run_cli(doc=__doc__)))
