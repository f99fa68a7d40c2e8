"""The benchmark's table: ratios within a round, and a word about their spread."""

from replication import benchmark
from replication.benchmark import measure, print_rows, rows_of
from replication.speed.drivers import STOCK

import numpy as np
import pytest


def test_a_ratio_is_taken_within_its_round():
    seconds = {STOCK: np.array([2.0, 4.0, 2.0]), "other": np.array([1.0, 1.0, 0.5])}
    stock, other = rows_of(seconds)
    assert [stock[key] for key in ("ratio_low", "ratio", "ratio_high")] == [1, 1, 1]
    assert [other[key] for key in ("ratio_low", "ratio", "ratio_high")] == [3, 4, 4]
    assert (stock["frames_per_second"], other["frames_per_second"]) == (0.5, 1)


def test_contenders_take_turns_of_one_length(monkeypatch):
    """Seconds a frame of two that take 1 and 4 ms for it, by a clock of the test's own."""
    now, order = [0.0], []

    def driver(name, of_a_frame):
        def run(count):
            order.append(name)
            now[0] += count * of_a_frame
            return count

        return run

    monkeypatch.setattr(benchmark.time, "perf_counter", lambda: now[0])
    drivers = {STOCK: driver(STOCK, 0.004), "other": driver("other", 0.001)}
    seconds = measure(drivers, turns=3, rounds=2)
    np.testing.assert_allclose(seconds[STOCK], [0.004, 0.004])
    np.testing.assert_allclose(seconds["other"], [0.001, 0.001])
    assert order[4:] == [STOCK, "other"] * 6
    assert now[0] == pytest.approx(2 * 64 * 0.005 + 12 * 0.1)


@pytest.mark.parametrize(("noise", "rounds"), [(0.0, 4), (0.5, 12)])
def test_noisy_rounds_are_followed_by_more(monkeypatch, noise, rounds):
    """A contender whose every other round is slower, or not."""
    counted = []

    def measured(drivers, frames, turns):
        counted.append(turns)
        return {STOCK: 4.0, "other": 1.0 + noise * (len(counted) % 2)}

    monkeypatch.setattr(benchmark, "measure_round", measured)
    drivers = {STOCK: lambda count: count, "other": lambda count: count}
    times = measure(drivers, turns=3, rounds=4)
    assert len(times["other"]) == len(counted) == rounds


@pytest.mark.parametrize(("high", "is_noisy"), [(10.5, False), (14.0, True)])
def test_a_noisy_machine_is_named(capsys, high, is_noisy):
    row = {"name": "other", "frames_per_second": 1, "ratio": 10.0, "ratio_low": 9.5}
    print_rows([row | {"ratio_high": high}], 7)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("spread over 7 rounds: ±")
    assert ("something else runs" in last) == is_noisy
