"""What a linear policy could read from V and M: where the road leads, and how fast the car is.

    python replication/probe.py quick --run mine

A driver that is told the simulator's state drives 20 tracks, now fast, now slow, and with a hand
that trembles. V and M of the run watch; a ridge regression from what they make of each frame to
each of FACTS is fitted on 16 of the tracks and scored on the other four, five times over.
Prints R^2: 1 where a linear C could know the fact, 0 where it knows no more than its mean.
"""

from dataclasses import dataclass

from replication.config import Config, parse_cli
from replication.events import read_track
from replication.rollouts.agent import load_encoder, load_rnn
from replication.rollouts.loop import Task, drive, make_env
from replication.runs import folders, script, seeds
from replication.search.recorded_inputs import memories
from replication.search.warm_start import linear_fit
from replication.series import encode
from replication.tf import tf
from replication.vae.vae import sample_z, to_float

import gymnasium
import numpy as np
from tqdm import tqdm

TRACKS, FOLDS = 20, 5
STEPS = 400  # driven on each track
ZOOM = 50  # steps: the camera comes down in the first second, and they are left out
AHEAD = (4, 9, 14)  # tiles, of 3.5 m
FACTS = ("offset", *(f"road {tiles} on" for tiles in AHEAD), "speed")
ROAD, ASTRAY = 8.0, 1.2  # m off the middle, rad off its direction: farther is left out
HELD = 60  # steps: for so long the driver keeps to a speed
RIDGE = 10.0  # times the squared weights, beside the sum of squared errors


@dataclass(frozen=True)
class Drive:
    """A track, driven, without its opening zoom."""

    frames: np.ndarray  # uint8 (T, 64, 64, 3), from x_0 on
    action: np.ndarray  # float32 (T, A)
    facts: np.ndarray  # float64 (T, F)
    used: np.ndarray  # bool (T,): behind the zoom, on the road and facing along it


def facts_now(env: gymnasium.Env, road: np.ndarray) -> np.ndarray:
    """FACTS: metres left of the road's middle; angles to its tiles, radians, left is more; m/s.

    road: the places of its tiles, metres (N, 2).
    """
    hull = env.car.hull
    here = np.argmin(((road - tuple(hull.position)) ** 2).sum(axis=1))
    along = road[(here + 1) % len(road)] - road[here]
    beside = np.subtract(hull.position, road[here])
    offset = (along[0] * beside[1] - along[1] * beside[0]) / np.hypot(*along)
    to = road[(here + np.array(AHEAD)) % len(road)] - hull.position
    angles = np.arctan2(to[:, 1], to[:, 0]) - (hull.angle + np.pi / 2)
    angles = (angles + np.pi) % (2 * np.pi) - np.pi
    return np.array([offset, *angles, hull.linearVelocity.length])


class Driver:
    """A rollouts.Policy that is told the facts, and steers at the middle of the three tiles."""

    def __init__(self, env: gymnasium.Env):
        self.world = env.unwrapped
        self.facts: list[np.ndarray] = []

    def begin(self, slot: int, task: Task) -> None:
        self.random = np.random.default_rng([task.seed, 17])
        self.road = read_track(self.world).place
        self.tremble = 0.0

    def act(self, frames: np.ndarray) -> np.ndarray:
        """frames uint8 (1, 64, 64, 3), not looked at -> actions float32 (1, 3)."""
        if len(self.facts) % HELD == 0:
            self.wanted = self.random.uniform(15, 50)  # m/s
        facts = facts_now(self.world, self.road)
        self.facts.append(facts)
        self.tremble = 0.95 * self.tremble + 0.1 * self.random.standard_normal()
        steer = np.clip(self.tremble - 1.5 * facts[1 + AHEAD.index(9)], -1, 1)
        missing = self.wanted - facts[-1]
        gas, brake = np.clip(missing / 10, 0, 1), np.clip(-missing / 50, 0, 1)
        return np.array([[steer, gas, brake]], np.float32)


def drive_track(env: gymnasium.Env, seed: int) -> Drive:
    driver = Driver(env)
    ((_, episode),) = drive([env], driver, [Task(seed)], STEPS, keep_frames=True)
    facts = np.stack(driver.facts)
    used = (np.abs(facts[:, 0]) < ROAD) & (np.abs(facts[:, 1]) < ASTRAY)
    used[:ZOOM] = False
    return Drive(np.stack(episode.frames), np.stack(episode.actions), facts, used)


def features(encoder, rnn, drives: list[Drive]) -> dict[str, list[np.ndarray]]:
    """What V and M make of each drive, by name: mu, z and h_t, (T, ...) each."""
    random, see = np.random.default_rng(18), tf.function(lambda obs: encoder(to_float(obs)))
    remember = tf.function(lambda z, action: memories(rnn, z, action))
    found: dict[str, list[np.ndarray]] = {"mu": [], "z": [], "h": [], "z, h": []}
    for each in drives:
        mu, logvar = (part.astype(np.float32) for part in encode(see, each.frames))
        z = sample_z(mu, logvar, random.standard_normal(mu.shape, np.float32)).numpy()
        h = remember(z, each.action)[0].numpy()  # h_0 .. h_{T-1}
        for name, values in zip(found, (mu, z, h, np.hstack([z, h])), strict=True):
            found[name].append(values.astype(np.float64))
    return found


def ridge_r2(x: list[np.ndarray], y: list[np.ndarray]) -> np.ndarray:
    """R^2 of each column of y, on tracks that were not fitted on, mean of the folds: (F,)."""
    scores = []
    for fold in range(FOLDS):
        fitted = [i for i in range(len(x)) if i % FOLDS != fold]
        others = [i for i in range(len(x)) if i % FOLDS == fold]
        x_fit, y_fit, x_new, y_new = (
            np.concatenate([values[i] for i in chosen])
            for chosen in (fitted, others)
            for values in (x, y)
        )
        bias, weight = linear_fit(x_fit, y_fit, RIDGE / len(x_fit))
        guess = x_new @ weight + bias
        wrong, spread = ((y_new - other) ** 2 for other in (guess, y_new.mean(axis=0)))
        scores.append(1 - wrong.sum(axis=0) / spread.sum(axis=0))
    return np.mean(scores, axis=0)


def main(config: Config) -> None:
    run = folders.run_folder(config.run)
    rnn, encoder = load_rnn(run), load_encoder(run)
    env = make_env(config.env)
    tracks = [seeds.derive_seed(0, 19, track) for track in range(TRACKS)]  # the same for every run
    drives = [drive_track(env, seed) for seed in tqdm(tracks, "probe", unit="track")]
    facts = [each.facts[each.used] for each in drives]
    print(f"R^2 over {sum(map(len, facts)):,} frames")
    print(" " * 6, *(f"{fact:>10}" for fact in FACTS))
    for name, values in features(encoder, rnn, drives).items():
        used = [value[each.used] for value, each in zip(values, drives, strict=True)]
        print(f"{name:<6}", *(f"{r2:>10.2f}" for r2 in ridge_r2(used, facts)))


if __name__ == "__main__":
    script.run_script(lambda: main(parse_cli(doc=__doc__)))
