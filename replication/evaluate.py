"""Stage 6: the score: the mean return over fresh tracks of stock CarRacing-v3 (World Models, 3.3).

    mpirun -n 3 python replication/evaluate.py --agent checkpoints/quick --episodes 100 --seed 0

Writes AGENT/evaluation/TRACKS_tracks_seed_SEED.json. Tracks have seeds from 2**32 on; training
uses none of these. Equal commands print equal numbers, whatever the number of processes.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from replication.config import Config, Env, Evaluate, UserError, Vision, parse_dataclass
from replication.envs.display import need_display
from replication.parallel import mpi
from replication.report import video
from replication.rollouts import workers
from replication.rollouts.agent import (
    Agent,
    Weights,
    agent_folder,
    is_of_run,
    load_agent,
    one_thread,
    run_in,
)
from replication.rollouts.loop import Task, drive
from replication.runs import files, folders, records
from replication.runs.versions import versions
from replication.search.history import fingerprint

import gymnasium
import numpy as np

STOCK = Env(stock=True)
FIRST = 2**32  # the first seed of an evaluation: training's are below
APART = 2**20  # between the first tracks of two --seed's


@dataclass(frozen=True)
class Options:
    """Drive an agent on fresh tracks."""

    agent: str = "checkpoints/quick"  # Folder of a run, or of a published agent.
    vision: Vision | None = None  # What its V was trained as. (default: what the folder holds)
    episodes: int = 100  # Tracks. [paper, 3.3]
    seed: int = 0  # Which tracks: from 2**32 + seed * 2**20 on.
    video: str = ""  # Write the first track as .mp4 or .gif: environment | reconstruction | dream.
    render: bool = False  # Drive in a window, one track after the other; needs a display.


def parse_options(argv: list[str]) -> Options:
    options = parse_dataclass(Options, Options(), argv, __doc__)
    if not 0 < options.episodes <= APART or not 0 <= options.seed < 2**20:
        raise UserError("--episodes must lie in 1..2**20 and --seed in 0..2**20-1")
    if options.video:
        video.check_path(Path(options.video))
    return options


def tracks(options: Options, parameters: np.ndarray) -> list[Task]:
    first = FIRST + options.seed * APART
    return [Task(first + i, parameters) for i in range(options.episodes)]


def summary(results: np.ndarray, tasks: list[Task]) -> dict:
    """Mean, spread and every single return of (returns, frames) (N, 2)."""
    returns = results[:, 0]
    return {
        "mean": returns.mean(),
        "std": returns.std(),
        "min": returns.min(),
        "max": returns.max(),
        "episodes": len(returns),
        "returns": [
            {"seed": task.seed, "return": value, "frames": int(frames)}
            for task, (value, frames) in zip(tasks, results.tolist(), strict=True)
        ],
    }


def last_line(score: dict) -> str:
    return (
        f"return {score['mean']:.1f} ± {score['std']:.1f} (min {score['min']:.1f},"
        f" max {score['max']:.1f}) over {score['episodes']} tracks,"
        f" seeds {score['returns'][0]['seed']}.."
    )


def save_score(
    folder: Path, options: Options, parameters: np.ndarray, score: dict, seconds: float
) -> None:
    """The JSON of the evaluation; and, in a run of this repository, the stage's done.json.

    A run's done.json stays where it is of these tracks and more, and where C has been trained on
    meanwhile.
    """
    path = folder / "evaluation" / f"{options.episodes}_tracks_seed_{options.seed}.json"
    facts = {"controller": fingerprint(parameters), "seed": options.seed}
    facts |= {"seconds": seconds, "processes": mpi.workers()}
    files.write_json(path, facts | score | {"versions": versions()})
    print(f"every return: {folders.shown(path)}")
    if run := run_in(folder):
        config = Config(run=run, evaluate=Evaluate(options.episodes, options.seed))
        if not is_of_run(config, parameters) or records.done(config, "evaluate"):
            return
        output = files.fingerprint([np.array([r["return"] for r in score["returns"]])])
        records.finish(
            config, "evaluate", output, last_line(score), seconds, processes=mpi.workers()
        )


def write_video(folder: Path, weights: Weights, task: Task, path: Path) -> None:
    from replication import drive_video  # workers do without all that it imports

    episode = drive_video.write_video(folder, weights, task.parameters, task.seed, path)
    print(f"video of seed {task.seed} (return {episode.total:.1f}): {path}")


def drive_in_window(weights: Weights, tasks: list[Task]) -> np.ndarray:
    """The same episodes, one after the other, where they can be watched."""
    env = gymnasium.make("CarRacing-v3", render_mode="human")
    results = []
    for _, episode in drive([env], Agent(weights), tasks, STOCK.max_steps):
        results.append((episode.total, len(episode.rewards)))
        print(f"seed {episode.seed}: return {episode.total:.1f}")
    return np.array(results)


def main(options: Options) -> None:
    if options.render:
        need_display("--render", "--video PATH.mp4 needs none")
    one_thread()
    start = time.monotonic()
    folder = agent_folder(options.agent)
    weights, parameters = load_agent(folder, options.vision)
    (folder / "evaluation").mkdir(exist_ok=True)
    # Only its own folder: an agent can be evaluated while its training goes on.
    with folders.lock(folder / "evaluation"):
        tasks = tracks(options, parameters)
        if options.render:
            results = drive_in_window(weights, tasks)
        else:
            with mpi.pool(workers.start_worker, (weights, STOCK)) as pool:
                results = workers.drive_all(pool, "evaluation", tasks)
        score = summary(results, tasks)
        save_score(folder, options, parameters, score, round(time.monotonic() - start, 1))
        if options.video:
            write_video(folder, weights, tasks[0], Path(options.video))
    print(last_line(score))


if __name__ == "__main__":
    mpi.run_parallel(lambda: main(parse_options(sys.argv[1:])))
