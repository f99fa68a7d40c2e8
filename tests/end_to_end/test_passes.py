"""Runs that go on from one another: the pipeline makes those before first."""

import dataclasses
import json
import subprocess

from replication import pipeline
from replication.config import UserError
from replication.presets import PRESETS
from replication.runs import folders
from replication.runs.command_line import parse_cli

import pytest
import tiny

STAGES = ["extract", "train_vae", "series", "train_rnn", "train_controller"]


def test_the_runs_before_have_the_same_arguments_and_names_of_their_own():
    argv = ["laptop", "--run", "mine", "--seed", "4"]
    first = ["laptop_1", *argv[1:], "--run", "mine_1"]
    found = pipeline.runs_before(parse_cli(argv), argv)
    assert found == [(parse_cli(first), first)]
    assert (found[0][0].run, found[0][0].seed) == ("mine_1", 4)


def test_each_goes_on_from_the_one_before(monkeypatch):
    """Of three presets the first is made first."""
    second = dataclasses.replace(PRESETS["laptop"], preset="laptop_2", run="laptop_2")
    monkeypatch.setitem(PRESETS, "laptop_2", second)
    third = dataclasses.replace(PRESETS["laptop"], after="laptop_2")
    monkeypatch.setitem(PRESETS, "laptop", third)
    argv = ["laptop", "--run", "mine"]
    found = pipeline.runs_before(parse_cli(argv), argv)
    assert [config.run for config, _ in found] == ["mine_1", "mine_2"]
    assert [config.preset for config, _ in found] == ["laptop_1", "laptop_2"]
    assert found[1][0].controller.start == "checkpoints/mine_1"


def test_without_a_name_they_have_their_presets():
    found = pipeline.runs_before(parse_cli(["laptop", "--vision", "vaegan"]), ["laptop"])
    assert [(config.run, words) for config, words in found] == [
        ("laptop_1", ["laptop_1"]),
    ]
    assert pipeline.runs_before(parse_cli(["quick"]), ["quick"]) == []


def test_rollouts_of_two_agents_need_two_sets():
    argv = ["laptop", "--data", "one"]
    with pytest.raises(UserError, match="^--data one: laptop needs rollouts of its own agent$"):
        pipeline.runs_before(parse_cli(argv), argv)


def test_a_pass_begins_as_the_agent_of_the_one_before(home, compiled, monkeypatch, capfd):
    """Two passes; the same command again finds everything done."""
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
    assert called == 2 * STAGES
    first, second = (folders.run_folder(name) / "controller" for name in ("t_1", "t"))
    start = json.loads((second / "start.json").read_text())
    assert start["agent"] == "checkpoints/t_1"
    assert set(start["fit"]) == {"steer", "gas", "brake"}
    assert len(start["log"]) == len((first / "log.jsonl").read_text().splitlines())
    driven = json.loads((home / "data/t/config.json").read_text())["extract"]
    assert driven["extract.agent"] == "checkpoints/t_1"
    pipeline.main(argv)
    assert called == 2 * STAGES
    assert "=== t_1, whose agent goes before t" in capfd.readouterr().out
