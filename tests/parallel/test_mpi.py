"""The number of processes changes no number; after a death the same command goes on from there."""

import fcntl
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import tiny

ALL = ("extract", "train_vae", "series", "train_rnn", "train_controller")
# What a rank does before the script's own last line: {patch} stands for it.
WRAPPED = """
import sys
from replication import {name}
from replication.parallel import mpi
from replication.runs.script import parse_run_cli
{patch}
sys.argv[0] = "{name}.py"
mpi.run_parallel(lambda: {name}.main(parse_run_cli()))
"""
STALL = """
import os, pathlib, time
from replication.rollouts import workers
whole = workers.run_job
def run_job(job):
    if job.name.startswith("generation 2,"):
        pathlib.Path(os.environ["REPLICATION_HOME"], "stalled").touch()
        time.sleep(1000)
    return whole(job)
workers.run_job = run_job
"""
RAISE = """
def job(seeds):
    raise ZeroDivisionError("on purpose")
extract.record = job
"""
DIE = """
import os, pathlib, signal
whole = extract.record
def record(seeds):
    if 3 in seeds:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(seeds)
extract.record = record
"""


def numbers(home: Path) -> tuple:
    """Everything that C's training came to."""
    best = (home / "checkpoints/t/controller/best.json").read_bytes()
    return tiny.log_of(home, "controller"), best


def left_behind(home: Path) -> list[str]:
    """Command lines of living processes that work on this home."""
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if f"REPLICATION_HOME={home}\0".encode() in environment and words:
            commands.append(words.replace(b"\0", b" ").decode())
    return commands


def wait_for(condition) -> None:
    end = time.monotonic() + tiny.LIMIT
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_three_processes_with_nothing_on_the_workers_disks_give_the_numbers_of_one(
    tmp_path, finished
):
    home = tiny.copy_of(finished, tmp_path / "home", "train_vae", "train_rnn")
    empty = tmp_path / "empty"
    empty.mkdir()
    words = (
        f"{sys.executable} {tiny.ROOT}/replication/train_controller.py {' '.join(tiny.SCHEDULE)}"
    )
    worker = f"cd {empty}; REPLICATION_HOME={empty} exec {words}"
    ended = tiny.command(
        [tiny.MPIRUN, "-n", "1", *words.split(), ":", "-n", "2", "sh", "-c", worker], home
    )
    assert ended.status == 0, ended.err
    assert numbers(home) == numbers(finished)
    assert list(empty.iterdir()) == []
    assert left_behind(home) == []


def test_killed_in_a_generation_and_between_two_it_goes_on_to_the_same_numbers(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "train_vae", "train_rnn")
    log = home / "checkpoints/t/controller/log.jsonl"
    words = wrapped("train_controller", STALL, *tiny.SCHEDULE)
    with open(tmp_path / "output", "wb") as output:
        running = subprocess.Popen(
            [tiny.MPIRUN, "-n", "3", *words],
            env=os.environ | {"REPLICATION_HOME": str(home)},
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    wait_for(lambda: (home / "stalled").exists() or running.poll() is not None)
    os.killpg(running.pid, signal.SIGKILL)  # generation 2 is under way
    assert running.wait() == -signal.SIGKILL, (tmp_path / "output").read_text()
    wait_for(lambda: not left_behind(home))
    assert log.read_text().count("\n") == 1

    before = functools.partial(tiny.die_at, "best.json", 1)  # generation 2 is not in the log yet
    assert tiny.stage("train_controller", *tiny.SCHEDULE, home=home, before=before).status == -9
    assert log.read_text().count("\n") == 1
    assert tiny.stage("train_controller", *tiny.SCHEDULE, home=home).status == 0
    assert numbers(home) == numbers(finished)


def test_generations_can_be_added_and_a_finished_run_has_nothing_to_do(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "train_vae", "train_rnn")
    fewer = [*tiny.SCHEDULE, "--controller.generations", "2"]
    assert tiny.stage("train_controller", *fewer, home=home).status == 0
    assert len(tiny.log_of(home, "controller")) == 2
    ended = tiny.stage("train_controller", *tiny.SCHEDULE, home=home)
    assert ended.last.endswith("at generation 2 of 3, in checkpoints/t/controller")
    assert numbers(home) == numbers(finished)
    assert tiny.stage("train_controller", *tiny.SCHEDULE, home=home).last == ended.last
    assert numbers(home) == numbers(finished)


def wrapped(name: str, patch: str, *argv: str) -> list[str]:
    return [sys.executable, "-c", WRAPPED.format(name=name, patch=patch), *argv]


def test_a_worker_that_raises_ends_everything_and_names_the_job(tmp_path):
    words = wrapped("extract", RAISE, *tiny.SCHEDULE)
    ended = tiny.command([tiny.MPIRUN, "-n", "3", *words], tmp_path)
    assert re.fullmatch(
        r"extract.py: episode 0000000000 failed: RuntimeError: rank [12] on \S+:"
        r" ZeroDivisionError: on purpose",
        ended.complaint,
    )
    assert left_behind(tmp_path) == []


def test_a_worker_that_is_killed_names_the_lost_jobs_and_the_same_command_goes_on(
    tmp_path, finished
):
    argv = [*tiny.SCHEDULE, "--extract.episodes", "6"]
    ended = tiny.command([tiny.MPIRUN, "-n", "3", *wrapped("extract", DIE, *argv)], tmp_path)
    assert ended.status not in (0, 2)
    assert "a process was killed; lost: " in ended.err
    assert "episode 0000000003" in ended.err
    assert "Traceback" not in ended.err
    wait_for(lambda: not left_behind(tmp_path))

    record = tmp_path / "data/t/record"
    whole = {path.name: path.stat().st_mtime_ns for path in record.glob("[!.]*.npz")}
    assert len(whole) < 6
    assert tiny.script("extract", *argv, home=tmp_path).status == 0
    paths = sorted(record.glob("*.npz"))
    assert [int(path.stem) for path in paths] == list(range(6))
    assert all(
        path.stat().st_mtime_ns == whole.get(path.name, path.stat().st_mtime_ns) for path in paths
    )
    first = finished / "data/t/record/0000000000.npz"
    assert paths[0].read_bytes() == first.read_bytes()


def test_one_folder_one_process(tmp_path):
    for folder, name in (("checkpoints/t", "train_vae"), ("data/t", "extract")):
        (tmp_path / folder).mkdir(parents=True)
        with open(tmp_path / folder / ".lock", "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            ended = tiny.stage(name, *tiny.SCHEDULE, home=tmp_path)
        assert ended.complaint == f"{name}.py: another process is writing {folder}"


def test_an_evaluation_by_three_processes_is_that_of_one(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "train_vae", "train_rnn", "train_controller")
    argv = ["--agent", str(home / "checkpoints/t"), "--episodes", "3", "--seed", "2"]
    code = (
        "import runpy, tiny; tiny.shorten(40);"
        "runpy.run_path('replication/evaluate.py', run_name='__main__')"
    )
    words = [tiny.MPIRUN, "-n", "3", sys.executable, "-c", code, *argv]
    support = Path(tiny.__file__).parent
    many = tiny.command(words, home, PYTHONPATH=f"{support}:{os.environ.get('PYTHONPATH', '')}")
    assert many.status == 0, many.err
    scores = home / "checkpoints/t/evaluation/3_tracks_seed_2.json"
    by_many = json.loads(scores.read_text())
    one = tiny.stage(
        "evaluate", *argv, "--overwrite", home=home, before=functools.partial(tiny.shorten, 40)
    )
    by_one = json.loads(scores.read_text())
    assert many.last == one.last
    assert by_many["returns"] == by_one["returns"]
    assert [entry["seed"] for entry in by_one["returns"]] == [
        2**32 + 2 * 2**20 + i for i in range(3)
    ]
    assert (by_many["processes"], by_one["processes"]) == (2, 1)
