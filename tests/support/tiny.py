"""A tiny run, made by the real scripts; and processes of the package to watch, kill and break.

`script` types a command as a user does. `stage` runs one stage in a process of its own that is
forked where TensorFlow is loaded already: a real process, without the seconds of the import.
"""

import dataclasses
import json
import multiprocessing
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from replication.runs import folders
from replication.runs.command_line import parse_cli

ROOT = Path(__file__).resolve().parents[2]
MPIRUN = str(Path(sys.executable).parent / "mpirun")
FIELDS = """
    --run t --task car_racing_v3 --env.max_steps 60 --extract.episodes 2
    --vae.epochs 1 --vae.iterations 4 --vae.batch_size 8 --vae.log_every 2
    --rnn.epochs 1 --rnn.iterations 4 --rnn.batch_size 2 --rnn.sequence 20 --rnn.hidden 8
    --rnn.log_every 2 --controller.population 6 --controller.episodes 1 --controller.generations 3
    --controller.z sample --controller.inputs raw
    --controller.eval_every 2 --controller.eval_episodes 2 --evaluate.episodes 1
    --events.episodes 1
"""
SCHEDULE = ["quick", *FIELDS.split()]
# A progress bar, at whatever state, or the notice where no folder remembers that pixels are right.
BAR = re.compile(r"\w+: +(\d+%\||\d+\w+ \[)|compiling the fast renderer, once, ")
LIMIT = 600  # seconds until a process that hangs fails its test; a busy machine needs a third
# What stages import, and takes long. Not replication.parallel: MPI must start in the fork.
PRELOAD = [
    *("replication.rollouts.agent", "replication.search.cma_es", "replication.train_vae"),
    *("replication.train_vaegan", "replication.train_rnn", "replication.dream"),
    *("replication.benchmark", "replication.figures", "replication.envs.car_racing", "imageio.v2"),
]


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    status: int  # -9: killed
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.strip().splitlines()[-1]

    @property
    def complaint(self) -> str:
        """The one line on stderr of a process that ended with status 2; progress bars are none."""
        assert self.status == 2, (self.status, self.out, self.err)
        lines = [line for line in self.err.splitlines() if line and not BAR.match(line)]
        assert len(lines) == 1, self.err
        return lines[0]


def script(name: str, *argv: str, home: Path, cwd: Path = ROOT, start=(), **env) -> Ended:
    """Call a script as a user does: `start` comes before it (mpirun -n 3)."""
    path = f"{name}.py" if cwd.name == "replication" else f"replication/{name}.py"
    return command([*start, sys.executable, path, *argv], home, cwd, **env)


def command(words: list[str], home: Path, cwd: Path = ROOT, **env) -> Ended:
    environment = os.environ | {"REPLICATION_HOME": str(home)} | env
    ended = subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=LIMIT
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def stage(name: str, *argv: str, home: Path, before: Callable | None = None) -> Ended:
    """Run one stage in a forked process; before() is called in it first."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    with tempfile.TemporaryDirectory() as folder:
        out = [str(Path(folder) / "out"), str(Path(folder) / "err")]
        process = context.Process(target=_stage, args=(name, argv, home, before, out))
        process.start()
        process.join(LIMIT)
        process.kill()
        return Ended(process.exitcode, *(Path(path).read_text() for path in out))


def _stage(name: str, argv: tuple[str, ...], home: Path, before, out: list[str]) -> None:
    for number, path in enumerate(out, 1):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    folders.HOME, sys.argv = home, [f"{name}.py", *argv]
    if before:
        before()
    script = (ROOT / "replication" / f"{name}.py").resolve()
    sys.path.insert(0, str(script.parent))  # as Python does
    runpy.run_path(str(script), run_name="__main__")


def die_at(name: str, count: int) -> None:
    """This process will be killed when it puts the count-th file of this name in its place."""
    replace, left = os.replace, [count]

    def dying(source, target):
        left[0] -= Path(target).name == name
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)

    os.replace = dying


def shorten(frames: int) -> None:
    """Every episode that this process drives ends after so many frames: an evaluation's too."""
    from replication.rollouts import loop, workers

    drive = loop.drive

    def drive_less(world, controller, trials, *options, **more):
        limits = [min(trial.max_steps or world.max_steps, frames) for trial in trials]
        shorter = [
            dataclasses.replace(trial, max_steps=limit)
            for trial, limit in zip(trials, limits, strict=True)
        ]
        return drive(world, controller, shorter, *options, **more)

    loop.drive = workers.drive = drive_less


def make(home: Path) -> None:
    """Type every stage of a tiny run once, to C; from the root and from inside replication/."""
    for name, folder, start in (
        ("extract", "replication", (MPIRUN, "-n", "3")),
        ("train_vae", ".", ()),
        ("series", "replication", ()),
        ("train_rnn", ".", ()),
        ("train_controller", "replication", ()),
    ):
        ended = script(name, *SCHEDULE, home=home, cwd=(ROOT / folder).resolve(), start=start)
        assert ended.status == 0, ended.err


def copy_of(home: Path, to: Path, *stages: str) -> Path:
    """A home with the folders of these stages of the run alone, for a test to work in."""
    config = parse_cli(SCHEDULE)
    for name in stages:
        source = folders.stage_folder(config, name).relative_to(folders.HOME)
        shutil.copytree(home / source, to / source)
        for file in ("config.json", "versions.json"):
            shutil.copy((home / source).parent / file, (to / source).parent / file)
    return to


def log_of(home: Path, stage: str) -> list[dict]:
    """The log of a stage without what may differ: seconds and processes."""
    lines = (home / "checkpoints/t" / stage / "log.jsonl").read_text().splitlines()
    may_differ = {"seconds", "processes"}
    return [{k: v for k, v in json.loads(line).items() if k not in may_differ} for line in lines]
