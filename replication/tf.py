"""TensorFlow, Keras and TensorFlow Probability, without the noise that they make as they load.

Their C++ libraries write to file descriptor 2 before any setting of theirs is read.
"""

import contextlib
import os
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def no_stderr() -> Iterator[None]:
    """Send what libraries write to stderr nowhere; Python's exceptions pass as ever."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with no_stderr(), warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    import tensorflow as tf
    import tensorflow_probability as tfp

    tf.config.list_physical_devices()  # looks for a GPU, and says so, once

__all__ = ["keras", "tf", "tfp"]
