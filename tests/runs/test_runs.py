"""Files that are whole or not there, logs that go on, one writer, errors in one line."""

import errno
import json
import subprocess
import sys

from replication.config import UserError
from replication.runs import files, folders, logs, script
from replication.runs.logs import Log, read_log

import numpy as np
import pytest


def contents(folder) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


# Files -------------------------------------------------------------------------------------


def test_replacing_puts_a_whole_file_in_place(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with files.replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"  # until it is whole
        assert temporary.parent == path.parent  # the same disk: a move is one step
    assert contents(tmp_path) == {"file": "new"}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_replacing_leaves_the_old_file_on_an_error(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(type(error)), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert contents(tmp_path) == {"file": "old"}


def test_replacing_with_nothing_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), files.replacing(tmp_path / "file"):
        pass


def test_replacing_keeps_the_suffix(tmp_path):
    """Keras and NumPy choose the format by it."""
    with files.replacing(tmp_path / "v.weights.h5") as temporary:
        assert temporary.name.endswith(".weights.h5")
        assert temporary.name.startswith(".")  # no listing takes it for a file
        temporary.touch()


def test_json_round_trip_and_garbage(home):
    path = home / "file.json"
    files.write_json(path, {"a": [1, 2.5, None], "b": {"c": "ä"}})
    assert files.read_json(path, "a", "b") == {"a": [1, 2.5, None], "b": {"c": "ä"}}
    for content in ('{"a": 1', "[1]", "3", '{"b": 1}', ""):
        path.write_text(content)
        with pytest.raises(UserError, match=r"^file\.json is not"):
            files.read_json(path, "a")


# Logs --------------------------------------------------------------------------------------


def steps(path) -> list[int]:
    return [line["step"] for line in read_log(path)]


def test_log_writes_a_line_each_time(tmp_path):
    path = tmp_path / "log.jsonl"
    log = Log(path)
    assert log.write(2, loss=0.5)["loss"] == 0.5
    log.write(4, loss=0.25, epoch=1)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [(2, 0.5), (4, 0.25)]
    assert all(0 <= line["seconds"] < 5 for line in lines)


def test_resumed_log_has_no_step_twice(tmp_path):
    path = tmp_path / "log.jsonl"
    log = Log(path)
    for step in (2, 4, 6):
        log.write(step, session=1)
    log = Log(path, resume_at=4)
    for step in (6, 8):
        log.write(step, session=2)
    assert [(line["step"], line["session"]) for line in read_log(path)] == [
        (2, 1), (4, 1), (6, 2), (8, 2),
    ]  # fmt: skip


def test_a_run_from_its_start_has_a_new_log(tmp_path):
    path = tmp_path / "log.jsonl"
    Log(path).write(2)
    Log(path)
    assert steps(path) == []


def test_a_torn_last_line_is_dropped(tmp_path):
    path = tmp_path / "log.jsonl"
    log = Log(path)
    log.write(2)
    log.write(4)
    path.write_bytes(path.read_bytes()[:-3])  # killed as it wrote
    assert steps(path) == [2]
    Log(path, resume_at=4).write(4)
    assert steps(path) == [2, 4]
    assert path.read_text().count("\n") == 2


def test_lines_that_are_not_a_logs_are_one_line(home):
    path = home / "log.jsonl"
    for content in ("garbage\n", "[1]\n", '{"loss": 1}\n', "\x00\x00\n"):
        path.write_text(content)
        with pytest.raises(UserError, match=r"log\.jsonl"):
            read_log(path)


def test_the_clock_goes_on_but_not_while_nothing_ran(tmp_path, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    path = tmp_path / "log.jsonl"
    log = Log(path)
    now += 10
    log.write(2)
    now += 5  # work that was lost
    now += 86_400  # a day later, on another boot even
    log = Log(path, resume_at=2)
    now += 3
    log.write(4)
    assert [line["seconds"] for line in read_log(path)] == [10, 13]
    assert log.seconds == 13


def test_no_log_has_no_lines(tmp_path):
    assert read_log(tmp_path / "log.jsonl") == []


# One writer --------------------------------------------------------------------------------

HOLD = """
import sys
from pathlib import Path
from replication.runs import folders
with folders.lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_is_gone(home):
    command = [sys.executable, "-c", HOLD, str(home)]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="another process is writing"), folders.lock(home):
            pass
    finally:
        first.kill()  # SIGKILL: the lock goes with the process
        first.wait()
    with folders.lock(home):
        assert (home / ".lock").exists()


# What a user may do wrong ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "part"),
    [
        (UserError("no\nsuch thing"), 2, "no such thing"),
        (KeyboardInterrupt(), 130, "the same command goes on"),
        (OSError(errno.ENOSPC, "No space left on device", "x.npz"), 2, "No space left on device"),
    ],
)
def test_errors_are_one_line_and_a_status(capsys, error, status, part):
    def main():
        raise error

    with pytest.raises(SystemExit) as stop:
        script.run_script(main)
    assert stop.value.code == status
    (line,) = capsys.readouterr().err.splitlines()
    assert part in line


def test_a_mistake_of_ours_keeps_its_traceback():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        script.run_script(main)


# Fingerprints ------------------------------------------------------------------------------


def test_fingerprints_tell_arrays_apart():
    a = np.arange(6, dtype=np.float32)
    prints = [
        files.fingerprint(arrays)
        for arrays in (
            [a], [a + 1e-6], [a.reshape(2, 3)], [a.astype(np.float64)], [a[:3], a[3:]], [a[::-1]],
        )
    ]  # fmt: skip
    assert len(set(prints)) == len(prints)
    assert files.fingerprint([a.copy()]) == prints[0]
    assert all(len(text) == 16 for text in prints)


def test_a_controller_is_known_by_its_parameters_as_they_are_stored():
    """In float32, as best.json keeps them: float64 values that round alike are the same C."""
    parameters = [0.1, -2.5, 3.0]
    known = files.controller_fingerprint(parameters)
    assert known == files.fingerprint([np.float32(parameters)])
    assert known == files.controller_fingerprint(np.float32(parameters).tolist())
    assert known != files.controller_fingerprint([0.1, -2.5, 3.001])
