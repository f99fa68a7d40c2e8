"""What users set for other projects changes no number."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny

PRINT_NUMBERS = [
    sys.executable,
    "-W",
    "ignore",
    str(Path(tiny.__file__).parent / "small_numbers.py"),
]
KERAS_JSON = {
    "epsilon": 1e-3, "floatx": "float16", "backend": "jax", "image_data_format": "channels_first",
}  # fmt: skip
SETTINGS = {
    "Keras": {
        "KERAS_HOME": "{folder}/.keras", "KERAS_BACKEND": "jax", "KERAS_NNX_ENABLED": "1",
        "KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1", "TF_USE_LEGACY_KERAS": "1",
    },
    "TensorFlow, and keras.json at home": {
        "HOME": "{folder}", "TF_ENABLE_ONEDNN_OPTS": "0", "TF2_BEHAVIOR": "0",
        "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
        "XLA_FLAGS": "--xla_nonsense", "TF_FUNCTION_JIT_COMPILE_DEFAULT": "1",
        "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS": "1", "TF_SET_ONEDNN_FPMATH_MODE": "BF16",
    },
    "other libraries": {
        "OPENBLAS_NUM_THREADS": "8", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "7", "LC_ALL": "C",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline", "CUDA_VISIBLE_DEVICES": "",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    },
    "other instructions": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3", "NUMBA_CPU_FEATURES": "-fma,-avx2",
        "NUMBA_CPU_NAME": "generic", "NUMBA_ENABLE_AVX": "0", "NUMBA_OPT": "0",
    },
    "fewer instructions of NumPy's alone, or none compiled": {
        "NPY_ENABLE_CPU_FEATURES": "SSE42", "NUMBA_DISABLE_JIT": "1",
    },
}  # fmt: skip


def numbers(**environment: str) -> dict:
    ended = subprocess.run(
        PRINT_NUMBERS, cwd=tiny.ROOT, env=os.environ | environment, capture_output=True, text=True,
        timeout=tiny.LIMIT,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@functools.cache
def own_numbers() -> dict:
    return numbers()


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_for_other_projects_change_no_number(name, tmp_path):
    keras_json = tmp_path / ".keras" / "keras.json"
    keras_json.parent.mkdir()
    keras_json.write_text(json.dumps(KERAS_JSON))
    settings = {key: value.format(folder=tmp_path) for key, value in SETTINGS[name].items()}
    assert numbers(**settings) == own_numbers()


def test_the_comparison_notices_other_kernels():
    """A choice that stays the user's, of the instructions that products are made of."""
    assert numbers(ONEDNN_MAX_CPU_ISA="SSE41")["V"] != own_numbers()["V"]


def test_what_a_program_told_keras_before_does_not_count():
    code = """
import keras
keras.config.set_floatx("float64")
keras.config.set_dtype_policy("mixed_float16")
keras.config.set_image_data_format("channels_first")
from replication.vae.vae import build_encoder
encoder = build_encoder(32)
print(encoder.compute_dtype, encoder.variable_dtype, encoder.input_shape, encoder.count_params())
"""
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tiny.ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.stdout.split(maxsplit=2) == [
        "float32", "float32", "(None, 64, 64, 3) 755744\n"
    ], ended.stderr  # fmt: skip
