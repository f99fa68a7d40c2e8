"""Every stage in order, each only if it is not done, and a table of what came out.

    python replication/pipeline.py quick --run mine
    python replication/pipeline.py quick --vision vaegan

A preset that goes on from another's agent has that one made first, as far as its C; with
--extract.agent FOLDER it goes on from the agent in there.

run_all.sh calls this once everything is installed. Stages that work in parallel run under mpirun
with a process for each core and one for the master; REPLICATION_PROCESSES sets another number.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from replication.config import Config, UserError, agent_before, is_named, run_before
from replication.parallel.environment import local_environment
from replication.runs import folders, records
from replication.runs.command_line import split_preset
from replication.runs.script import parse_run_cli, run_script
from replication.runs.stages import stages_of

SCRIPTS = Path(__file__).parent
PARALLEL = {"extract", "rounds", "train_controller", "evaluate"}


def mpirun() -> list[str]:
    """The words that start a parallel stage: mpirun and its options; none where there is no MPI."""
    beside_python = Path(sys.executable).parent / "mpirun"
    found = str(beside_python) if beside_python.exists() else shutil.which("mpirun")
    processes = os.environ.get("REPLICATION_PROCESSES", str(records.cores() + 1))
    if not processes.isdigit() or processes == "0":
        raise UserError(f"REPLICATION_PROCESSES {processes!r}: must be a positive number")
    return [found, "-n", processes] if found else []


def stage_command(config: Config, name: str, argv: Sequence[str]) -> list[str]:
    """The command line of a stage, with the arguments that the pipeline was given."""
    start = mpirun() if name in PARALLEL else []
    if name == "extract" and config.rollouts != config.run:
        argv = [*argv, "--no-overwrite"]  # other runs use these rollouts too
    if name == "evaluate":
        settings = config.evaluate
        argv = ["--run", config.run]
        argv += ["--episodes", str(settings.episodes), "--seed", str(settings.seed)]
    if name in ("dream", "demo"):
        argv = ["--run", config.run]
    return [*start, sys.executable, str(SCRIPTS / f"{name}.py"), *argv]


def stage_environment() -> dict[str, str]:
    """The variables that stages start with."""
    slow_bars = {} if sys.stderr.isatty() else {"TQDM_MININTERVAL": "10"}  # a log keeps each state
    return slow_bars | local_environment()


def table(config: Config) -> str:
    """A line for each stage: its time and what it reached."""
    lines = [f"{'stage':<18}{'time':>9}  reached"]
    for name in stages_of(config):
        record = records.done(config, name)
        seconds = record["seconds"] if record else 0
        time = f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds:.0f} s"
        lines.append(f"{name:<18}{time:>9}  {record['reached'] if record else 'not done'}")
    return "\n".join(lines)


def runs_before(config: Config, argv: Sequence[str]) -> list[tuple[Config, list[str]]]:
    """The runs that lead to this one, the first first, and the arguments of their stages.

    None goes before a pass after an agent that the user names.

    UserError if two of them would record into one set of rollouts.
    """
    args, found = split_preset(argv)[1], []
    while config.after and config.extract.agent == agent_before(config):
        name = ["--run", run_before(config)] if is_named(config) else []
        words = [config.after, *args, *name]
        earlier = parse_run_cli(words)
        if earlier.rollouts == config.rollouts:
            raise UserError(f"--data {config.data}: {config.run} needs rollouts of its own agent")
        config = earlier
        found.insert(0, (config, words))
    return found


def make_run(config: Config, argv: Sequence[str], stages: Sequence[str]) -> None:
    """The stages of a run that are not done; SystemExit with the status of one that fails."""
    for name in stages:
        if name != "figures" and records.done(config, name):  # they show logs, too, which may grow
            print(f"{name}: done")
            continue
        print(f"\n=== {name}", flush=True)
        status = subprocess.call(stage_command(config, name, argv), env=stage_environment())
        if status:
            raise SystemExit(status)


def main(argv: Sequence[str]) -> None:
    config = parse_run_cli(argv, __doc__)
    for earlier, words in runs_before(config, argv):
        print(f"\n=== {earlier.run}, whose agent goes before {config.run}", flush=True)
        stages = stages_of(earlier)
        make_run(earlier, words, stages[: stages.index("train_controller") + 1])
    make_run(config, argv, stages_of(config))
    config = dataclasses.replace(config, overwrite=False)  # it has been done
    print(f"\n{table(config)}\n\nreport: {folders.run_folder(config.run) / 'report.html'}")


if __name__ == "__main__":
    run_script(lambda: main(sys.argv[1:]))
