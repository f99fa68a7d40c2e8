"""C for another V or M: fitted to act as an agent does."""

from replication.search.warm_start import linear_fit

import numpy as np


def test_a_linear_fit_finds_the_weights():
    random = np.random.default_rng(0)
    x = np.float32(5 + random.standard_normal((3000, 7)))
    weight, bias = random.standard_normal((7, 3)), np.array([0.5, -1, 2])
    found = linear_fit(x, x @ weight + bias, 1e-3)
    np.testing.assert_allclose(found[1], weight, rtol=0.01)
    np.testing.assert_allclose(found[0], bias, atol=0.05)


def test_inputs_that_say_nothing_get_no_weight():
    random = np.random.default_rng(0)
    x = random.standard_normal((2000, 4)) * [1, 1, 0, 0]
    bias, weight = linear_fit(x, x[:, :3] + 1, 1e-3)
    assert not weight[2:].any()
    assert np.isfinite(bias).all()
