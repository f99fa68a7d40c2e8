"""Measures of pictures: by hand, and against TensorFlow's SSIM."""

from replication.tf import tf
from replication.vae import quality

import numpy as np
import pytest


@pytest.fixture(scope="module")
def pictures():
    """Noise, the same with more noise, and something else: uint8 (3, 2, 64, 64, 3)."""
    random = np.random.default_rng(0)
    smooth = random.integers(0, 256, (2, 8, 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    noisy = np.clip(smooth + random.normal(0, 20, smooth.shape), 0, 255)
    return np.uint8([smooth, noisy, random.integers(0, 256, smooth.shape)])


def test_ssim_is_tensorflows(pictures):
    for other in pictures[1:]:
        expected = tf.image.ssim(pictures[0], other, 255).numpy()
        np.testing.assert_allclose(quality.ssim(pictures[0], other), expected, atol=1e-4)
    near, far = (quality.ssim(pictures[0], other).mean() for other in pictures[1:])
    assert 1 > near > far
    np.testing.assert_allclose(quality.ssim(pictures[0], pictures[0]), 1)


def test_squared_error_is_vs_own(pictures):
    black, white = np.zeros((1, 64, 64, 3), np.uint8), np.full((1, 64, 64, 3), 255, np.uint8)
    assert quality.squared_error(black, white).tolist() == [64 * 64 * 3]
    one = black.copy()
    one[0, 5, 6, 1] = 51  # a fifth
    assert quality.squared_error(one, black) == pytest.approx([0.04])


def test_sharpness_by_hand():
    """One white pixel on black: the Laplacian is -4 x 255 there and 255 at its four neighbours."""
    image = np.zeros((1, 64, 64, 3), np.uint8)
    assert quality.sharpness(image).tolist() == [0]
    image[0, 30, 30] = 255
    inner = 62 * 62  # the sum of all is 0
    assert quality.sharpness(image) == pytest.approx([255**2 * (16 + 4) / inner])


def test_blur_lowers_sharpness(pictures):
    blurred = np.uint8(tf.nn.avg_pool2d(np.float32(pictures[1]), 3, 1, "SAME").numpy())
    assert (quality.sharpness(blurred) < 0.5 * quality.sharpness(pictures[1])).all()
