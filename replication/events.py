"""Which component of M's mixture speaks in which event (Figure 8, after Ellefsen et al. 2019).

    python replication/events.py quick --run mine --events.episodes 20

Drives the run's agent on the first tracks of the evaluation with seed 0 and notes what the
simulator says of each step, and with which weights M then predicts the next z. Writes
checkpoints/RUN/events/: events.npz (one stretch of 100 steps, its frames, and dreams from its start
with one component forced), tests.csv (is a component's share another one during an event?).

EVENTS says what they are, all of them facts of the simulator at x_t; several can happen at once.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from replication.config import Config, parse_cli
from replication.dream import load_decoder, walk
from replication.envs.dream import FPS, Dreams, decode
from replication.evaluate import Options, tracks
from replication.report.tables import write_table
from replication.rnn import component_tests
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import WIDTH, Agent, Weights, load_agent, load_rnn
from replication.rollouts.loop import Episode, drive, make_env
from replication.runs import files, folders, records, script, seeds
from replication.tf import keras

import gymnasium
import numpy as np
from tqdm import tqdm

AHEAD = 5  # tiles, of 3.5 m
TURN = 0.25  # radians
OFF = 2  # wheels
STANDING = 1.0  # m/s
EVENTS = {
    "straight": f"from the tile nearest to the car to the one {AHEAD} tiles (17.5 m) on, the way it"
    f" faces, the track's heading changes by at most {TURN:g} rad",
    "left": "it changes by more, to the left",
    "right": "it changes by more, to the right",
    "kerb": "that nearest tile has a red-and-white kerb, the simulator's mark of a hard turn",
    "grass": f"{OFF} wheels or more touch no tile of the road",
    "standing": f"the hull is slower than {STANDING:g} m/s",
}
STEPS = 100  # of the stretch that is shown (report Figure 8)
EVERY = 10  # steps: one frame of so many is kept
ZOOM = FPS  # steps: the camera comes down in the first second


# What the simulator says ------------------------------------------------------------------------


@dataclass(frozen=True)
class Track:
    """The middle of each tile of a track."""

    tiles: list  # the simulator's own list: another one after a reset
    place: np.ndarray  # (N, 2), metres
    heading: np.ndarray  # (N,), radians, counter-clockwise
    kerb: np.ndarray  # (N,), bool


def read_track(env: gymnasium.Env) -> Track:
    tiles = np.array(env.track)  # alpha, heading, x, y
    kerb = np.zeros(len(tiles), bool)
    tile = -1
    for _, colour in env.road_poly:  # a tile, its kerb if it has one, the next tile
        if isinstance(colour, tuple):  # a tile's is an array
            kerb[tile] = True
        else:
            tile += 1
    return Track(env.track, tiles[:, 2:], tiles[:, 1], kerb)


def events_now(env: gymnasium.Env, track: Track) -> np.ndarray:
    """Which of EVENTS happen, bool (6,)."""
    hull = env.car.hull
    here = np.argmin(((track.place - tuple(hull.position)) ** 2).sum(axis=1))
    forwards = np.cos(hull.angle - track.heading[here]) >= 0
    ahead = (here + (AHEAD if forwards else -AHEAD)) % len(track.heading)
    turn = track.heading[ahead] - track.heading[here]
    turn = (turn + np.pi) % (2 * np.pi) - np.pi
    off = sum(not wheel.tiles for wheel in env.car.wheels)
    return np.array(
        [
            abs(turn) <= TURN,
            turn > TURN,
            turn < -TURN,
            track.kerb[here],
            off >= OFF,
            hull.linearVelocity.length < STANDING,
        ]
    )


# Driving ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drive:
    """An episode, driven."""

    seed: int
    action: np.ndarray  # (T, A)
    z: np.ndarray  # (T, Z)
    h: np.ndarray  # (T, H): h_{t+1} in row t, from which z_{t+1} is predicted
    c: np.ndarray  # (T, H): c_{t+1}
    happening: np.ndarray  # (T, E), bool
    frames: np.ndarray  # (T / EVERY, 64, 64, 3), uint8: x_0, x_10, ...


class Watcher:
    """Notes what rollouts.drive does not keep, an episode known by the seed of its track."""

    def __init__(self, envs: list[gymnasium.Env], agent: Agent):
        self.slots = {id(env): slot for slot, env in enumerate(envs)}
        self.agent = agent
        self.tracks: dict[int, Track] = {}
        self.steps: dict[int, list[tuple[np.ndarray, ...]]] = {}  # z_t, h_{t+1}, c_{t+1}, events
        self.frames: dict[int, list[np.ndarray]] = {}

    def see(self, env: gymnasium.Env, frame: np.ndarray, action: np.ndarray) -> None:
        world, slot = env.unwrapped, self.slots[id(env)]
        seed = world.np_random_seed
        if seed not in self.tracks:
            self.tracks[seed] = read_track(world)
            self.steps[seed], self.frames[seed] = [], []
        if len(self.steps[seed]) % EVERY == 0:
            self.frames[seed].append(frame.copy())
        now = (each[slot].copy() for each in (self.agent.z, self.agent.h, self.agent.c))
        self.steps[seed].append((*now, events_now(world, self.tracks[seed])))

    def drive_of(self, episode: Episode) -> Drive:
        noted = (np.stack(each) for each in zip(*self.steps[episode.seed], strict=True))
        frames = np.stack(self.frames[episode.seed])
        return Drive(episode.seed, np.stack(episode.actions), *noted, frames)


def drive_all(config: Config, weights: Weights, parameters: np.ndarray) -> list[Drive]:
    """The first tracks of the evaluation of seed 0, on the environment of the settings."""
    tasks = tracks(Options(episodes=config.events.episodes), parameters)
    width = min(WIDTH, len(tasks))
    envs, agent = [make_env(config.env) for _ in range(width)], Agent(weights, width)
    watcher, drives = Watcher(envs, agent), {}
    episodes = drive(envs, agent, tasks, config.env.max_steps, watch=watcher.see)
    for place, episode in tqdm(episodes, "events", len(tasks), unit="episode"):
        drives[place] = watcher.drive_of(episode)
    return [drives[place] for place in range(len(tasks))]


# What M says ------------------------------------------------------------------------------------


def weights_of(rnn: MDNRNN, h: np.ndarray) -> np.ndarray:
    """The mixture's weights in the prediction from h (T, H): (T, Z, K)."""
    return rnn.predict_z(h).mixture_distribution.probs_parameter().numpy()


def choose_stretch(happening: list[np.ndarray]) -> tuple[int, int]:
    """Which episode, and from which step: most kinds of events, then the first such.

    What the road does counts while the car is on it. happening: (T, E) of each episode. Starts are
    multiples of EVERY behind the opening zoom.
    """
    kinds, off = {}, list(EVENTS).index("grass")
    for number, events in enumerate(happening):
        events = np.hstack([events[:, :off] & ~events[:, [off]], events[:, off:]])
        last = max(len(events) - STEPS, 0) // EVERY * EVERY
        for start in range(min(-(-ZOOM // EVERY) * EVERY, last), last + 1, EVERY):
            kinds[number, start] = events[start : start + STEPS].any(axis=0).sum()
    return max(kinds, key=kinds.get)


def forced_dreams(rnn: MDNRNN, decoder: keras.Model, each: Drive, start: int) -> np.ndarray:
    """Dreams from x_start on, under the actions that were taken: the mixture, then each component.

    All draw the same random numbers. Every tenth frame, as of the drive: (1 + K, N, 64, 64, 3).
    """
    h, c = (each.h[start - 1], each.c[start - 1]) if start else (0, 0)  # at x_start
    strips = []
    for component in (None, *range(rnn.config.mixtures)):
        dreams = Dreams(rnn, each.z, np.zeros_like(each.z), component=component)
        dreams.begin(0, np.random.default_rng([each.seed, 16]))
        dreams.z[0], dreams.h[0], dreams.c[0] = each.z[start], h, c
        z = walk(dreams, each.action[start : start + STEPS])
        strips.append(decode(decoder, z[::EVERY]))
    return np.stack(strips)


def save_arrays(rnn: MDNRNN, decoder: keras.Model, drives: list[Drive], folder: Path) -> list[dict]:
    """Write events.npz, and return the rows of tests.csv.

    The dimension of z that is tested, and shown, is the one whose weights move most: a component's
    number means the same only within a dimension, and the events have no part in this choice.
    """
    mixtures = [weights_of(rnn, each.h) for each in drives]
    moved = np.mean([component_tests.switching(weights) for weights in mixtures], axis=0)  # (Z,)
    dimension = int(moved.argmax())
    number, start = choose_stretch([each.happening for each in drives])
    chosen, stretch = drives[number], slice(start, start + STEPS)
    parts = [
        component_tests.shares(weights[:, dimension], each.happening)
        for weights, each in zip(mixtures, drives, strict=True)
    ]
    during, otherwise = (np.stack(part) for part in zip(*parts, strict=True))  # (N, E, K)
    forced = forced_dreams(rnn, decoder, chosen, start)
    with files.replacing(folder / "events.npz") as temporary:
        np.savez_compressed(
            temporary,
            names=np.array(list(EVENTS)),
            meanings=np.array(list(EVENTS.values())),
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
    return component_tests.compare(list(EVENTS), during, otherwise)


def main(config: Config) -> None:
    begun, run = time.monotonic(), folders.run_folder(config.run)
    folder = folders.stage_folder(config, "events")
    records.check_inputs(config, "events")
    folder.mkdir(exist_ok=True)
    with folders.lock(folder):  # cheap: it is made anew for another agent, whatever is there
        seeds.seed_everything(config.seed)
        weights, parameters = load_agent(run)
        drives = drive_all(config, weights, parameters)
        tests = save_arrays(load_rnn(run), load_decoder(run), drives, folder)
        write_table(folder / "tests.csv", tests)
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
    script.run_script(lambda: main(parse_cli(doc=__doc__)))
