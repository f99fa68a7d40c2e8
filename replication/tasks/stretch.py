"""What the original did to its pixels before V saw them, on purpose or not."""

import numpy as np


def stretch(pixels: np.ndarray) -> np.ndarray:
    """Bytes stretched from their own least and greatest to 0..255, uint8, as imresize does it.

    The original's imresize took floats (scipy's bytescale).
    """
    levels = np.arange(256) / 255.0  # of bytes, as the original's floats
    least, greatest = levels[pixels.min()], levels[pixels.max()]
    stretched = (levels - least) * (255.0 / ((greatest - least) or 1.0))
    return (stretched.clip(0, 255) + 0.5).astype(np.uint8)[pixels]


def wrap(pixels: np.ndarray) -> np.ndarray:
    """(1 - x) * 255 of bytes x: x - 1 modulo 256."""
    return pixels - np.uint8(1)
