"""The one value of a search's start: recorded as it is, and read back the same."""

import dataclasses

from replication.config import Rnn, UserError
from replication.presets import PRESETS
from replication.rollouts.agent import AgentParts
from replication.runs import files, folders
from replication.search import search_start
from replication.search.history import read_history
from replication.search.search_start import SearchStart, read_search_start
from replication.search.whitening import Whitening
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
import pytest

SETTINGS = dataclasses.replace(PRESETS["quick"].controller, mode="z", inputs="raw")
CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", controller=SETTINGS)
PARTS = AgentParts(CAR_RACING_V3, [], [], Rnn(hidden=8), "z")  # 99 parameters of C
WHITENING = Whitening(np.linspace(0, 1, 32), np.diag(np.linspace(1, 2, 32)), CAR_RACING_V3)
LOG = [{"step": 1, "seconds": 7.0, "mean": -5.0}]
ROUNDS = [{"step": 1, "seconds": 9.0, "processes": 2, "mean": 80.0}]


def with_settings(**settings):
    return dataclasses.replace(CONFIG, controller=dataclasses.replace(SETTINGS, **settings))


@pytest.fixture
def folder(home):
    folder = folders.stage_folder(CONFIG, "train_controller")
    folder.mkdir(parents=True)
    return folder


def test_from_zero_there_is_nothing_to_record(folder):
    start = read_search_start(CONFIG, PARTS)
    assert start.parameters.tolist() == [0.0] * 99
    assert (start.whitening, start.agent, start.fit, start.log) == (None, None, None, [])
    start.save(folder)
    assert list(folder.iterdir()) == []


def test_a_recorded_start_is_read_back(folder):
    parameters = np.random.default_rng(0).standard_normal(99).astype(np.float32)
    fit = {"steer": 0.9, "gas": 0.8, "brake": 1.0}
    before = "checkpoints/other", fit, LOG, ROUNDS
    start = SearchStart(parameters.astype(np.float64), WHITENING, *before)
    start.save(folder)
    again = read_search_start(with_settings(start="checkpoints/other", inputs="whitened"), PARTS)
    assert again.parameters.dtype == np.float64
    np.testing.assert_array_equal(again.parameters, start.parameters)
    np.testing.assert_array_equal(again.whitening.mean, WHITENING.mean)
    np.testing.assert_array_equal(again.whitening.root, WHITENING.root)
    assert (again.agent, again.fit, again.log, again.rounds) == before


def test_after_rounds_it_goes_on_from_the_searches_before_them(folder):
    rounds = dataclasses.replace(CONFIG.rounds, count=2)
    config = dataclasses.replace(CONFIG, rounds=rounds)
    of_rounds = folders.stage_folder(config, "rounds")
    of_rounds.mkdir()
    found = {"mode": "z", "z": config.controller.z, "parameters": [1.0] * 99}
    files.write_json(of_rounds / "controller.json", found)
    assert read_search_start(config, PARTS).log == []
    SearchStart(np.zeros(99), agent="checkpoints/other", log=LOG).save(of_rounds)
    start = read_search_start(config, PARTS)
    assert (start.parameters.tolist(), start.log) == ([1.0] * 99, LOG)
    (folder / "log.jsonl").write_text('{"step": 1, "seconds": 1}\n')
    assert read_history(folder) == [*LOG, {"step": 2, "seconds": 8.0}]


def test_what_is_recorded_stays(folder):
    first = SearchStart(np.ones(99), WHITENING, "checkpoints/first")
    first.save(folder)
    recorded = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(recorded) == ["start.json", "whitening.npz"]
    dataclasses.replace(first, parameters=np.zeros(99), agent="checkpoints/second").save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == recorded


@pytest.mark.parametrize("name", ["start.json", "whitening.npz"])
def test_a_search_that_has_begun_does_not_start_anew(folder, name):
    (folder / "log.jsonl").write_text('{"step": 1, "seconds": 1}\n')
    SearchStart(np.ones(99), WHITENING, "checkpoints/first").save(folder)
    (folder / name).unlink()
    config = with_settings(start="checkpoints/first", inputs="whitened")
    with pytest.raises(UserError, match=f"controller/{name} is missing: restore it, or --over"):
        read_search_start(config, PARTS)


@pytest.mark.parametrize("other", ["game", "frames"])
def test_an_agent_of_another_game_or_of_other_frames_is_no_start(folder, home, monkeypatch, other):
    others = {"task": dataclasses.replace(CAR_RACING_V3, name="other_game")}
    differs = others if other == "game" else {"frames": "stretched"}
    agent = dataclasses.replace(PARTS, **differs), np.zeros(99, np.float32)
    said = "other_game on plain" if other == "game" else "car_racing_v3 on stretched"
    monkeypatch.setattr(search_start, "load_agent", lambda folder: agent)
    (home / "checkpoints/other").mkdir()
    config = with_settings(start="checkpoints/other")
    with pytest.raises(UserError, match=f"--controller.start checkpoints/other: plays {said}"):
        read_search_start(config, PARTS)


def test_a_recorded_start_of_another_size_is_one_line(folder):
    facts = {"agent": "checkpoints/other", "parameters": [0.0] * 7, "fit": None, "log": []}
    files.write_json(folder / "start.json", facts)
    with pytest.raises(UserError, match="start.json holds 7 finite parameters; mode z on this M"):
        read_search_start(with_settings(start="checkpoints/other"), PARTS)
