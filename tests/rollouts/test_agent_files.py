"""What a run's or an agent's folder may hold: what comes back, and what is named when it cannot."""

import dataclasses
import json

from replication.config import Rnn, UserError
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent_files import (
    agent_folder,
    agent_task,
    load_agent,
    load_decoder,
    load_encoder,
    load_parts,
    load_rnn,
    named_agent,
)
from replication.runs import files, folders
from replication.runs.command_line import parse_cli
from replication.tasks.car_racing import CAR_RACING_V3
from replication.vae.vae import build_encoder

import numpy as np
import pytest
from agents import RUN, write_agent
from dreaming import random_rnn


@pytest.fixture
def folder(home):
    """An agent with a small M, as the stages leave it."""
    folder = folders.run_folder("mine")
    write_agent(folder, random_rnn(Rnn(hidden=16)))
    return folder


def complaint(folder) -> str:
    with pytest.raises(UserError) as error:
        load_agent(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_weights_come_back_as_they_were_saved(folder):
    rnn, encoder = random_rnn(Rnn(hidden=16)), load_encoder(folder)
    parts = load_parts(folder, "z_c_h", z="mean")
    for saved, loaded in (
        (encoder.get_weights(), parts.encoder),
        (rnn.get_weights(), parts.rnn),
    ):
        for one, other in zip(saved, loaded, strict=True):
            np.testing.assert_array_equal(one, other)
    assert (parts.task, parts.rnn_config) == (CAR_RACING_V3, Rnn(hidden=16))
    assert (parts.mode, parts.z) == ("z_c_h", "mean")
    assert parts.controller.parameter_count == (32 + 16 + 16 + 1) * 3
    z = np.random.default_rng(0).standard_normal((2, 32), np.float32)
    assert load_decoder(folder)(z).shape == (2, 64, 64, 3)


def test_built_networks_have_the_parts_weights(folder):
    parts, frames = load_parts(folder, "z_h"), np.full((2, 64, 64, 3), 0.3, np.float32)
    np.testing.assert_array_equal(parts.build_encoder()(frames), load_encoder(folder)(frames))
    assert files.fingerprint(parts.build_rnn().get_weights()) == files.fingerprint(parts.rnn)


def test_c_comes_back_with_what_it_sees(folder):
    parts, flat = load_agent(folder)
    best = json.loads((folder / "controller/best.json").read_text())
    np.testing.assert_array_equal(flat, np.float32(best["parameters"]))
    assert (flat.dtype, parts.mode, parts.z) == (np.float32, "z_h", "sample")
    files.write_json(folder / "controller/best.json", best | {"z": "mean"})
    assert load_agent(folder)[0].z == "mean"


WEIGHTS = ("vae/encoder.weights.h5", "rnn/rnn.weights.h5", "rnn/rnn.json")


@pytest.mark.parametrize("name", [*WEIGHTS, "controller/best.json", "config.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert complaint(folder).startswith(f"checkpoints/mine/{name} is missing")


@pytest.mark.parametrize("name", [*WEIGHTS, "controller/best.json", "config.json"])
def test_a_torn_file_is_named(folder, name):
    whole = (folder / name).read_bytes()
    for length in (0, len(whole) // 2):
        (folder / name).write_bytes(whole[:length])
        assert f"checkpoints/mine/{name}" in complaint(folder)


def test_an_m_of_another_size_is_named(folder):
    other = MDNRNN(Rnn(hidden=24), CAR_RACING_V3)
    other.save_weights(folder / "rnn" / "rnn.weights.h5")
    assert "rnn.weights.h5 does not fit mdn_rnn" in complaint(folder)


def test_a_v_of_another_z_size_is_named(folder):
    build_encoder(16).save_weights(folder / "vae" / "encoder.weights.h5")
    assert "encoder.weights.h5 does not fit encoder" in complaint(folder)


def test_sizes_of_another_program_are_named(folder):
    (folder / "rnn" / "rnn.json").write_text('{"units": 256}')
    assert "checkpoints/mine/rnn/rnn.json" in complaint(folder)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"mode": "z_only"}, "mode 'z_only': not of z_h, z, z_hidden, z_c, z_c_h"),
        ({"z": "median"}, "z 'median': not of sample, mean"),
        ({"parameters": [0.5] * 7}, "holds 7 finite parameters; mode z_h on this M takes 147"),
        ({"parameters": [float("nan")] * 147}, "holds 0 finite parameters"),
        ({"parameters": {}}, "parameters are not numbers"),
    ],
)
def test_a_c_that_cannot_act_is_named(folder, fields, reason):
    best = json.loads((folder / "controller/best.json").read_text())
    files.write_json(folder / "controller/best.json", best | fields)
    assert complaint(folder).startswith("checkpoints/mine/controller/best.json")
    assert reason in complaint(folder)


@pytest.mark.parametrize("key", ["mode", "z", "parameters"])
def test_a_c_that_lacks_something_is_named(folder, key):
    best = json.loads((folder / "controller/best.json").read_text())
    files.write_json(folder / "controller/best.json", {k: best[k] for k in best if k != key})
    assert "controller/best.json is not an object with mode, z, parameters" in complaint(folder)


def test_a_folder_says_which_game_its_agent_plays(folder):
    assert agent_task(folder) is CAR_RACING_V3
    files.write_json(folder / "config.json", {"train_rnn": {}})
    assert 'checkpoints/mine/config.json names no "task"' in complaint(folder)
    files.write_json(folder / "config.json", {"run": RUN | {"task": "chess"}})
    assert complaint(folder).startswith("--task chess: no such game")


def test_a_v_that_c_was_not_evolved_on_is_named(folder):
    parts = load_parts(folder, "z_h")
    evolved_on = {
        "input train_vae": files.fingerprint(parts.encoder),
        "input train_rnn": files.fingerprint(parts.rnn),
    }
    files.write_json(folder / "config.json", {"run": RUN, "train_controller": evolved_on})
    assert load_agent(folder)[0].rnn_config == Rnn(hidden=16)
    for name, part in (("vae", "encoder"), ("rnn", "rnn")):
        weights = folder / name / f"{part}.weights.h5"
        before = weights.read_bytes()
        model = load_encoder(folder) if name == "vae" else load_rnn(folder)
        model.set_weights([1.01 * array for array in model.get_weights()])
        model.save_weights(weights)  # as a training that goes on
        assert f"mine/controller was evolved on another {name}/" in complaint(folder)
        weights.write_bytes(before)


def test_an_agent_is_named_by_its_folder(folder, monkeypatch, tmp_path):
    assert agent_folder("checkpoints/mine") == agent_folder(str(folder)) == folder.resolve()
    monkeypatch.chdir(folder.parent)
    assert agent_folder("mine") == folder.resolve()  # as the user types it
    with pytest.raises(UserError, match="agent checkpoints/none: no such folder"):
        agent_folder("checkpoints/none")


def test_a_folder_of_a_run_is_told_from_an_agent_from_elsewhere(home):
    for name in ("mine", "report/two_cores"):
        assert folders.run_in(folders.run_folder(name).resolve()) == name
    assert folders.run_in(home.resolve()) is None
    assert folders.run_in(folders.run_folder("").resolve()) is None


def test_m_keeps_its_heads(home):
    folder = folders.run_folder("heads")
    config = Rnn(hidden=16, heads="reward,termination")
    write_agent(folder, random_rnn(config))
    assert load_rnn(folder).config == config
    assert sorted(load_agent(folder)[0].build_rnn().heads) == ["reward", "termination"]


def test_the_agent_of_the_run_before_stands_beside_the_run(home, tmp_path, monkeypatch):
    """Whatever has its name where the command is typed."""
    before, here = home / "checkpoints/mine_2", tmp_path / "here"
    for folder in (before, here / "checkpoints/mine_2", here / "checkpoints/other"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    config = parse_cli(["laptop", "--run", "mine"])
    assert named_agent(config, config.extract.agent) == before
    assert named_agent(config, "checkpoints/other") == here / "checkpoints/other"
    alone = dataclasses.replace(config, after="")
    assert named_agent(alone, "checkpoints/mine_2") == here / "checkpoints/mine_2"
    before.rmdir()
    with pytest.raises(UserError, match=f"agent {before}: no such folder"):
        named_agent(config, "checkpoints/mine_2")
