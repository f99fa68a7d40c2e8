"""How good a picture is: its pixels' error, its structural similarity, its sharpness.

All take uint8 pictures (..., 64, 64, 3), 0..255, and return one number for each.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, laplace

LUMA = np.array([0.299, 0.587, 0.114])  # of red, green, blue (Rec. 601)
RADIUS = 5  # pixels: a window of 11 x 11
MEASURES = ("error", "SSIM", "sharpness")  # of a reconstruction


def measures(image: np.ndarray, original: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """MEASURES of pictures, by name: of those that have no original the sharpness alone."""
    if original is None:
        return {"sharpness": sharpness(image)}
    values = squared_error(image, original), ssim(image, original), sharpness(image)
    return dict(zip(MEASURES, values, strict=True))


def squared_error(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Summed over pixels and colours, of values 0..1: V's own measure."""
    difference = image / 255 - reference / 255
    return (difference**2).sum(axis=(-3, -2, -1))


def ssim(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al. 2004), up to 1 for equal pictures.

    Gaussian windows of 11 x 11 with a deviation of 1.5, those that lie inside the picture; the mean
    over these and the three colours. A test compares it with tf.image.ssim, which figures do
    without: TensorFlow takes longer to load than all figures to draw.
    """
    x, y = image / 255, reference / 255
    mean_x, mean_y = _windows(x), _windows(y)
    product, power = mean_x * mean_y, mean_x**2 + mean_y**2
    covariance, variances = _windows(x * y) - product, _windows(x**2 + y**2) - power
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * product + c1) * (2 * covariance + c2) / ((power + c1) * (variances + c2))
    return similarity.mean(axis=(-3, -2, -1))


def _windows(x: np.ndarray) -> np.ndarray:
    """Weighted means of windows: (..., 64, 64, 3) -> (..., 54, 54, 3)."""
    axes = (x.ndim - 3, x.ndim - 2)
    blurred = gaussian_filter(x, 1.5, axes=axes, radius=RADIUS)
    return blurred[..., RADIUS:-RADIUS, RADIUS:-RADIUS, :]


def sharpness(image: np.ndarray) -> np.ndarray:
    """Variance over pixels of the Laplacian of the luma, 0..255: large where edges are sharp.

    The Laplacian is that of the four neighbours; the outermost pixels do not count.
    """
    luma = image @ LUMA
    edges = laplace(luma, axes=(luma.ndim - 2, luma.ndim - 1))
    return edges[..., 1:-1, 1:-1].var(axis=(-2, -1))
