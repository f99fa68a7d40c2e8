"""C's history: its own generations after those of the agents that it started from."""

import json

from replication.config import UserError
from replication.runs import files
from replication.search.history import read_history

import pytest


def write_log(folder, lines: list[dict]) -> None:
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


OWN = [{"step": step, "seconds": 10.0 * step, "mean": step} for step in (1, 2)]


def test_a_search_from_zero_is_its_log(tmp_path):
    assert read_history(tmp_path) == []
    write_log(tmp_path, OWN)
    assert read_history(tmp_path) == OWN


def test_generations_and_seconds_are_counted_on(tmp_path):
    write_log(tmp_path, OWN)
    earlier = [{"step": 1, "seconds": 7.0, "mean": -5}, {"step": 2, "seconds": 9.0, "mean": -4}]
    files.write_json(tmp_path / "start.json", {"log": earlier})
    steps = [(line["step"], line["seconds"], line["mean"]) for line in read_history(tmp_path)]
    assert steps == [(1, 7.0, -5), (2, 9.0, -4), (3, 19.0, 1), (4, 29.0, 2)]
    (tmp_path / "log.jsonl").unlink()
    assert read_history(tmp_path) == earlier


def test_an_agent_without_a_log_may_be_a_start(tmp_path):
    write_log(tmp_path, OWN)
    files.write_json(tmp_path / "start.json", {"log": []})
    assert read_history(tmp_path) == OWN


@pytest.mark.parametrize("log", [[{"mean": 1}], "no log", [3]])
def test_what_is_no_log_is_named(tmp_path, log):
    write_log(tmp_path, OWN)
    files.write_json(tmp_path / "start.json", {"log": log})
    with pytest.raises(UserError, match="start.json: its log is not one"):
        read_history(tmp_path)
