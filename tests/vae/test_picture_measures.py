"""Measures of pictures: by hand, and SSIM by its formula."""

from replication.tf import tf
from replication.vae.picture_measures import measure_reconstructions, sharpness

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter


@pytest.fixture(scope="module")
def pictures():
    """Colours in large squares, the same with noise, and noise: uint8 (3, 2, 64, 64, 3)."""
    random = np.random.default_rng(0)
    smooth = random.integers(0, 256, (2, 8, 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    noisy = np.clip(smooth + random.normal(0, 20, smooth.shape), 0, 255)
    return np.uint8([smooth, noisy, random.integers(0, 256, smooth.shape)])


def windows(x: np.ndarray) -> np.ndarray:
    """Gaussian means over all 11 x 11 windows inside: (N, 64, 64, 3) -> (N, 54, 54, 3)."""
    return gaussian_filter(x, 1.5, axes=(1, 2), radius=5)[:, 5:-5, 5:-5]


def ssim_by_formula(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Equation 13 of Wang et al. (2004), mean over windows and colours; x, y in 0..1."""
    mean_x, mean_y = windows(x), windows(y)
    variance_x, variance_y = windows(x**2) - mean_x**2, windows(y**2) - mean_y**2
    covariance = windows(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return similarity.mean(axis=(1, 2, 3))


def test_ssim_is_that_of_wang_et_al(pictures):
    obs, *others = pictures
    near, far = (measure_reconstructions(recon, obs)["SSIM"] for recon in others)
    for values, recon in ((near, others[0]), (far, others[1])):
        assert values == pytest.approx(ssim_by_formula(recon / 255, obs / 255), abs=1e-4)
    assert (near > far).all() and (near < 1).all()
    assert measure_reconstructions(obs, obs)["SSIM"] == pytest.approx(1)


def test_error_is_squared_and_summed_over_pixels_and_colours():
    black, white = np.zeros((1, 64, 64, 3), np.uint8), np.full((1, 64, 64, 3), 255, np.uint8)
    assert measure_reconstructions(white, black)["error"].tolist() == [64 * 64 * 3]
    one = black.copy()
    one[0, 5, 6, 1] = 51  # a fifth
    assert measure_reconstructions(one, black)["error"] == pytest.approx([0.04])


def test_sharpness_by_hand():
    """One white pixel on black: the Laplacian is -4 x 255 there and 255 at its four neighbours."""
    image = np.zeros((1, 64, 64, 3), np.uint8)
    assert sharpness(image).tolist() == [0]
    image[0, 30, 30] = 255
    inner = 62 * 62  # the sum of all is 0
    assert sharpness(image) == pytest.approx([255**2 * (16 + 4) / inner])


def test_blur_lowers_sharpness(pictures):
    blurred = np.uint8(tf.nn.avg_pool2d(np.float32(pictures[1]), 3, 1, "SAME").numpy())
    assert (sharpness(blurred) < 0.5 * sharpness(pictures[1])).all()
    assert measure_reconstructions(blurred, pictures[1])["sharpness"] == pytest.approx(
        sharpness(blurred)
    )
