"""Stage 1: rollouts to learn from (World Models, 3.2), whole episodes, whatever happens in them.

    mpirun -n 3 python replication/extract.py quick
    mpirun -n 3 python replication/extract.py quick --run second --extract.policy agent
        --extract.agent checkpoints/quick

Writes data/SET/record/SEED.npz: obs uint8 (T, 64, 64, 3), action float32 (T, 3), reward float32
(T,), terminated bool (T,); reward[t] is what action[t] earned. Episodes that are there stay.
"""

import io
import math
import time
from pathlib import Path

from replication.config import ACTIONS, Z_SIZE, Config, Env, Extract, UserError, parse_cli
from replication.controller.actions import HIGH, LOW, squash
from replication.dataset.episodes import list_episodes
from replication.parallel import mpi
from replication.rollouts.loop import Episode, Task, drive, make_env
from replication.runs import files, folders, records
from replication.search.history import fingerprint

import numpy as np
from tqdm import tqdm

FPS = 50  # of CarRacing
WORKER: dict = {}  # what a worker process holds: its environments and its policy


class OriginalPolicy:
    """What the original's random networks amount to: a random C on a random z, h = 0.

    All weights of its V, M and C are Cauchy with a scale drawn from 0..0.01 for each episode, and
    z has the standard normal's spread (original extract.py and model.py). C as a NumPy product:
    this stage needs no TensorFlow.
    """

    def begin(self, slot: int, task: Task) -> None:
        self.random = np.random.default_rng([task.seed, 2])
        scale = self.random.uniform(0, 0.01)
        self.bias = self.random.standard_cauchy(ACTIONS) * scale
        self.weight = self.random.standard_cauchy((Z_SIZE, ACTIONS)) * scale

    def act(self, frames: np.ndarray) -> np.ndarray:
        z = self.random.standard_normal(Z_SIZE)
        return np.float32(squash((z @ self.weight + self.bias)[None], np))  # (1, A)


class BrownianPolicy:
    """Actions on a random walk (Tallec et al., 2018): they last, so the car gets about."""

    def begin(self, slot: int, task: Task) -> None:
        self.random = np.random.default_rng([task.seed, 2])
        self.action = self.random.uniform(LOW, HIGH)

    def act(self, frames: np.ndarray) -> np.ndarray:
        action = self.action
        step = self.random.standard_normal(ACTIONS) / math.sqrt(FPS)
        self.action = np.clip(action + step, LOW, HIGH)
        return np.float32([action])  # (1, A)


class AgentPolicy:
    """An agent with other noise on its C in each episode: what it does well, and badly.

    For the second round of the paper's iterative procedure (section 5).
    """

    def __init__(self, weights, parameters: np.ndarray, noise: float):
        from replication.rollouts.agent import Agent  # the other policies need no TensorFlow

        self.agent, self.parameters, self.noise = Agent(weights), parameters, noise

    def begin(self, slot: int, task: Task) -> None:
        random = np.random.default_rng([task.seed, 2])
        spread = random.uniform(0, self.noise)
        noise = random.standard_normal(self.parameters.shape) * spread
        self.agent.begin(slot, Task(task.seed, np.float32(self.parameters + noise)))

    def act(self, frames: np.ndarray) -> np.ndarray:
        return self.agent.act(frames)


RANDOM = {"original": OriginalPolicy, "brownian": BrownianPolicy}


def read_agent(config: Extract) -> tuple | None:
    """V, M and C of the agent that drives, if one does."""
    if config.policy != "agent":
        return None
    from replication.rollouts.agent import agent_folder, load_agent, one_thread

    folder = agent_folder(config.agent)
    one_thread()
    return load_agent(folder)


def episode_seed(seed: int, index: int) -> int:
    """The seed of a set's index-th episode: below 2**32, so that none is an evaluation's."""
    return (seed * 100_000 + index) % 2**32


def episode_path(folder: Path, seed: int) -> Path:
    return folder / f"{seed:010d}.npz"


def identify(config: Config, driver: str | None) -> str:
    """By what the stages that read a set know its episodes."""
    words = [config.extract.policy, config.seed, config.env.max_steps]
    if config.extract.policy == "agent":
        words += [config.extract.agent, config.extract.noise, driver]
    return " ".join(map(str, words))


def check_driver(config: Config, folder: Path, agent: tuple | None) -> str | None:
    """The fingerprint of the C that drives the set, as driver.json has it or will have it.

    Raises UserError if it is to go on with a C that is not the one which has driven so far.
    """
    path, ours = folder / "driver.json", fingerprint(agent[1]) if agent else None
    if config.overwrite or not path.exists():
        return ours
    before = files.read_json(path, "controller")["controller"]
    if ours not in (None, before):
        raise UserError(
            f"{folders.shown(folder)} was begun by another C of {config.extract.agent}:"
            " another --data, or --overwrite to start anew"
        )
    return before


def start_worker(env: Env, config: Extract, agent: tuple | None) -> None:
    if agent:
        from replication.rollouts.agent import one_thread

        one_thread()
    policy = AgentPolicy(*agent, config.noise) if agent else RANDOM[config.policy]()
    WORKER.update(make_env=lambda: make_env(env), envs=[], policy=policy, max_steps=env.max_steps)


def split_seeds(seeds: list[int], policy: str, workers: int) -> list[list[int]]:
    """The seeds of each job: an agent drives episodes in lockstep, a random policy one by one."""
    if policy != "agent":
        return [[seed] for seed in seeds]
    from replication.rollouts.agent import WIDTH

    size = mpi.job_size(len(seeds), WIDTH, workers)
    return [seeds[i : i + size] for i in range(0, len(seeds), size)]


def record(seeds: list[int]) -> list[bytes]:
    """The files of a job's episodes, compressed here so that the master only has to write them.

    Whole episodes: `terminated` ends nothing (paper).
    """
    envs = WORKER["envs"]
    envs += [WORKER["make_env"]() for _ in range(len(seeds) - len(envs))]
    episodes = drive(
        envs[: len(seeds)], WORKER["policy"], [Task(seed) for seed in seeds], WORKER["max_steps"],
        stop_at_end=False, keep_frames=True,
    )  # fmt: skip
    packed = {place: pack(episode) for place, episode in episodes}
    return [packed[place] for place in range(len(seeds))]


def pack(episode: Episode) -> bytes:
    """An episode as the bytes of its .npz."""
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        obs=np.stack(episode.frames),
        action=np.stack(episode.actions),
        reward=np.float32(episode.rewards),
        terminated=np.bool_(episode.terminated),
    )
    return packed.getvalue()


def job_name(seeds: list[int]) -> str:
    """What the user reads if a job is lost."""
    if len(seeds) == 1:
        return f"episode {seeds[0]:010d}"
    return f"{len(seeds)} episodes from {seeds[0]:010d} to {seeds[-1]:010d}"


def save(path: Path, packed: bytes) -> None:
    with files.replacing(path) as temporary:
        temporary.write_bytes(packed)


def record_all(config: Config, seeds: list[int], agent: tuple | None, folder: Path) -> None:
    make_env(config.env).close()  # the master compiles for all
    jobs = split_seeds(seeds, config.extract.policy, mpi.workers())
    with mpi.pool(start_worker, (config.env, config.extract, agent)) as pool:
        recorded = pool.map(record, jobs, name=job_name)
        with tqdm(total=len(seeds), desc="extract", unit="episode") as bar:
            for job, files in zip(jobs, recorded, strict=True):
                for seed, packed in zip(job, files, strict=True):
                    save(episode_path(folder, seed), packed)
                bar.update(len(job))


def main(config: Config) -> None:
    start = time.monotonic()
    with records.open_stage(config, "extract") as folder:
        seeds = [episode_seed(config.seed, index) for index in range(config.extract.episodes)]
        missing = [
            seed for seed in seeds if config.overwrite or not episode_path(folder, seed).exists()
        ]
        agent = read_agent(config.extract) if missing else None
        driver = check_driver(config, folder, agent)
        records.begin_stage(config, "extract")
        if driver:
            files.write_json(folder / "driver.json", {"controller": driver})
        if missing:
            record_all(config, missing, agent, folder)
        episodes = list_episodes(folder, config.extract.skip_bad)
        frames = sum(episode.length for episode in episodes)
        reached = f"{len(episodes)} episodes, {frames:,} frames"
        records.finish(
            config,
            "extract",
            output=identify(config, driver),
            reached=reached,
            seconds=records.seconds_before(config, "extract") + time.monotonic() - start,
            processes=mpi.workers(),
        )
        print(f"extract: {reached} in {folders.shown(folder)}")


if __name__ == "__main__":
    mpi.run_parallel(lambda: main(parse_cli(doc=__doc__)))
