"""The car's actions: steer -1..1, gas 0..1, brake 0..1."""

import numpy as np

LOW, HIGH = np.float32([-1, 0, 0]), np.float32([1, 1, 1])


def squash(u, xp):
    """Steer tanh(u0), gas (tanh(u1) + 1) / 2, brake clip(tanh(u2), 0, 1): (B, 3) -> (B, 3).

    xp is the library that u belongs to, tensorflow or numpy (original model.py, get_action).
    """
    u = xp.tanh(u)
    return xp.stack([u[:, 0], (u[:, 1] + 1) / 2, xp.maximum(u[:, 2], 0)], axis=1)
