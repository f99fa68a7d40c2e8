"""Stage 1: rollouts to learn from (World Models, 3.2), whole episodes, whatever happens in them.

    mpirun -n 3 python replication/extract.py quick
    mpirun -n 3 python replication/extract.py quick --run second --extract.policy agent
        --extract.agent checkpoints/quick

Writes data/SET/record/SEED.npz: obs uint8 (T, 64, 64, 3), action float32 (T, A), reward float32
(T,), terminated bool (T,); reward[t] is what action[t] earned. Episodes that are there stay.
"""

from pathlib import Path

from replication.config import Config, UserError
from replication.dataset.episodes import episode_path, list_episodes, pack_episode
from replication.parallel import mpi
from replication.rollouts.loop import Acting, Episode, Seen, Trial, drive
from replication.rollouts.policies import NoisyAgent, RandomActions
from replication.rollouts.real_world import RealWorld
from replication.runs import files, folders, records
from replication.runs.logs import Log
from replication.runs.script import parse_run_cli
from replication.tasks.games import task_of
from replication.tasks.task import Task

import numpy as np
from tqdm import tqdm

WORKER: dict = {}  # what a worker process holds: its world and its policy


def check_policy(config: Config) -> None:
    """Raise UserError if the run's task has no such policy."""
    known = (*task_of(config.task).random_policies, "agent")
    if config.extract.policy not in known:
        raise UserError(
            f"--extract.policy {config.extract.policy}: {config.task} has {', '.join(known)}"
        )


def read_agent(config: Config) -> tuple | None:
    """V and M, and C's parameters, of the agent that drives, if one does."""
    if config.extract.policy != "agent":
        return None
    from replication.rollouts.agent import one_thread
    from replication.rollouts.agent_files import load_driver, named_agent

    folder = named_agent(config, config.extract.agent)
    one_thread()
    return load_driver(folder, config)


def episode_seed(seed: int, index: int) -> int:
    """The seed of a set's index-th episode: below 2**32, so that none is an evaluation's."""
    return (seed * 100_000 + index) % 2**32


def identify(config: Config, driver: str | None) -> str:
    """By what the stages that read a set know its episodes."""
    words = [config.extract.policy, config.seed, config.env.max_steps]
    words += [] if config.frames == "plain" else [config.frames]
    if config.extract.policy == "agent":
        words += [config.extract.agent, config.extract.noise, driver]
    return " ".join(map(str, words))


def check_driver(config: Config, folder: Path, agent: tuple | None) -> str | None:
    """The fingerprint of the agent that drives the set, as driver.json has it or will have it.

    Raises UserError if it is to go on with an agent that is not the one which has driven so far.
    """
    path, ours = folder / "driver.json", None
    if agent:
        from replication.rollouts.agent_files import agent_fingerprint

        ours = agent_fingerprint(*agent)
    if config.overwrite or not path.exists():
        return ours
    before = files.read_json(path, "agent")["agent"]
    if ours not in (None, before):
        raise UserError(
            f"{folders.shown(folder)} was begun by another agent in {config.extract.agent}:"
            " another --data, or --overwrite to start anew"
        )
    return before


def start_worker(task: Task, config: Config, agent: tuple | None) -> None:
    """An agent drives episodes in lockstep, a random policy one after the other."""
    env, width, model = config.env, 1, None
    if agent:
        from replication.rollouts.agent import WIDTH, LinearControllers, WorldModel, one_thread

        one_thread()
        parts, parameters = agent
        width, model = WIDTH, WorldModel(parts)
        policy: Acting = NoisyAgent(
            LinearControllers(parts.controller), parameters, config.extract.noise
        )
    else:
        policy = RandomActions(task.random_policies[config.extract.policy], task.action_size)
    envs = [task.make_env(env.stock) for _ in range(width)]
    world = RealWorld(task, envs, model, env.max_steps, config.frames)
    WORKER.update(task=task, world=world, policy=policy)


def split_seeds(seeds: list[int], policy: str, workers: int) -> list[list[int]]:
    """The seeds of each job: of as many episodes as are driven in lockstep."""
    if policy != "agent":
        return [[seed] for seed in seeds]
    from replication.rollouts.agent import WIDTH

    size = mpi.job_size(len(seeds), WIDTH, workers)
    return [seeds[i : i + size] for i in range(0, len(seeds), size)]


def record(seeds: list[int]) -> list[bytes]:
    """The files of a job's episodes, compressed here so that the master only has to write them."""
    world: RealWorld = WORKER["world"]
    frames: dict[int, list[np.ndarray]] = {seed: [] for seed in seeds}  # x_0, x_1, ... of each

    def keep_frame(slot: int, episode: Episode, seen: Seen | None, action: np.ndarray) -> None:
        frames[episode.seed].append(world.frames[slot].copy())

    stop_at_end = not WORKER["task"].records_past_the_end
    trials = [Trial(seed) for seed in seeds]
    packed = {}
    for place, episode in drive(world, WORKER["policy"], trials, stop_at_end, keep_frame):
        obs = frames.pop(episode.seed)
        packed[place] = pack_episode(obs, episode.actions, episode.rewards, episode.terminated)
    return [packed[place] for place in range(len(seeds))]


def job_name(seeds: list[int]) -> str:
    """What the user reads if a job is lost."""
    if len(seeds) == 1:
        return f"episode {seeds[0]:010d}"
    return f"{len(seeds)} episodes from {seeds[0]:010d} to {seeds[-1]:010d}"


def save(path: Path, packed: bytes) -> None:
    with files.replacing(path) as temporary:
        temporary.write_bytes(packed)


def standing(config: Config, folder: Path) -> int:
    """How many recorded episodes stay."""
    return 0 if config.overwrite else len(list(folder.glob("[!.]*.npz")))


def open_log(config: Config, folder: Path) -> Log:
    """The time that it took to record what stays."""
    path = folder / "log.jsonl"
    older = 0.0 if path.exists() else records.seconds_before(config, "extract")  # kept no log
    return Log(path, standing(config, folder), older)


def record_all(
    config: Config, seeds: list[int], agent: tuple | None, folder: Path, log: Log
) -> None:
    task = task_of(config.task)
    task.make_env(config.env.stock).close()  # the master compiles for all
    jobs = split_seeds(seeds, config.extract.policy, mpi.workers())
    done = standing(config, folder)
    with mpi.pool(start_worker, (task, config, agent)) as pool:
        recorded = pool.map(record, jobs, name=job_name)
        with tqdm(total=len(seeds), desc="extract", unit="episode") as bar:
            for job, episodes in zip(jobs, recorded, strict=True):
                for seed, packed in zip(job, episodes, strict=True):
                    save(episode_path(folder, seed), packed)
                bar.update(len(job))
                done += len(job)
                log.write(done, processes=mpi.workers())


def main(config: Config) -> None:
    with records.open_stage(config, "extract") as folder:
        check_policy(config)
        if records.own_rollouts(config):
            raise UserError(
                f"{folders.shown(folder)} holds episodes that extract.py has not recorded:"
                " another --data"
            )
        seeds = [episode_seed(config.seed, index) for index in range(config.extract.episodes)]
        missing = [
            seed for seed in seeds if config.overwrite or not episode_path(folder, seed).exists()
        ]
        agent = read_agent(config) if missing else None
        driver = check_driver(config, folder, agent)
        records.begin_stage(config, "extract")
        if driver:
            files.write_json(folder / "driver.json", {"agent": driver})
        log = open_log(config, folder)
        if missing:
            record_all(config, missing, agent, folder, log)
        episodes = list_episodes(config)
        frames = sum(episode.length for episode in episodes)
        reached = f"{len(episodes)} episodes, {frames:,} frames"
        records.finish(
            config,
            "extract",
            output=identify(config, driver),
            reached=reached,
            seconds=log.seconds,
            processes=mpi.workers(),
        )
        print(f"extract: {reached} in {folders.shown(folder)}")


if __name__ == "__main__":
    mpi.run_parallel(lambda: main(parse_run_cli(doc=__doc__)))
