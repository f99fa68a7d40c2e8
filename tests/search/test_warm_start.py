"""C for another V or M: fitted to act as an agent does."""

import dataclasses

from replication.config import Rnn, UserError
from replication.presets import PRESETS
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts
from replication.runs import folders, seeds
from replication.search import recorded_inputs
from replication.search.warm_start import act_like, linear_fit
from replication.tasks.car_racing import CAR_RACING_V3
from replication.vae.vae import build_encoder

import numpy as np
import pytest


def test_a_linear_fit_finds_the_weights():
    random = np.random.default_rng(0)
    x = np.float32(5 + random.standard_normal((3000, 7)))
    weight, bias = random.standard_normal((7, 3)), np.array([0.5, -1, 2])
    fitted_bias, fitted_weight = linear_fit(x, x @ weight + bias, 1e-3)
    np.testing.assert_allclose(fitted_weight, weight, rtol=0.01)
    np.testing.assert_allclose(fitted_bias, bias, atol=0.05)


def test_inputs_that_say_nothing_get_no_weight():
    random = np.random.default_rng(0)
    x = random.standard_normal((2000, 4)) * [1, 1, 0, 0]
    bias, weight = linear_fit(x, x[:, :3] + 1, 1e-3)
    assert not weight[2:].any()
    assert np.isfinite(bias).all()


def test_a_fit_without_an_intercept_has_no_bias():
    random = np.random.default_rng(0)
    x = 5 + random.standard_normal((3000, 4))
    weight = random.standard_normal((4, 2))
    bias, fitted = linear_fit(x, x @ weight + 3, 1e-6, intercept=False)
    assert bias.tolist() == [0, 0]
    expected = np.linalg.lstsq(x, x @ weight + 3, rcond=None)[0]  # least squares through 0
    np.testing.assert_allclose(fitted, expected, rtol=1e-3)


# act_like ----------------------------------------------------------------------------------

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")
SETTINGS = Rnn(hidden=8)


def parts(task=CAR_RACING_V3, mode: str = "z") -> AgentParts:
    """The same V and M each time."""
    seeds.seed_everything(0)
    encoder, rnn = build_encoder(task.z_size), MDNRNN(SETTINGS, task)
    return AgentParts(task, encoder.get_weights(), rnn.get_weights(), SETTINGS, mode, "mean")


@pytest.fixture
def rollouts(home, write_episode, monkeypatch):
    """Ten episodes, and inputs of C drawn for them instead of V's and M's."""
    for seed in range(10):
        write_episode(folders.record_folder(CONFIG), seed)

    def drawn(parts: AgentParts, episodes) -> list[np.ndarray]:
        size = parts.controller.input_size
        streams = [np.random.default_rng(episode.seed) for episode in episodes]
        return [np.float32(1 + stream.standard_normal((60, 40))[:, :size]) for stream in streams]

    monkeypatch.setattr("replication.search.warm_start.inputs_of_c", drawn)
    return recorded_inputs.some_episodes(CONFIG)


def test_on_its_own_inputs_it_acts_like_itself_within_the_clip(rollouts):
    """Outputs beyond what squashing tells apart are clipped before the fit."""
    agent = parts()
    parameters = np.float32(0.1 * np.random.default_rng(1).standard_normal(99))
    parameters[2] += 1  # the brake, well above the lowest output that is told apart
    fitted, shares = act_like(agent, parameters, agent, CONFIG)
    assert fitted.dtype == np.float32 and fitted.shape == (99,)
    np.testing.assert_allclose(fitted, parameters, atol=0.02)
    assert list(shares) == ["steer", "gas", "brake"]
    assert min(shares.values()) > 0.98
    far, _ = act_like(agent, parameters * 1000, agent, CONFIG)
    outputs = agent.controller.output(far[None], np.ones((1, 32), np.float32)).numpy()
    assert np.abs(outputs).max() < 10 < np.abs(1000 * parameters).max()


def test_shares_are_of_episodes_that_were_not_fitted(rollouts, monkeypatch):
    """Outputs that are noise are explained where they were fitted, and nowhere else."""
    agent, ours = parts(), parts(mode="z_h")
    parameters = np.float32(np.random.default_rng(1).standard_normal(99))

    def noise(parts: AgentParts, episodes) -> list[np.ndarray]:
        seed = 0 if parts.mode == "z" else 1
        streams = [np.random.default_rng([seed, episode.seed]) for episode in episodes]
        size = parts.controller.input_size
        return [np.float32(stream.standard_normal((5, size))) for stream in streams]

    monkeypatch.setattr("replication.search.warm_start.inputs_of_c", noise)
    _, shares = act_like(agent, parameters, ours, CONFIG)
    assert max(shares.values()) < 0.1


def test_a_game_without_biases_has_a_start_without_them(rollouts):
    task = dataclasses.replace(CAR_RACING_V3, bias=False)
    agent = parts(task)
    parameters = np.float32(0.1 * np.random.default_rng(1).standard_normal(96))
    fitted, _ = act_like(agent, parameters, agent, CONFIG)
    assert fitted.shape == (96,)
    np.testing.assert_allclose(fitted[0::3], parameters[0::3], atol=0.02)  # steer is not clipped


def test_a_c_that_is_not_linear_and_too_few_rollouts_are_refused(rollouts, home):
    agent, parameters = parts(), np.zeros(99, np.float32)
    hidden = dataclasses.replace(CONFIG.controller, mode="z_hidden")
    with pytest.raises(UserError, match="mode z_hidden is not linear, and cannot be fitted"):
        act_like(agent, parameters, agent, dataclasses.replace(CONFIG, controller=hidden))
    for episode in rollouts[1:]:
        episode.path.unlink()
    with pytest.raises(UserError, match="a fit takes two episodes of rollouts at least"):
        act_like(agent, parameters, agent, CONFIG)


def test_some_episodes_are_evenly_spread(home, write_episode, monkeypatch):
    monkeypatch.setattr(recorded_inputs, "EPISODES", 4)
    for seed in range(10):
        write_episode(folders.record_folder(CONFIG), seed)
    assert [episode.seed for episode in recorded_inputs.some_episodes(CONFIG)] == [0, 3, 6, 9]
    monkeypatch.setattr(recorded_inputs, "EPISODES", 50)
    assert [episode.seed for episode in recorded_inputs.some_episodes(CONFIG)] == list(range(10))
