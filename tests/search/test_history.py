"""C's history: its own generations and rounds after those of the agents that it started from."""

import json

from replication.config import UserError
from replication.runs import files
from replication.search.history import ROUND, read_history, read_rounds

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


def a_round(step: int, seconds: float) -> dict:
    return {"step": step, "seconds": seconds, "processes": 2, "mean": 50.0 * step}


@pytest.fixture
def run(tmp_path):
    """The folder of a run with two rounds."""
    for name in ("rounds", "controller"):
        (tmp_path / name).mkdir()
    lines = [a_round(step, 10.0 * step) | {"dreams": [1.0]} for step in (1, 2)]
    write_log(tmp_path / "rounds", lines)
    return tmp_path


def test_rounds_are_counted_on_from_those_of_the_agents_before(run):
    own = [a_round(1, 10.0), a_round(2, 20.0)]
    assert read_rounds(run) == own and tuple(own[0]) == ROUND
    files.write_json(run / "rounds" / "start.json", {"log": [], "rounds": [a_round(1, 7.0)]})
    found = [(line["step"], line["seconds"], line["mean"]) for line in read_rounds(run)]
    assert found == [(1, 7.0, 50.0), (2, 17.0, 50.0), (3, 27.0, 100.0)]


def test_a_damaged_log_of_rounds_is_named(run):
    write_log(run / "rounds", [{"step": 1, "seconds": 2.0}])
    with pytest.raises(UserError, match="rounds/log.jsonl lacks 'processes': restore it"):
        read_rounds(run)


def test_a_search_after_rounds_keeps_them_and_an_older_one_has_none(run):
    (run / "rounds" / "log.jsonl").unlink()
    assert read_rounds(run) == []
    start = run / "controller" / "start.json"
    files.write_json(start, {"log": []})
    assert read_rounds(run) == []
    files.write_json(start, {"log": [], "rounds": [a_round(1, 7.0)]})
    assert read_rounds(run) == [a_round(1, 7.0)]
