"""Runs that go on from one another: the pipeline makes those before first."""

import json
import subprocess

from replication import pipeline
from replication.config import UserError
from replication.runs import folders
from replication.runs.command_line import parse_cli
from replication.runs.logs import read_log

import pytest
import tiny

STAGES = ["extract", "train_vae", "series", "train_rnn", "train_controller"]


def test_the_runs_before_have_the_same_arguments_and_names_of_their_own():
    argv = ["laptop", "--run", "mine", "--seed", "4"]
    first, second = ([f"laptop_{n}", *argv[1:], "--run", f"mine_{n}"] for n in (1, 2))
    found = pipeline.runs_before(parse_cli(argv), argv)
    assert found == [(parse_cli(first), first), (parse_cli(second), second)]
    assert [(config.run, config.seed) for config, _ in found] == [("mine_1", 4), ("mine_2", 4)]
    assert found[1][0].controller.start == "checkpoints/mine_1"
    argv = ["laptop_v3", "--run", "mine"]
    ((config, words),) = pipeline.runs_before(parse_cli(argv), argv)
    assert (config.preset, config.run) == ("dreamt", "mine_dreamt")
    assert words == ["dreamt", "--run", "mine", "--run", "mine_dreamt"]


def test_without_a_name_they_have_their_presets():
    found = pipeline.runs_before(parse_cli(["laptop", "--vision", "vaegan"]), ["laptop"])
    assert [(config.run, words) for config, words in found] == [
        ("laptop_1", ["laptop_1"]),
        ("laptop_2", ["laptop_2"]),
    ]
    assert pipeline.runs_before(parse_cli(["quick"]), ["quick"]) == []


def test_nothing_goes_before_a_pass_after_an_agent_that_the_user_names():
    argv = ["laptop_v3", "--run", "more", "--extract.agent", "checkpoints/mine"]
    assert pipeline.runs_before(parse_cli(argv), argv) == []
    argv = ["laptop", "--run", "mine", "--controller.start", "checkpoints/other"]
    assert len(pipeline.runs_before(parse_cli(argv), argv)) == 2


def test_rollouts_of_two_agents_need_two_sets():
    argv = ["laptop", "--data", "one"]
    with pytest.raises(UserError, match="^--data one: laptop needs rollouts of its own agent$"):
        pipeline.runs_before(parse_cli(argv), argv)


def test_a_pass_begins_as_the_agent_of_the_one_before(home, compiled, monkeypatch, capfd):
    """Three passes; the same command again finds everything done."""
    called = []

    def call(words, env):
        script = next(word for word in words if word.endswith(".py"))
        called.append(script.rpartition("/")[2].removesuffix(".py"))
        ended = tiny.stage(called[-1], *words[words.index(script) + 1 :], home=home)
        assert ended.status == 0, ended.err
        return ended.status

    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(pipeline, "stages_of", lambda config: STAGES)
    fields = tiny.FIELDS.split()
    argv = ["laptop", "--run", "t", *fields[2:], "--controller.short", "0"]
    pipeline.main(argv)
    assert called == 3 * STAGES
    logs = 0
    for before, run in ("t_1", "t_2"), ("t_2", "t"):
        logs += len(read_log(folders.run_folder(before) / "controller" / "log.jsonl"))
        start = json.loads((folders.run_folder(run) / "controller" / "start.json").read_text())
        assert start["agent"] == f"checkpoints/{before}"
        assert set(start["fit"]) == {"steer", "gas", "brake"}
        assert len(start["log"]) == logs
        driven = json.loads((home / "data" / run / "config.json").read_text())["extract"]
        assert driven["extract.agent"] == f"checkpoints/{before}"
    pipeline.main(argv)
    assert called == 3 * STAGES
    assert "=== t_2, whose agent goes before t" in capfd.readouterr().out
