"""M's dream: one timeline, rows that do not see each other, random numbers of a key's own."""

from replication.rnn.dream import Dreams

import numpy as np
import pytest
from dreaming import ACTIONS, EXACT_STARTS, HEADS, STARTS, by_hand, random_rnn
from scipy.stats import kstest


def dreamt(dreams: Dreams, actions, *keys: int) -> np.ndarray:
    """z (T + 1, B, Z) of a dream for each key, all under the same actions."""
    for row, key in enumerate(keys):
        dreams.begin(row, key)
    path = [dreams.z]
    for action in actions:
        dreams.step(np.tile(action, (len(keys), 1)))
        path.append(dreams.z)
    return np.stack(path)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_a_dream_is_a_loop_over_m(temperature):
    rnn = random_rnn()
    path = dreamt(Dreams(rnn, STARTS, temperature), ACTIONS, 3)[:, 0]
    expected = by_hand(rnn, STARTS, ACTIONS, 3, temperature)
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)


def test_a_dream_of_one_component_is_a_loop_over_m():
    rnn = random_rnn()
    path = dreamt(Dreams(rnn, STARTS, component=2), ACTIONS[:6], 3)[:, 0]
    expected = by_hand(rnn, STARTS, ACTIONS[:6], 3, component=2)
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)
    for component in (5, -1):
        with pytest.raises(ValueError, match="M has 5"):
            Dreams(rnn, STARTS, component=component)


def test_a_batch_is_as_many_single_dreams():
    rnn, seeds = random_rnn(), (3, 4, 5, 6)
    together = dreamt(Dreams(rnn, STARTS, width=4), ACTIONS, *seeds)  # (T + 1, B, Z)
    for row, seed in enumerate(seeds):
        alone = dreamt(Dreams(rnn, STARTS), ACTIONS, seed)[:, 0]
        np.testing.assert_array_equal(together[:, row], alone)
    assert np.abs(together[:, 0] - together[:, 1]).max() > 0.1


def test_a_row_begins_anew_and_the_others_go_on():
    rnn = random_rnn()
    dreams = Dreams(rnn, STARTS, width=2)
    dreamt(dreams, ACTIONS[:7], 3, 4)
    dreams.begin(0, 5)
    assert not dreams.h[0].any() and not dreams.c[0].any() and dreams.h[1].any()
    for action in ACTIONS[7:12]:
        dreams.step(np.stack([action, action]))
    fresh = dreamt(Dreams(rnn, STARTS), ACTIONS[7:12], 5)[-1, 0]
    undisturbed = dreamt(Dreams(rnn, STARTS), ACTIONS[:12], 4)[-1, 0]
    np.testing.assert_array_equal(dreams.z, [fresh, undisturbed])


def test_dreams_start_from_every_first_frame():
    mu = EXACT_STARTS.mu
    dreams = Dreams(random_rnn(), EXACT_STARTS, width=100)
    for row in range(100):
        dreams.begin(row, 1000 * row)
    starts = {int(np.flatnonzero((mu == z).all(axis=1))[0]) for z in dreams.z}
    assert starts == set(range(len(mu)))


def test_heads_change_neither_z_nor_h():
    plain, heads = random_rnn(), random_rnn(HEADS)
    for ours, theirs in ((plain.lstm, heads.lstm), (plain.head, heads.head)):
        theirs.set_weights(ours.get_weights())
    np.testing.assert_array_equal(
        dreamt(Dreams(plain, STARTS), ACTIONS, 3), dreamt(Dreams(heads, STARTS), ACTIONS, 3)
    )


def test_what_is_expected_is_read_off_the_next_h():
    rnn = random_rnn(HEADS)
    dreams = Dreams(rnn, STARTS, width=2)
    assert Dreams(random_rnn(), STARTS).step(ACTIONS[:1]) == {}
    for row in (0, 1):
        dreams.begin(row, row)
    for action in ACTIONS[:5]:
        expected = dreams.step(np.stack([action, action]))
        predicted = rnn.predict_heads(dreams.h)
        np.testing.assert_allclose(expected["reward"], predicted["reward"].mean(), atol=1e-5)
        chance = predicted["termination"].probs_parameter()
        np.testing.assert_allclose(expected["termination"], chance, atol=1e-5)


def test_a_step_leaves_a_number_for_the_end_that_z_does_not_use():
    dreams = Dreams(random_rnn(), STARTS, width=2000)
    for row in range(2000):
        dreams.begin(row, 7919 * row)
    dreams.step(np.zeros((2000, 3)))
    uniform = dreams.uniform
    assert uniform.shape == (2000,) and len(np.unique(uniform)) > 1990
    assert kstest(uniform, "uniform").pvalue > 1e-5
    assert np.abs(np.corrcoef(uniform, dreams.z.T)[0, 1:]).max() < 0.1


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_temperatures_are_positive(temperature):
    with pytest.raises(ValueError, match="must be positive"):
        Dreams(random_rnn(), STARTS, temperature)


def test_a_start_may_have_a_memory():
    """Dreams that branch off a drive: h and c of M there, and the z that was seen, exactly."""
    random, rnn = np.random.default_rng(1), random_rnn()
    h, c = (random.standard_normal((7, 16), np.float32) for _ in range(2))
    starts = EXACT_STARTS._replace(h=h, c=c)
    dreams = Dreams(rnn, starts)
    path = dreamt(dreams, ACTIONS[:6], 3)[:, 0]
    expected = by_hand(rnn, starts, ACTIONS[:6], 3)
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)
    dreams.begin(0, 3)
    (start,) = np.flatnonzero((starts.mu == dreams.z[0]).all(axis=1))
    np.testing.assert_array_equal(dreams.h[0], h[start])
    np.testing.assert_array_equal(dreams.c[0], c[start])
