"""What benchmark.py lets take turns: environments and whole agents, each a function that drives."""

import dataclasses
import importlib.util
from collections.abc import Callable, Sequence
from typing import NamedTuple

from replication.config import Rnn
from replication.rnn.dream import Starts
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts, LinearControllers, WorldModel
from replication.rollouts.dream_controllers import DreamControllers
from replication.rollouts.dream_world import DreamWorld
from replication.rollouts.loop import Trial, drive
from replication.rollouts.real_world import RealWorld
from replication.tasks.car_racing import CAR_RACING_V0, CAR_RACING_V3
from replication.tasks.task import Task
from replication.tf import tf
from replication.vae.vae import build_encoder, sample_z, to_float

import gymnasium
import numpy as np
from PIL import Image

STOCK, FAST = "stock CarRacing-v3", "FastCarRacing, 84 rows"
AGENT, AGENT_V0 = "agent, batch 16", "agent on CarRacing-v0, batch 16"
TASK = CAR_RACING_V3
DREAMT = 16  # frames of a dream in a turn, times those of the others: it is that much faster
Driver = Callable[[int], int]  # drives so many frames, or a few more; returns how many


class Agent(NamedTuple):
    """V, M, C and fast environments in lockstep, as train_controller.py drives them."""

    world: RealWorld
    controllers: LinearControllers
    trials: Sequence[Trial]  # of each slot

    def drive(self, count: int) -> int:
        width = len(self.trials)
        steps = -(-count // width)
        for _ in range(steps):
            actions = self.controllers.act(self.world.see())
            _, ended = self.world.step(range(width), actions)
            for slot in np.flatnonzero(ended):
                self.world.begin(slot, self.trials[slot])
        return steps * width


def random_parts() -> AgentParts:
    """V and M with random weights."""
    encoder, rnn = build_encoder(TASK.z_size), MDNRNN(Rnn(), TASK)
    return AgentParts(TASK, encoder.get_weights(), rnn.get_weights(), Rnn(), "z_h")


def random_controller(parts: AgentParts) -> np.ndarray:
    count = parts.controller.parameter_count
    return np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)


def new_agent(parts: AgentParts, width: int, task: Task = TASK) -> Agent:
    """An agent at the first frame of each of its `width` episodes."""
    envs = [task.make_env() for _ in range(width)]
    world = RealWorld(task, envs, WorldModel(parts, width))
    controllers = LinearControllers(parts.controller, width)
    trials = [Trial(slot, random_controller(parts)) for slot in range(width)]
    for slot, trial in enumerate(trials):
        world.begin(slot, trial)
        controllers.begin(slot, trial)
    return Agent(world, controllers, trials)


def dream_driver(parts: AgentParts, width: int) -> Driver:
    """So many dreams of M together, C in them, as train_controller.py has them."""
    random, size = np.random.default_rng(0), parts.task.z_size
    starts = Starts(random.standard_normal((100, size), np.float32), np.zeros((100, size)))
    world = DreamWorld(parts.build_rnn(), starts, width=width)
    controllers = DreamControllers(parts.controller, width)
    trials = [Trial(seed, random_controller(parts)) for seed in range(width)]

    def drive_dreams(count: int) -> int:
        steps = -(-DREAMT * count // width)
        each = [dataclasses.replace(trial, max_steps=steps) for trial in trials]
        return sum(len(episode.rewards) for _, episode in drive(world, controllers, each))

    return drive_dreams


def random_driver(env: gymnasium.Env) -> Driver:
    """Steps an environment with uniformly random actions, through its ends and resets."""
    random = np.random.default_rng(0)
    env.reset(seed=0)

    def drive(frames: int) -> int:
        for action in random.uniform((-1, 0, 0), 1, (frames, 3)).astype(np.float32):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return frames

    return drive


def envpool_driver() -> Driver:
    """EnvPool's C++ CarRacing-v3, one environment on one thread, with the same random actions."""
    import envpool

    env = envpool.make_gymnasium("CarRacing-v3", num_envs=1, num_threads=1)
    env.reset()
    random = np.random.default_rng(0)

    def drive(frames: int) -> int:
        for action in random.uniform((-1, 0, 0), 1, (frames, 1, 3)).astype(np.float32):
            env.step(action)
        return frames

    return drive


def usual_driver(parts: AgentParts) -> Driver:
    """The same agent as replications usually write it: stock, eager calls, a batch of one."""
    env = gymnasium.make("CarRacing-v3")
    encoder, rnn = parts.build_encoder(), parts.build_rnn()
    flat = random_controller(parts)
    bias, weight = flat[:3], flat[3:].reshape(-1, 3)
    state = {"obs": env.reset(seed=0)[0], "h": tf.zeros((1, 256)), "c": tf.zeros((1, 256))}

    def drive(count: int) -> int:
        for _ in range(count):
            image = Image.fromarray(state["obs"][:84])
            frame = np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR))
            mu, logvar = encoder(to_float(frame[None]))
            z = sample_z(mu, logvar, np.random.standard_normal(mu.shape).astype(np.float32))
            u = np.tanh(np.concatenate([z[0], state["h"][0]]) @ weight + bias)
            action = np.float32([u[0], (u[1] + 1) / 2, np.clip(u[2], 0, 1)])
            told = tf.concat([z, action[None]], axis=1)
            state["h"], state["c"] = rnn.lstm.cell(told, [state["h"], state["c"]])[1]
            state["obs"], _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                state["obs"] = env.reset()[0]
        return count

    return drive


def contenders() -> dict[str, Driver]:
    parts = random_parts()
    fast, paper = "replication/FastCarRacing-v3", "replication/CarRacing-v0"
    drivers = {
        STOCK: random_driver(gymnasium.make("CarRacing-v3")),
        "FastCarRacing, 96 rows": random_driver(gymnasium.make(fast)),
        FAST: random_driver(gymnasium.make(fast, state_rows=84)),
        "CarRacing-v0, 96 rows": random_driver(gymnasium.make(paper)),
        "CarRacing-v0, 84 rows": random_driver(gymnasium.make(paper, state_rows=84)),
        "agent as usually written": usual_driver(parts),
    }
    for width in (1, 4, 16, 64):
        drivers[f"agent, batch {width}"] = new_agent(parts, width).drive
    for width in (16, 64, 512):
        drivers[f"dream with C, batch {width}"] = dream_driver(parts, width)
    drivers[AGENT_V0] = new_agent(parts, 16, CAR_RACING_V0).drive
    if importlib.util.find_spec("envpool"):
        drivers["EnvPool (other pixels)"] = envpool_driver()
    return drivers
