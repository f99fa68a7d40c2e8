"""What a linear policy could read from V and M: where the road leads, and how fast the car is.

    python replication/probe.py quick --run mine
    python replication/probe.py quick --extract.policy agent --extract.agent checkpoints/quick

A driver that is told the simulator's state drives 20 tracks, now fast, now slow, and with a hand
that trembles; or an agent drives 100, with noise on its C as in extract.py: speeds and places that
an M knows which was trained on such drives. V and M of the run watch; a ridge regression from what
they make of each frame to each of FACTS is fitted on four fifths of the tracks and scored on the
others, five times over.
Prints R^2: 1 where a linear C could know the fact, 0 where it knows no more than its mean.
"""

from dataclasses import dataclass

from replication.config import Config
from replication.dataset.series import encode
from replication.rnn.memory import memories
from replication.rnn.rnn import told_logvar
from replication.rollouts.agent import LinearControllers, WorldModel
from replication.rollouts.agent_files import load_driver, load_encoder, load_rnn, named_agent
from replication.rollouts.loop import Acting, Episode, Seen, Trial, drive
from replication.rollouts.policies import NoisyAgent
from replication.rollouts.real_world import RealWorld
from replication.runs import folders, records
from replication.runs.script import parse_run_cli, run_script
from replication.runs.seeds import Purpose, derive_seed, generator
from replication.search.warm_start import linear_fit
from replication.tasks.car_facts import FACTS, PROBED_TILES, facts_now, read_track
from replication.tasks.games import task_of
from replication.tf import tf
from replication.vae.vae import sample_z, to_float

import gymnasium
import numpy as np
from tqdm import tqdm

TRACKS, AGENTS_TRACKS, FOLDS = 20, 100, 5  # noise makes an agent's drives differ: so more of them
STEPS = 400  # driven on each track
ZOOM = 50  # steps: the camera comes down in the first second, and they are left out
ROAD, ASTRAY = 8.0, 1.2  # m off the middle, rad off its direction: farther is left out
HELD = 60  # steps: for so long the driver keeps to a speed
RIDGE = 10.0  # times the squared weights, beside the sum of squared errors


@dataclass(frozen=True)
class ProbedEpisode:
    """What a drive showed, and the facts."""

    frames: np.ndarray  # uint8 (T, 64, 64, 3), from x_0 on
    action: np.ndarray  # float32 (T, A)
    facts: np.ndarray  # float64 (T, F)
    used: np.ndarray  # bool (T,): behind the zoom, on the road and facing along it


class Driver:
    """Acts by the facts, which it is told, and steers at the middle of the three tiles."""

    def __init__(self, env: gymnasium.Env):
        self.world = env.unwrapped

    def begin(self, slot: int, trial: Trial) -> None:
        self.random = generator(trial.seed, Purpose.PROBE_DRIVER)
        self.road = read_track(self.world).place
        self.steps, self.tremble = 0, 0.0

    def act(self, seen: Seen | None) -> np.ndarray:
        """Actions float32 (1, 3); nothing is seen."""
        if self.steps % HELD == 0:
            self.wanted = self.random.uniform(15, 50)  # m/s
        self.steps += 1
        facts = facts_now(self.world, self.road)
        self.tremble = 0.95 * self.tremble + 0.1 * self.random.standard_normal()
        steer = np.clip(self.tremble - 1.5 * facts[1 + PROBED_TILES.index(9)], -1, 1)
        missing = self.wanted - facts[-1]
        gas, brake = np.clip(missing / 10, 0, 1), np.clip(-missing / 50, 0, 1)
        return np.array([[steer, gas, brake]], np.float32)


def drive_track(world: RealWorld, driver: Acting, seed: int) -> ProbedEpisode:
    """Drive one track, as many steps as the world has at most."""
    env = world.envs[0].unwrapped
    frames: list[np.ndarray] = []
    facts: list[np.ndarray] = []
    road = np.zeros((0, 2))

    def keep(slot: int, episode: Episode, seen: Seen | None, action: np.ndarray) -> None:
        nonlocal road
        if not frames:
            road = read_track(env).place
        frames.append(world.frames[slot].copy())
        facts.append(facts_now(env, road))

    ((_, episode),) = drive(world, driver, [Trial(seed)], watch=keep)
    known = np.stack(facts)
    used = (np.abs(known[:, 0]) < ROAD) & (np.abs(known[:, 1]) < ASTRAY)
    used[:ZOOM] = False
    return ProbedEpisode(np.stack(frames), np.stack(episode.actions), known, used)


def make_driver(config: Config, env: gymnasium.Env) -> tuple[RealWorld, Acting]:
    """Who drives, and the world that shows it what it sees."""
    task = task_of(config.task)
    if config.extract.policy != "agent":
        world = RealWorld(task, [env], max_steps=STEPS, frames=config.frames)
        return world, Driver(env)
    parts, parameters = load_driver(named_agent(config, config.extract.agent), config)
    world = RealWorld(task, [env], WorldModel(parts, 1), STEPS, config.frames)
    controllers = LinearControllers(parts.controller, 1)
    return world, NoisyAgent(controllers, parameters, config.extract.noise)


def features(encoder, rnn, drives: list[ProbedEpisode]) -> dict[str, list[np.ndarray]]:
    """What V and M make of each drive, by name: (T, ...) each; z is as M is told it."""
    random, see = (
        np.random.default_rng(Purpose.PROBE_NOISE),
        tf.function(lambda obs: encoder(to_float(obs))),
    )
    by_name: dict[str, list[np.ndarray]] = {"mu": [], "z": [], "h": [], "z, h": [], "z, c, h": []}
    for episode in drives:
        mu, logvar = (part.astype(np.float32) for part in encode(see, episode.frames))
        logvar = np.broadcast_to(np.float32(told_logvar(logvar, rnn.config)), mu.shape)
        z = sample_z(mu, logvar, random.standard_normal(mu.shape, np.float32)).numpy()
        h, c = memories(rnn, z, episode.action)  # h_0 .. h_{T-1}, c likewise
        known = mu, z, h, np.hstack([z, h]), np.hstack([z, c, h])
        for name, values in zip(by_name, known, strict=True):
            by_name[name].append(values.astype(np.float64))
    return by_name


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
    records.check_stage(config, "probe")
    run = folders.run_folder(config.run)
    rnn, encoder = load_rnn(run), load_encoder(run)
    world, driver = make_driver(config, task_of(config.task).make_env(config.env.stock))
    # The tracks are the same for every run.
    count = TRACKS if isinstance(driver, Driver) else AGENTS_TRACKS
    tracks = [derive_seed(0, Purpose.PROBE_TRACK, track) for track in range(count)]
    drives = [drive_track(world, driver, seed) for seed in tqdm(tracks, "probe", unit="track")]
    facts = [episode.facts[episode.used] for episode in drives]
    print(f"R^2 over {sum(map(len, facts)):,} frames")
    print(" " * 7, *(f"{fact:>10}" for fact in FACTS))
    for name, values in features(encoder, rnn, drives).items():
        used = [value[episode.used] for value, episode in zip(values, drives, strict=True)]
        print(f"{name:<7}", *(f"{r2:>10.2f}" for r2 in ridge_r2(used, facts)))


if __name__ == "__main__":
    run_script(lambda: main(parse_run_cli(doc=__doc__)))
