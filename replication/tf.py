"""TensorFlow, Keras and TensorFlow Probability: without noise, and whatever the user's settings.

Their C++ libraries write to file descriptor 2 before any setting of theirs is read. Users set Keras
and TensorFlow up for their other projects, in keras.json and in environment variables; here they
would change our numbers, or end us.
"""

import contextlib
import os
import warnings
from collections.abc import Iterator

# os.devnull is no folder: Keras finds no keras.json there, and writes none.
KERAS = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": os.devnull, "KERAS_NNX_ENABLED": "0"}
UNSET = (
    "XLA_FLAGS",
    "TF_XLA_FLAGS",  # V, M and VAE-GAN compiled by XLA: other numbers
    "TF_FUNCTION_JIT_COMPILE_DEFAULT",  # the same
    "TF_SET_ONEDNN_FPMATH_MODE",  # bfloat16 inside float32 products, where the CPU has it
    "ONEDNN_DEFAULT_FPMATH_MODE",  # the same
    "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS",  # products with weights as they were at the first step
    "TF2_BEHAVIOR",  # TensorFlow 1
    "TF_USE_LEGACY_KERAS",  # tf.keras as Keras 2
)


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


for _name in UNSET:
    os.environ.pop(_name, None)
os.environ.update(KERAS)

with no_stderr(), warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    import tensorflow as tf
    import tensorflow_probability as tfp

    tf.config.list_physical_devices()  # looks for a GPU, and says so, once

if keras.config.backend() != "tensorflow":  # it was imported before this module
    raise ImportError(
        f"Keras runs on {keras.config.backend()} in this process: set KERAS_BACKEND=tensorflow, or"
        " import replication.tf before keras"
    )
# What the environment says, and what a program that imported Keras before may have set.
keras.config.set_floatx("float32")
keras.config.set_dtype_policy("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_last")
keras.config.set_max_epochs(None)  # KERAS_MAX_EPOCHS would end training early
keras.config.set_max_steps_per_epoch(None)

__all__ = ["keras", "tf", "tfp"]
