"""M: its size, the mixture against SciPy, and losses that see neither padding nor the future."""

from replication.config import Rnn
from replication.rnn.rnn import MDNRNN, mixture, mixture_parameters
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tf import keras, tf

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm, poisson

B, T, Z, K = 3, 7, 32, 5
SMALL = Rnn(hidden=16)
HEADS = Rnn(hidden=16, heads="reward,termination")


def random_rnn(config: Rnn) -> MDNRNN:
    keras.utils.set_random_seed(0)
    return MDNRNN(config, CAR_RACING_V3)


@pytest.fixture
def batch() -> dict:
    """Three episodes, of 8, 5 and 2 frames: 7, 4 and 1 pairs, and 7, 5 and 2 outcomes."""
    random = np.random.default_rng(0)
    weight, head_weight = np.zeros((2, B, T), np.float32)
    for row, pairs in enumerate((7, 4, 1)):
        weight[row, :pairs] = 1
        head_weight[row, : pairs + 1] = 1
    counts = np.float32(random.uniform(0.5, 4, (B, T)))  # of a step, in a head's loss
    return {
        "z": random.standard_normal((B, T + 1, Z), np.float32),
        "action": np.float32(random.uniform(-1, 1, (B, T + 1, 3))),
        "reward": np.stack([random.standard_normal((B, T), np.float32), counts], axis=-1),
        "termination": np.stack([np.float32(random.integers(0, 2, (B, T))), counts], axis=-1),
        "restart": np.zeros((B, T), np.float32),
        "weight": weight,
        "head_weight": head_weight,
    }


def scipy_log_prob(raw: np.ndarray, z: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """log p of z (..., Z) under the head's output (..., Z * 3 * K), in float64."""
    raw = np.float64(raw).reshape(*z.shape, 3, K)
    logpi, mu, logsigma = (raw[..., i, :] for i in range(3))
    logpi = log_softmax(logpi / temperature, axis=-1)
    sigma = np.exp(logsigma) * np.sqrt(temperature)
    return logsumexp(logpi + norm.logpdf(z[..., None], mu, sigma), axis=-1)


def hidden_states(rnn: MDNRNN, batch: dict) -> np.ndarray:
    return rnn(batch["z"][:, :-1], batch["action"][:, :-1])[0].numpy()  # (B, T, H)


def test_parameter_count_is_the_papers():
    rnn = MDNRNN(Rnn(), CAR_RACING_V3)
    assert rnn.count_params() == 422_368
    assert sum(int(np.prod(v.shape)) for v in rnn.trainable_variables) == 422_368
    assert rnn.head.kernel.shape == (256, 480)


def test_forget_bias_is_1_and_other_biases_0():
    bias = random_rnn(SMALL).lstm.cell.bias.numpy()  # input, forget, cell, output
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], 16))


@pytest.mark.parametrize("temperature", [1.0, 0.3, 1.7])
def test_mixture_log_prob_against_scipy(temperature):
    random = np.random.default_rng(0)
    raw = np.float32(random.standard_normal((2, 4, Z * 3 * K)))
    z = np.float32(3 * random.standard_normal((2, 4, Z)))
    log_prob = mixture(raw, Z, temperature).log_prob(z)
    assert log_prob.shape == (2, 4, Z)
    np.testing.assert_allclose(log_prob, scipy_log_prob(raw, z, temperature), rtol=1e-4, atol=1e-4)


def test_mixture_of_one_gaussian_by_hand():
    """All weight on the third of five: -ln(sigma) - ln(2 pi) / 2 - (z - mu)^2 / (2 sigma^2)."""
    raw = np.zeros((1, Z, 3, K), np.float32)
    raw[:, :, 0, 2], raw[:, :, 1, 2], raw[:, :, 2, 2] = 100, 1.5, np.log(2)
    log_prob = mixture(raw.reshape(1, -1), Z).log_prob(np.full((1, Z), 2.5, np.float32))
    by_hand = -np.log(2) - np.log(2 * np.pi) / 2 - 1 / 8
    np.testing.assert_allclose(log_prob, np.full((1, Z), by_hand), rtol=1e-6)


def test_every_dimension_has_weights_of_its_own():
    raw = np.arange(Z * 3 * K, dtype=np.float32)[None]
    logpi, mu, logsigma = mixture_parameters(raw, Z)
    expected = raw.reshape(Z, 3, K)
    for part, index in ((logpi, 0), (mu, 1), (logsigma, 2)):
        np.testing.assert_array_equal(part[0], expected[:, index])


def test_temperature_widens_samples():
    raw = np.zeros((1, Z, 3, K), np.float32)
    raw[:, :, 0, 0], raw[:, :, 2] = 50, np.log(0.5)  # one Gaussian, sigma 0.5
    for temperature in (0.25, 1.0, 4.0):
        samples = mixture(raw.reshape(1, -1), Z, temperature).sample(4000, seed=1)
        expected = 0.5 * np.sqrt(temperature)
        assert float(np.std(samples)) == pytest.approx(expected, rel=0.02)


def test_sequence_pass_is_the_step_by_step_pass(batch):
    rnn = random_rnn(Rnn(hidden=64))
    z, action = batch["z"], batch["action"]
    outputs, (last_h, last_c) = rnn(z, action)
    h = c = np.zeros((B, 64), np.float32)
    for t in range(T + 1):
        h, c = rnn.step(z[:, t], action[:, t], h, c)
        np.testing.assert_allclose(h, outputs[:, t], atol=1e-6)
    np.testing.assert_allclose(h, last_h, atol=1e-6)
    np.testing.assert_allclose(c, last_c, atol=1e-6)


def test_a_step_is_the_lstms_equations(batch):
    """h_{t+1}, c_{t+1} from [z_t, a_t], h_t, c_t, in NumPy."""
    rnn = random_rnn(SMALL)
    h, c = (np.float32(np.random.default_rng(i).standard_normal((B, 16))) for i in (1, 2))
    kernel, recurrent, bias = (w.numpy() for w in rnn.lstm.cell.trainable_variables)
    z, action = batch["z"][:, 0], batch["action"][:, 0]
    gates = np.concatenate([z, action], axis=1) @ kernel + h @ recurrent + bias
    i, f, g, o = np.split(gates, 4, axis=1)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    next_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    after_h, after_c = rnn.step(z, action, h, c)
    np.testing.assert_allclose(after_c, next_c, atol=1e-6)
    np.testing.assert_allclose(after_h, sigmoid(o) * np.tanh(next_c), atol=1e-6)


def test_a_state_is_carried_on(batch):
    rnn = random_rnn(SMALL)
    z, action = batch["z"], batch["action"]
    whole, _ = rnn(z, action)
    _, state = rnn(z[:, :3], action[:, :3])
    rest, _ = rnn(z[:, 3:], action[:, 3:], state=state)
    np.testing.assert_allclose(rest, whole[:, 3:], atol=1e-6)


@pytest.mark.parametrize("field", ["z", "action"])
def test_the_prediction_of_z_has_seen_everything_before_it_and_nothing_of_it(batch, field):
    """h_{t+1}, at place t, predicts z_{t+1} from (z_t, a_t) and earlier."""
    rnn = random_rnn(SMALL)
    before = hidden_states(rnn, batch)
    t = 3
    batch[field][:, t + 1] += 1
    after = hidden_states(rnn, batch)
    changed = (before != after).any(axis=(0, 2))
    assert changed.tolist() == [place >= t + 1 for place in range(T)]


def test_loss_is_the_mean_nll_of_a_scalar_over_real_steps(batch):
    rnn = random_rnn(SMALL)
    raw = rnn.head(hidden_states(rnn, batch)).numpy()
    log_prob = scipy_log_prob(raw, batch["z"][:, 1:])  # (B, T, Z)
    losses = rnn.losses_of(batch)
    assert float(losses["nll"]) == pytest.approx(-log_prob[batch["weight"] == 1].mean(), rel=1e-5)
    assert float(losses["loss"]) == float(losses["nll"])
    assert set(losses) == {"loss", "nll"}


def test_optional_heads_and_their_losses_by_hand(batch):
    rnn = random_rnn(HEADS)
    assert rnn.count_params() == random_rnn(SMALL).count_params() + 2 * 17
    h, real = hidden_states(rnn, batch), batch["head_weight"] == 1
    outputs = {
        name: h @ head.kernel.numpy() + head.bias.numpy() for name, head in rnn.heads.items()
    }
    reward = outputs["reward"][..., 0]
    target, counts = np.moveaxis(batch["reward"][real], -1, 0)
    squares = (target - reward[real]) ** 2
    logit = outputs["termination"][..., 0][real]
    entropy = np.log1p(np.exp(logit)) - batch["termination"][real][:, 0] * logit
    losses = {name: float(value) for name, value in rnn.losses_of(batch).items()}
    by_hand = counts * (squares / 2 + np.log(2 * np.pi) / 2)
    assert losses["reward"] == pytest.approx(by_hand.mean(), rel=1e-5)
    assert losses["termination"] == pytest.approx((counts * entropy).mean(), rel=1e-5)
    total = losses["nll"] + losses["reward"] + losses["termination"]
    assert losses["loss"] == pytest.approx(total, rel=1e-6)


def test_a_count_is_a_poissons(batch):
    rnn = random_rnn(Rnn(hidden=16, heads="tiles"))
    counted = np.random.default_rng(1).integers(0, 3, (B, T))
    batch["tiles"] = np.stack([counted, batch["reward"][..., 1]], axis=-1).astype(np.float32)
    h, real = hidden_states(rnn, batch), batch["head_weight"] == 1
    raw = (h @ rnn.heads["tiles"].kernel.numpy() + rnn.heads["tiles"].bias.numpy())[..., 0]
    expected, (target, counts) = np.log1p(np.exp(raw)), np.moveaxis(batch["tiles"][real], -1, 0)
    by_hand = -counts * poisson.logpmf(target, expected[real])
    assert float(rnn.losses_of(batch)["tiles"]) == pytest.approx(by_hand.mean(), rel=1e-4)
    said = rnn.expectations(raw.reshape(-1, 1))["tiles"]
    np.testing.assert_allclose(said, expected.reshape(-1), rtol=1e-5)
    np.testing.assert_allclose(rnn.predict_heads(h)["tiles"].mean(), expected, rtol=1e-4)


def test_a_count_that_m_was_sure_of_can_be_wrong(batch):
    rnn = random_rnn(Rnn(hidden=16, heads="tiles"))
    rnn.heads["tiles"].set_weights([np.zeros((16, 1)), np.full(1, -200)])
    batch["tiles"] = np.ones((B, T, 2), np.float32)
    assert all(np.isfinite(values).all() for values in losses_and_gradients(rnn, batch))
    assert rnn.expectations(np.float32([[-200], [200]]))["tiles"].tolist() == [0, 200]


@pytest.mark.parametrize("name", ["reward", "termination"])
def test_one_head_alone(name, batch):
    rnn = random_rnn(Rnn(hidden=16, heads=name))
    assert list(rnn.heads) == list(rnn.predict_heads(hidden_states(rnn, batch))) == [name]
    assert set(rnn.losses_of(batch)) == {"loss", "nll", name}
    assert random_rnn(SMALL).predict_heads(np.zeros((1, 16), np.float32)) == {}


def test_heads_predict_a_reward_and_the_probability_of_an_end(batch):
    rnn = random_rnn(HEADS)
    h = hidden_states(rnn, batch)
    predictions = rnn.predict_heads(h)
    reward, termination = (
        (h @ rnn.heads[name].kernel.numpy() + rnn.heads[name].bias.numpy())[..., 0]
        for name in ("reward", "termination")
    )
    assert predictions["reward"].batch_shape == predictions["termination"].batch_shape == (B, T)
    np.testing.assert_allclose(predictions["reward"].mean(), reward, atol=1e-6)
    probability = predictions["termination"].probs_parameter()
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-termination)), atol=1e-6)


def losses_and_gradients(rnn: MDNRNN, batch: dict) -> list[np.ndarray]:
    with tf.GradientTape() as tape:
        losses = rnn.losses_of(batch)
    return [*losses.values(), *tape.gradient(losses["loss"], rnn.trainable_variables)]


def test_padding_enters_neither_loss_nor_gradient(batch):
    """Other values in every step of no episode: not a bit changes."""
    rnn = random_rnn(HEADS)
    before = losses_and_gradients(rnn, batch)
    padded = batch["head_weight"] == 0
    for name in ("reward", "termination"):
        batch[name][padded] = 1 - batch[name][padded]
    for name in ("z", "action"):
        batch[name][:, :-1][padded] += 5
    for old, new in zip(before, losses_and_gradients(rnn, batch), strict=True):
        np.testing.assert_array_equal(old, new)


def test_no_gradient_reaches_padded_steps(batch):
    rnn, z = random_rnn(HEADS), tf.Variable(batch["z"])
    with tf.GradientTape() as tape:
        loss = rnn.losses_of(batch | {"z": z})["loss"]
    reached = np.any(tape.gradient(loss, z), axis=-1)  # (B, T+1)
    frames = np.array([[8], [5], [2]])
    np.testing.assert_array_equal(reached, np.arange(T + 1) < frames)


def test_a_batch_of_padding_alone_costs_nothing(batch):
    batch["weight"][:] = batch["head_weight"][:] = 0
    assert float(random_rnn(HEADS).losses_of(batch)["loss"]) == 0


def test_tracked_loss_weighs_batches_by_their_steps(batch):
    rnn = random_rnn(SMALL)
    short = {name: value[2:] for name, value in batch.items()}  # one pair
    long = {name: value[:1] for name, value in batch.items()}  # seven
    alone = [float(rnn.losses_of(part)["nll"]) for part in (short, long)]
    for part in (short, long):
        tracked = rnn._track(rnn.losses_of(part), part)
    assert float(tracked["nll"]) == pytest.approx((alone[0] + 7 * alone[1]) / 8, rel=1e-5)
