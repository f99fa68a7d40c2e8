"""Weights as text in a page: half precision, or bytes with a scale for each column.

A packed array is {"shape", "kind", "data", "scale"}; data and scale are base64, little-endian, row
by row. web/worker/unpacking.js reads it.
"""

import base64

import numpy as np

FLOATS_TO = 10_000  # numbers: small arrays, such as biases and C, are not rounded at all
BYTES_FROM = 400_000  # numbers: these are most of a page. V's large layer, and a large M's


def pack(array: np.ndarray) -> dict:
    """A float array as float32, half precision, or bytes, by its size."""
    if array.size <= FLOATS_TO:
        return _packed(array, "float32", array.astype("<f4"))
    if array.size < BYTES_FROM:
        return _packed(array, "float16", array.astype("<f2"))
    columns = array.reshape(len(array), -1)
    scale = np.abs(columns).max(axis=0) / 127
    scale[scale == 0] = 1
    levels = np.rint(columns / scale).astype(np.int8)  # -127..127
    return _packed(array, "int8", levels, scale.astype("<f4"))


def unpack(packed: dict) -> np.ndarray:
    """The float32 array that a browser has: the original, rounded."""
    array = np.frombuffer(base64.b64decode(packed["data"]), packed["kind"]).astype(np.float32)
    if packed["scale"]:
        scale = np.frombuffer(base64.b64decode(packed["scale"]), "<f4")
        array = (array.reshape(-1, len(scale)) * scale).astype(np.float32)
    return array.reshape(packed["shape"])


def _packed(array: np.ndarray, kind: str, values: np.ndarray, scale=None) -> dict:
    return {
        "shape": list(array.shape),
        "kind": kind,
        "data": _text(values),
        "scale": "" if scale is None else _text(scale),
    }


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
