"""C evolved in M's dreams: equal numbers for any number of processes, and after a resume."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny

M_WITH_HEADS = [*tiny.SCHEDULE, "--rnn.heads", "reward,termination"]
ARGV = [*M_WITH_HEADS, "--controller.world", "dream", "--dream.temperature", "1.15"]


@pytest.fixture(scope="module")
def dreaming(finished, tmp_path_factory) -> Path:
    """A home up to an M that predicts rewards and ends, and the log of a search in its dreams."""
    stages = ("extract", "train_vae", "series")
    home = tiny.copy_of(finished, tmp_path_factory.mktemp("dreaming"), *stages)
    for name, argv in (("train_rnn", M_WITH_HEADS), ("train_controller", ARGV)):
        ended = tiny.stage(name, *argv, home=home)
        assert ended.status == 0, ended.err
    return home


@pytest.fixture
def again(dreaming, tmp_path) -> Path:
    """The same home before the search."""
    home = tmp_path / "home"
    shutil.copytree(dreaming, home)
    shutil.rmtree(home / "checkpoints/t/controller")
    return home


def numbers(home: Path) -> tuple:
    """Everything that the search came to."""
    best = (home / "checkpoints/t/controller/best.json").read_bytes()
    return tiny.log_of(home, "controller"), best


def test_fitness_is_of_dreams_and_evaluations_are_real(dreaming, finished):
    log, real = tiny.log_of(dreaming, "controller"), tiny.log_of(finished, "controller")
    for line, other in zip(log, real, strict=True):
        assert len(set(line["returns"])) == 6  # each candidate has dreams of its own
        assert np.isfinite(line["returns"]).all()
        assert not np.allclose(line["returns"], other["returns"])
        assert 6 <= line["frames"] <= 6 * 60
    evaluated = [line for line in log if "eval_mean" in line]
    assert [line["step"] for line in evaluated] == [2, 3]
    # A real episode of 60 frames earns -0.1 a frame, and some 3 for each new tile.
    assert all(-6.1 < line["eval_mean"] < 200 for line in evaluated)
    record = json.loads((dreaming / "checkpoints/t/controller/done.json").read_text())
    identity = record["identity"]
    assert (identity["controller.world"], identity["dream.temperature"]) == ("dream", 1.15)
    series = json.loads((dreaming / "data/t/series/done.json").read_text())
    assert identity["input series"] == series["output"]


def test_three_processes_give_the_numbers_of_one(dreaming, again):
    start = (tiny.MPIRUN, "-n", "3")
    ended = tiny.script("train_controller", *ARGV, home=again, start=start)
    assert ended.status == 0, ended.err
    assert numbers(again) == numbers(dreaming)


def test_a_search_that_is_continued_gives_the_numbers_of_one_that_was_not(dreaming, again):
    fewer = [*ARGV, "--controller.generations", "2"]
    assert tiny.stage("train_controller", *fewer, home=again).status == 0
    assert len(tiny.log_of(again, "controller")) == 2
    assert tiny.stage("train_controller", *ARGV, home=again).status == 0
    assert numbers(again) == numbers(dreaming)


def test_the_series_are_read_for_dreams_alone(again):
    shutil.rmtree(again / "data/t/series")
    ended = tiny.stage("train_controller", *ARGV, home=again)
    expected = "data/t/series is missing: run python replication/series.py quick --run t"
    assert ended.complaint == f"train_controller.py: {expected}"


def test_an_agent_of_dreams_starts_a_search_in_the_game_as_it_is(dreaming, again):
    """It has the run's V and M: no C has to be fitted to act like it."""
    shutil.copytree(dreaming / "checkpoints/t", again / "checkpoints/another")
    argv = [*M_WITH_HEADS, "--controller.generations", "1"]
    ended = tiny.stage(
        "train_controller", *argv, "--controller.start", "checkpoints/another", home=again
    )
    assert ended.status == 0, ended.err
    assert "acts most like" not in ended.out
    start = json.loads((again / "checkpoints/t/controller/start.json").read_text())
    best = json.loads((dreaming / "checkpoints/t/controller/best.json").read_text())
    assert (start["parameters"], start["fit"]) == (best["parameters"], None)
