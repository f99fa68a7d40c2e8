"""Everything random follows from written seeds."""

import numpy as np


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow: a stage's first act."""
    from replication.tf import keras  # here: stages without networks do not wait for it

    keras.utils.set_random_seed(seed)


def derive_seed(seed: int, *keys: int) -> int:
    """A seed below 2**32 from the run's seed and the place where it is used."""
    return int(np.random.SeedSequence([seed, *keys]).generate_state(1)[0])
