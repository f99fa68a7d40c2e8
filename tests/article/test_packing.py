"""Packed weights: what kind of number they become, and how far they are moved."""

import json

from replication.article.packing import BYTES_FROM, FLOATS_TO, pack, unpack

import numpy as np
import pytest


def array_of(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)


def test_small_arrays_are_not_rounded():
    array = array_of(FLOATS_TO // 10, 10)
    assert pack(array)["kind"] == "float32"
    np.testing.assert_array_equal(unpack(pack(array)), array)


def test_larger_ones_are_of_half_precision():
    array = array_of(100, 3, FLOATS_TO // 100)
    assert pack(array)["kind"] == "float16"
    np.testing.assert_array_equal(unpack(pack(array)), np.float16(array))


def test_the_largest_are_bytes_that_are_half_a_level_off_at_most():
    array = array_of(10, 2, BYTES_FROM // 20) * [[[1], [100]]]  # columns of different scale
    array[:, 0, 0] = 0
    packed = pack(np.float32(array))
    assert packed["kind"] == "int8" and len(packed["data"]) < BYTES_FROM * 1.34
    level = np.abs(array).max(axis=0) / 127
    apart = np.abs(unpack(packed) - array)
    assert (apart <= level * 0.5001).all() and apart.max() > level.max() / 10
    assert not unpack(packed)[:, 0, 0].any()


@pytest.mark.parametrize("size", [4, FLOATS_TO + 1, BYTES_FROM])
def test_a_packed_array_is_json(size):
    array = array_of(size, 1)
    again = json.loads(json.dumps(pack(array)))
    np.testing.assert_array_equal(unpack(again), unpack(pack(array)))
    assert unpack(again).shape == (size, 1)
