"""Frames per second of environments and whole agents, side by side in one process on one core.

    python replication/benchmark.py [--json PATH] [--rounds 5]

Everything takes turns, a block of frames each, so that a noisy machine slows all alike; a ratio is
taken within a round, and its median and range over the rounds are shown. Then what the training
steps of V and M process in a second.
"""

import importlib.util
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from replication.command_line import parse_dataclass
from replication.config import PRESETS, Rnn, UserError, Vae
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts, LinearControllers, WorldModel, one_thread
from replication.rollouts.loop import Trial
from replication.rollouts.real_world import RealWorld
from replication.runs import files, records
from replication.runs.script import run_script
from replication.runs.versions import versions
from replication.tasks.car_racing import CAR_RACING_V0, CAR_RACING_V3
from replication.tasks.task import Task
from replication.tf import keras, tf
from replication.vae.vae import VAE, build_encoder, sample_z, to_float

import gymnasium
import numpy as np
from PIL import Image

STOCK = "stock CarRacing-v3"
TASK = CAR_RACING_V3
WORKER: dict = {}  # of a process of measure_scaling: its agent's driver


@dataclass(frozen=True)
class Options:
    """Measure this machine."""

    json: str = ""  # Write the figures to this file too.
    rounds: int = 5  # Times that each contender has its turn.
    frames: int = 96  # Frames of a turn.
    training: bool = True  # Measure the training steps of V and M as well.
    scaling: bool = True  # Measure two processes against one as well.


def random_driver(env: gymnasium.Env) -> Callable[[int], int]:
    """Steps an environment with uniformly random actions, through its ends and resets."""
    random = np.random.default_rng(0)
    env.reset(seed=0)

    def run(frames: int) -> int:
        for action in random.uniform((-1, 0, 0), 1, (frames, 3)).astype(np.float32):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return frames

    return run


def envpool_driver() -> Callable[[int], int]:
    """EnvPool's C++ CarRacing-v3, one environment on one thread, with the same random actions."""
    import envpool

    env = envpool.make_gymnasium("CarRacing-v3", num_envs=1, num_threads=1)
    env.reset()
    random = np.random.default_rng(0)

    def run(frames: int) -> int:
        for action in random.uniform((-1, 0, 0), 1, (frames, 1, 3)).astype(np.float32):
            env.step(action)
        return frames

    return run


def random_parts() -> AgentParts:
    """V and M with random weights."""
    encoder, rnn = build_encoder(TASK.z_size), MDNRNN(Rnn(), TASK)
    return AgentParts(TASK, encoder.get_weights(), rnn.get_weights(), Rnn(), "z_h")


def random_controller(parts: AgentParts) -> np.ndarray:
    count = parts.controller.parameter_count
    return np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)


def agent_driver(parts: AgentParts, width: int, task: Task = TASK) -> Callable[[int], int]:
    """V, M, C and `width` fast environments in lockstep, as train_controller.py drives them."""
    envs = [task.make_env() for _ in range(width)]
    world = RealWorld(task, envs, WorldModel(parts, width))
    controllers = LinearControllers(parts.controller, width)
    trials = [Trial(slot, random_controller(parts)) for slot in range(width)]
    slots = range(width)
    for slot in slots:
        world.begin(slot, trials[slot])
        controllers.begin(slot, trials[slot])

    def run(count: int) -> int:
        steps = -(-count // width)
        for _ in range(steps):
            _, ended = world.step(slots, controllers.act(world.see()))
            for slot in np.flatnonzero(ended):
                world.begin(slot, trials[slot])
        return steps * width

    return run


def usual_driver(parts: AgentParts) -> Callable[[int], int]:
    """The same agent as replications usually write it: stock, eager calls, a batch of one."""
    env = gymnasium.make("CarRacing-v3")
    encoder, rnn = parts.build_encoder(), parts.build_rnn()
    flat = random_controller(parts)
    bias, weight = flat[:3], flat[3:].reshape(-1, 3)
    state = {"obs": env.reset(seed=0)[0], "h": tf.zeros((1, 256)), "c": tf.zeros((1, 256))}

    def run(count: int) -> int:
        for _ in range(count):
            image = Image.fromarray(state["obs"][:84])
            frame = np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR))
            mu, logvar = encoder(to_float(frame[None]))
            z = sample_z(mu, logvar, np.random.standard_normal(mu.shape).astype(np.float32))
            u = np.tanh(np.concatenate([z[0], state["h"][0]]) @ weight + bias)
            action = np.float32([u[0], (u[1] + 1) / 2, np.clip(u[2], 0, 1)])
            state["h"], state["c"] = rnn.step(z, action[None], state["h"], state["c"])
            state["obs"], _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                state["obs"] = env.reset()[0]
        return count

    return run


def contenders() -> dict[str, Callable[[int], int]]:
    parts = random_parts()
    fast, paper = "replication/FastCarRacing-v3", "replication/CarRacing-v0"
    drivers = {
        STOCK: random_driver(gymnasium.make("CarRacing-v3")),
        "FastCarRacing, 96 rows": random_driver(gymnasium.make(fast)),
        "FastCarRacing, 84 rows": random_driver(gymnasium.make(fast, state_rows=84)),
        "CarRacing-v0, 96 rows": random_driver(gymnasium.make(paper)),
        "CarRacing-v0, 84 rows": random_driver(gymnasium.make(paper, state_rows=84)),
        "agent as usually written": usual_driver(parts),
    }
    for width in (1, 4, 16, 64):
        drivers[f"agent, batch {width}"] = agent_driver(parts, width)
    drivers["agent on CarRacing-v0, batch 16"] = agent_driver(parts, 16, CAR_RACING_V0)
    if importlib.util.find_spec("envpool"):
        drivers["EnvPool (other pixels)"] = envpool_driver()
    return drivers


def measure(drivers: dict[str, Callable[[int], int]], frames: int, rounds: int) -> dict:
    """Seconds a frame of each driver in each round: name -> (rounds,)."""
    times = {name: np.zeros(rounds) for name in drivers}
    for turn in range(-1, rounds):  # the first one compiles, and is not counted
        for name, run in drivers.items():
            start = time.perf_counter()
            count = run(frames)
            if turn >= 0:
                times[name][turn] = (time.perf_counter() - start) / count
    return times


def rows_of(times: dict[str, np.ndarray]) -> list[dict]:
    """Frames a second and the ratio to stock within the round: median, least, most."""
    rows = []
    for name, seconds in times.items():
        ratio = times[STOCK] / seconds
        rows.append(
            {
                "name": name,
                "frames_per_second": float(1 / np.median(seconds)),
                "ratio": float(np.median(ratio)),
                "ratio_min": float(ratio.min()),
                "ratio_max": float(ratio.max()),
            }
        )
    return rows


def measure_training(rounds: int = 3) -> list[dict]:
    """What a training step of V and of M processes in a second, on one thread."""
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (100, 64, 64, 3), np.uint8)
    vae = VAE(Vae(), TASK.z_size)
    vae.compile(optimizer=keras.optimizers.Adam(1e-4))
    noise = random.standard_normal((100, 32), np.float32)
    batch, steps = 16, 249
    rnn = MDNRNN(Rnn(), TASK)
    rnn.compile(optimizer=keras.optimizers.Adam(1e-3, clipvalue=1.0))
    sequences = {
        "z": random.standard_normal((batch, steps + 1, 32), np.float32),
        "action": random.standard_normal((batch, steps + 1, 3), np.float32),
        "weight": np.ones((batch, steps), np.float32),
    }
    v = _rate(vae, (frames, noise), 100, rounds)
    m = _rate(rnn, sequences, batch * steps, rounds)
    return [
        {"name": "V, training", "images_per_second": v},
        {"name": "M, training", "tokens_per_second": m},
    ]


def _rate(model: keras.Model, batch, items: int, rounds: int) -> float:
    data = tf.data.Dataset.from_tensors(batch).repeat()
    model.fit(data, steps_per_epoch=1, verbose=0, shuffle=False)
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        model.fit(data, steps_per_epoch=1, verbose=0, shuffle=False)
        seconds.append(time.perf_counter() - start)
    return items / float(np.median(seconds))


def _start_agent(width: int) -> None:
    one_thread()
    WORKER["run"] = agent_driver(random_parts(), width)
    WORKER["run"](width)


def _run_agent(frames: int) -> int:
    return WORKER["run"](frames)


def measure_scaling(frames: int, rounds: int, width: int = 16) -> dict:
    """Frames a second of two agents in two processes at once, against one of them alone."""
    spawn = multiprocessing.get_context("spawn")
    ratios = []
    with ProcessPoolExecutor(2, spawn, _start_agent, (width,)) as pool:
        list(pool.map(_run_agent, [frames] * 8))  # both have started, and are warm
        for _ in range(rounds):
            start = time.perf_counter()
            pool.submit(_run_agent, frames).result()
            alone = time.perf_counter() - start
            start = time.perf_counter()
            list(pool.map(_run_agent, [frames] * 2))
            ratios.append(2 * alone / (time.perf_counter() - start))
    return {
        "name": f"2 processes against 1, batch {width}",
        "ratio": float(np.median(ratios)),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def print_rows(rows: list[dict]) -> None:
    print(f"\n{'one core':<32}{'frames/s':>9}{'x stock':>9}  range")
    for row in rows:
        spread = f"{row['ratio_min']:.1f}..{row['ratio_max']:.1f}"
        print(f"{row['name']:<32}{row['frames_per_second']:>9.0f}{row['ratio']:>9.1f}  {spread}")


def paper_line(rows: list[dict]) -> str:
    """What the paper's schedule would take here at the agent's speed."""
    paper, cores = PRESETS["paper"].controller, records.cores()
    frames = paper.population * paper.episodes * paper.generations * 1000
    speed = next(row["frames_per_second"] for row in rows if row["name"] == "agent, batch 16")
    hours = frames / speed / 3600
    return (
        f"the paper's schedule ({paper.population} x {paper.episodes} x {paper.generations}"
        f" episodes of 1000 frames): {hours:,.0f} core-hours, {hours / cores / 24:.1f} days on"
        f" the {cores} cores here; evaluations not counted"
    )


def main(options: Options) -> None:
    if options.rounds < 1 or options.frames < 64:
        raise UserError("--rounds must be at least 1 and --frames at least 64")
    if options.json and not Path(options.json).resolve().parent.is_dir():
        raise UserError(f"--json {options.json}: no such folder")
    cores = os.sched_getaffinity(0)
    one_thread()
    os.sched_setaffinity(0, {min(cores)})
    rows = rows_of(measure(contenders(), options.frames, options.rounds))
    os.sched_setaffinity(0, cores)
    print_rows(rows)
    print(paper_line(rows))
    training = measure_training() if options.training else []
    for row in training:
        (unit, value) = list(row.items())[1]
        print(f"{row['name']}: {value:,.0f} {unit.replace('_', ' ')}")
    scaling = measure_scaling(10 * options.frames, options.rounds) if options.scaling else None
    if scaling:
        spread = f"{scaling['ratio_min']:.2f}..{scaling['ratio_max']:.2f}"
        print(f"{scaling['name']}: {scaling['ratio']:.2f} times the frames ({spread})")
    if options.json:
        facts = {
            "rows": rows,
            "training": training,
            "scaling": scaling,
            "versions": versions(),
        }
        files.write_json(Path(options.json), facts)


if __name__ == "__main__":
    run_script(lambda: main(parse_dataclass(Options, Options(), sys.argv[1:], __doc__)))
