"""How near each layer of V's encoder comes to what the core can do, measured by a large product."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from replication.tasks.task import Task
from replication.tf import tf
from replication.vae.vae import build_encoder

import numpy as np

WIDTH = 16  # frames together
LARGE = 1024  # rows and columns of the large product's matrices
SECONDS = 0.2  # that each is run for in a round


class Work(NamedTuple):
    """A call, and how many floating point operations it makes."""

    name: str
    call: Callable
    flop: int


def measure_layers(task: Task, rounds: int) -> list[dict]:
    """Microseconds of a call, the median, and GFLOP/s: a large product, and V's layers."""
    works = [large_product(), *layers_of(task)]
    seconds = np.zeros((len(works), rounds))
    for turn in range(-1, rounds):  # the first one traces
        for place, work in enumerate(works):
            seconds[place, max(turn, 0)] = _seconds(work.call)
    medians = np.median(seconds, axis=1).tolist()
    return [
        {
            "name": work.name,
            "microseconds": 1e6 * median,
            "gigaflop_per_second": work.flop / median / 1e9,
        }
        for work, median in zip(works, medians, strict=True)
    ]


def large_product() -> Work:
    square = tf.random.stateless_normal((LARGE, LARGE), (0, 0))
    return Work(f"product, {LARGE} x {LARGE}", _traced(tf.matmul, square, square), 2 * LARGE**3)


def layers_of(task: Task) -> Iterator[Work]:
    """The encoder's layers that have weights."""
    x = tf.random.stateless_uniform((WIDTH, 64, 64, 3), (0, 0))
    for number, layer in enumerate(build_encoder(task.z_size).layers[1:], 1):
        y = layer(x)
        if layer.weights:
            outputs = int(np.prod(y.shape[:-1]))  # each of them for every filter
            flop = 2 * outputs * int(np.prod(layer.kernel.shape))
            yield Work(f"V's layer {number}, {WIDTH} frames", _traced(layer, x), flop)
        x = x if layer.name == "mu" else y  # logvar sees what mu sees


def _traced(function: Callable, *arguments) -> Callable:
    traced = tf.function(function)
    return lambda: traced(*arguments)


def _seconds(call: Callable) -> float:
    """Of one call, over many."""
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS:
        call()
        count += 1
    return spent / count
