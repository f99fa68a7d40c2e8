"""Stage 6: the score: the mean return over fresh tracks of the stock game (World Models, 3.3).

    mpirun -n 3 python replication/evaluate.py quick --run mine --episodes 100 --seed 0
    mpirun -n 3 python replication/evaluate.py --agent checkpoints/pretrained

Writes TRACKS_tracks_seed_SEED.json into the agent's evaluation/. Tracks have seeds from 2**32 on;
training uses none of these. Equal commands print equal numbers, for any number of processes.
"""

import dataclasses
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from replication.config import Config, Env, Evaluate, UserError, Vision
from replication.envs.display import need_display
from replication.parallel import mpi
from replication.report import video
from replication.rollouts.agent import AgentParts, LinearControllers, WorldModel, one_thread
from replication.rollouts.agent_files import (
    agent_folder,
    is_of_run,
    load_agent,
    load_decoder,
)
from replication.rollouts.blind import run_controls
from replication.rollouts.filmed_drive import film
from replication.rollouts.fresh_tracks import APART, fresh_trials
from replication.rollouts.loop import Trial, drive
from replication.rollouts.real_world import RealWorld
from replication.rollouts.workers import run_all, start_worker
from replication.runs import files, folders, records
from replication.runs.command_line import parse_named_run
from replication.runs.versions import versions
from replication.tasks.games import task_of

import numpy as np

ENLARGED = {".mp4": 4, ".gif": 2}  # times, V's frames in a video of the drive


@dataclass(frozen=True)
class Options:
    """Score an agent on fresh tracks."""

    run: str = "quick"  # Name of the run: checkpoints/RUN. (default: the preset's)
    agent: str = ""  # Folder of an agent from elsewhere, instead of a run.
    vision: Vision | None = None  # What its V was trained as. (default: what the folder holds)
    task: str = ""  # Score it in another game with the same sizes, as car_racing_v0. (default: its)
    episodes: int = 100  # Tracks. [paper, 3.3]
    seed: int = 0  # Which tracks: from 2**32 + seed * 2**20 on.
    video: str = ""  # Write the first track as .mp4 or .gif: environment | reconstruction | dream.
    render: bool = False  # Drive in a window, one track after the other; needs a display.
    overwrite: bool = False  # Replace the record of an earlier evaluation on the same tracks.

    @property
    def folder(self) -> Path:
        """The agent's folder."""
        return agent_folder(self.agent) if self.agent else folders.run_folder(self.run).resolve()


def parse_options(argv: list[str]) -> Options:
    """`[PRESET] [--run NAME | --agent FOLDER] ...`: a preset stands for the run of its name."""
    options = parse_named_run(Options, argv, __doc__)
    if not 0 < options.episodes <= APART or not 0 <= options.seed < 2**20:
        raise UserError("--episodes must lie in 1..2**20 and --seed in 0..2**20-1")
    if options.video:
        video.check_path(Path(options.video))
    return options


def summary(results: np.ndarray, trials: list[Trial]) -> dict:
    """Mean, spread and every single return of (returns, frames) (N, 2)."""
    returns = results[:, 0]
    return {
        "mean": returns.mean(),
        "std": returns.std(),
        "min": returns.min(),
        "max": returns.max(),
        "episodes": len(returns),
        "returns": [
            {"seed": trial.seed, "return": value, "frames": int(frames)}
            for trial, (value, frames) in zip(trials, results.tolist(), strict=True)
        ],
    }


def spreads(controls: dict[str, np.ndarray]) -> dict:
    """What a record holds of policies that do not look, on the same tracks; of none: nothing."""
    found = {
        name: {"mean": returns.mean(), "std": returns.std(), "returns": returns.tolist()}
        for name, returns in controls.items()
    }
    return {"controls": found} if found else {}


def last_line(score: dict) -> str:
    return (
        f"return {score['mean']:.1f} ± {score['std']:.1f} (min {score['min']:.1f},"
        f" max {score['max']:.1f}) over {score['episodes']} tracks,"
        f" seeds {score['returns'][0]['seed']}.."
    )


def score_name(options: Options) -> str:
    """The name of an evaluation's file, without its ending."""
    where = f"_{options.task}" if options.task else ""
    return f"{options.episodes}_tracks_seed_{options.seed}{where}"


def run_of(folder: Path, options: Options) -> Config | None:
    """The run whose score this is: one of this repository, on its own game."""
    run = folders.run_in(folder)
    if not run or options.task:
        return None
    tracks = Evaluate(options.episodes, options.seed)
    return dataclasses.replace(records.load_config(run), evaluate=tracks)


def save_score(
    folder: Path, options: Options, parameters: np.ndarray, score: dict, seconds: float
) -> None:
    """The JSON of the evaluation.

    A record of the same C on the same tracks stays as it is, and is compared.
    """
    path = folder / "evaluation" / f"{score_name(options)}.json"
    c = files.controller_fingerprint(parameters)
    earlier = files.read_json(path) if path.exists() and not options.overwrite else {}
    if earlier.get("controller") == c:
        same = earlier.get("returns") == score["returns"]
        print(f"returns {'equal' if same else 'differ from'} those of {folders.shown(path)}")
    else:
        facts = {"controller": c, "seed": options.seed, "seconds": seconds}
        facts |= {"processes": mpi.workers()}
        files.write_json(path, facts | score | {"versions": versions()})
        print(f"every return: {folders.shown(path)}")


def finish(config: Config, parameters: np.ndarray, score: dict, seconds: float) -> None:
    """The done.json of a run's evaluation.

    It stays where it is of these tracks and more, and where C has been trained on meanwhile.
    """
    folder = folders.stage_folder(config, "evaluate")
    with folders.lock(folder, ".lock_done", wait=True):  # two evaluations may end at once
        if not is_of_run(config, parameters) or records.done(config, "evaluate"):
            return
        output = files.fingerprint([np.array([r["return"] for r in score["returns"]])])
        reached, processes = last_line(score), mpi.workers()
        records.finish(config, "evaluate", output, reached, seconds, processes=processes)


def in_task(parts: AgentParts, name: str) -> AgentParts:
    """The agent in another game, if one is named; UserError if sizes or frames differ."""
    if not name:
        return parts
    task, own = task_of(name), parts.task
    if (task.z_size, task.actions, task.bias) != (own.z_size, own.actions, own.bias):
        raise UserError(f"--task {name}: the agent's sizes are those of {own.name}")
    if parts.frames not in task.frames:
        raise UserError(f"--task {name}: it has no {parts.frames} frames, as the agent's V takes")
    return dataclasses.replace(parts, task=task)


def write_video(folder: Path, parts: AgentParts, trial: Trial, path: Path) -> None:
    """The first track as a video."""
    times = ENLARGED[path.suffix]
    panels, episode = film(parts, load_decoder(folder), trial, 64 * times)
    video.write(path, video.side_by_side(panels, times), parts.task.fps)
    print(f"video of seed {trial.seed} (return {episode.total:.1f}): {path}")


def drive_in_window(parts: AgentParts, trials: list[Trial]) -> np.ndarray:
    """The same episodes, one after the other, where they can be watched."""
    env = parts.task.make_env(stock=True, render_mode="human")
    if env.render_mode != "human":
        raise UserError(f"--render: {parts.task.environment} has no window; --video PATH.mp4")
    world = RealWorld(parts.task, [env], WorldModel(parts), frames=parts.frames)
    results = []
    for _, episode in drive(world, LinearControllers(parts.controller), trials):
        results.append((episode.total, len(episode.rewards)))
        print(f"seed {episode.seed}: return {episode.total:.1f}")
    return np.array(results)


def main(options: Options) -> None:
    if options.render:
        need_display("--render", "--video PATH.mp4 needs none")
    one_thread()
    start, folder = time.monotonic(), options.folder
    parts, parameters = load_agent(folder, options.vision)
    parts, run = in_task(parts, options.task), run_of(folder, options)
    (folder / "evaluation").mkdir(exist_ok=True)
    # Only its own tracks: an agent can be evaluated on others, or trained on, at the same time.
    with folders.lock(folder / "evaluation", f".lock_{score_name(options)}"):
        trials = fresh_trials(parameters, options.episodes, options.seed)
        controls: dict[str, np.ndarray] = {}
        if options.render:
            results = drive_in_window(parts, trials)
        else:
            stock = Env(stock=True, max_steps=parts.task.max_steps)
            with mpi.pool(start_worker, (parts, stock)) as pool:
                results = run_all(pool, "evaluation", trials)
                controls = run_controls(pool, parts.task, [trial.seed for trial in trials])
        score = summary(results, trials) | spreads(controls)
        seconds = round(time.monotonic() - start, 1)
        save_score(folder, options, parameters, score, seconds)
        if run:
            finish(run, parameters, score, seconds)
        if options.video:
            write_video(folder, parts, trials[0], Path(options.video))
    for name, spread in score.get("controls", {}).items():
        print(f"  {name}, which does not look: {spread['mean']:.1f} ± {spread['std']:.1f}")
    print(last_line(score))


if __name__ == "__main__":
    mpi.run_parallel(lambda: main(parse_options(sys.argv[1:])))
