"""The original's Doom agent becomes a run: its files are made up, and its M is done by hand."""

import json

from replication.dataset.series import first_frames, load_series
from replication.rollouts.agent_files import load_agent, load_rnn
from replication.runs import folders, records
from replication.tasks.take_cover import TAKE_COVER

import numpy as np
import original
import pytest
import tiny
from scipy.special import expit

RUN = "checkpoints/original"


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    source = original.write_doom(home / "doomrnn")
    ended = tiny.stage("import_original", str(source), home=home)
    assert ended.status == 0, ended.err
    assert ended.last == f"imported into {RUN}; its authors logged 958.5 for it"
    return home


def test_the_run_is_of_take_cover_and_sees_as_the_original_saw(imported):
    parts, parameters = load_agent(imported / RUN)
    assert (parts.task, parts.frames, parts.mode, parts.z) == (
        TAKE_COVER, "stretched", "z_c_h", "sample",
    )  # fmt: skip
    np.testing.assert_array_equal(parameters, np.float32(original.doom_c_numbers()))
    best = json.loads((imported / RUN / "controller/best.json").read_text())
    assert best["generation"] == 1575


def test_its_c_is_the_tanh_of_w_times_z_c_h(imported):
    parts, parameters = load_agent(imported / RUN)
    random = np.random.default_rng(0)
    z, h, c = (np.float32(random.standard_normal((3, size))) for size in (64, 512, 512))
    action = parts.controller.act(parameters[None].repeat(3, axis=0), z, h, c)
    expected = np.tanh(np.concatenate([z, c, h], axis=1) @ original.doom_c_numbers())
    np.testing.assert_allclose(action[:, 0], expected, atol=1e-4)


def test_its_m_steps_as_the_originals_arrays_say(imported):
    """Rows z, action, restart, h; gates i, j, f, o with 1 on f; column 0 is the end's logit."""
    output, output_bias, kernel, bias = (
        array / 10_000 for array in original.integers(original.DOOM_M_SHAPES, seed=5)
    )
    random = np.random.default_rng(1)
    z, action, h, c = (random.standard_normal((2, size)) for size in (64, 1, 512, 512))
    restart = np.array([1.0, 0.0])
    x = np.concatenate([z, action, restart[:, None], h], axis=1)
    i, j, f, o = np.split(x @ kernel + bias, 4, axis=1)
    new_c = expit(f + 1) * c + expit(i) * np.tanh(j)
    new_h = expit(o) * np.tanh(new_c)
    raw = new_h @ output + output_bias

    rnn = load_rnn(imported / RUN)
    ours = rnn.step(*map(np.float32, (z, action, h, c, restart)))
    for values, expected in zip(ours, (new_h, new_c), strict=True):
        np.testing.assert_allclose(values, expected, atol=1e-4)
    chance = rnn.predict_heads(ours[0])["end"].mean()
    np.testing.assert_allclose(chance, expit(raw[:, 0]), atol=1e-4)
    means = rnn.predict_z(ours[0]).components_distribution.loc  # (B, Z, K)
    expected = raw[:, 1:].reshape(2, 64, 15)[..., 5:10]
    np.testing.assert_allclose(means, expected, atol=1e-3)


def test_its_dreams_start_from_its_own_first_frames(imported, monkeypatch):
    monkeypatch.setattr(folders, "HOME", imported)
    mu, logvar = first_frames(load_series(records.load_config("original")))
    for ours, theirs in zip((mu, logvar), original.doom_starts(), strict=True):
        np.testing.assert_allclose(ours, theirs / 10_000, atol=2e-3)  # half precision


def test_a_file_that_is_unfit_is_named(tmp_path):
    source = original.write_doom(tmp_path / "doomrnn")
    original.write_arrays(source / "initial_z/initial_z.json", [np.zeros((5, 32))] * 2)
    refused = tiny.stage("import_original", str(source), home=tmp_path)
    assert "initial_z.json: array 1 is (5, 32), not (5, 64)" in refused.complaint
    assert not (tmp_path / RUN).exists()
