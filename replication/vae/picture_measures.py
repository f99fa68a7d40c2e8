"""Measures of pictures: squared error, structural similarity, sharpness (report Figure 21).

All pictures are uint8 (N, 64, 64, 3), 0..255; a measure is one number for each, float (N,).
"""

from replication.tf import tf
from replication.vae.vae import squared_error, to_float

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114])  # of red, green, blue (Rec. 601)


def measure_reconstructions(recon: np.ndarray, obs: np.ndarray) -> dict[str, np.ndarray]:
    """All measures of reconstructions by name: `error`, `SSIM` and `sharpness`.

    error: squared, summed over pixels and colours of 0..1, as in V's loss. SSIM: the structural
    similarity of Wang et al. (2004) in Gaussian windows of 11 x 11, 1 for equal pictures.
    """
    return {
        "error": squared_error(to_float(obs), to_float(recon)).numpy(),
        "SSIM": tf.image.ssim(recon, obs, max_val=255).numpy(),
        "sharpness": sharpness(recon),
    }


def sharpness(images: np.ndarray) -> np.ndarray:
    """The variance over pixels of the Laplacian of the luma, 0..255: large where edges are sharp.

    The Laplacian is that of the four neighbours, so the outermost pixels have none.
    """
    luma = images @ LUMA  # (N, 64, 64)
    vertical = luma[:, :-2, 1:-1] + luma[:, 2:, 1:-1]
    horizontal = luma[:, 1:-1, :-2] + luma[:, 1:-1, 2:]
    laplacian = vertical + horizontal - 4 * luma[:, 1:-1, 1:-1]  # (N, 62, 62)
    return laplacian.var(axis=(1, 2))
