"""What is measured of V's layers and of CMA-ES."""

from replication.speed import layers, search
from replication.tasks.car_racing import CAR_RACING_V3

import pytest


def test_layers_are_those_of_v():
    works = {work.name: work for work in layers.layers_of(CAR_RACING_V3)}
    assert len(works) == 6
    first, *_, logvar = works.values()
    assert first.flop == 2 * 16 * 31 * 31 * 32 * 4 * 4 * 3
    assert logvar.flop == 2 * 16 * 1024 * 32
    assert first.call().shape == (16, 31, 31, 32)
    assert logvar.call().shape == (16, 32)
    # docs/performance.md: 29.6 million floating point operations a frame
    assert sum(work.flop for work in works.values()) / 16e6 == pytest.approx(29.6, abs=0.05)


def test_speeds_are_of_the_operations_that_a_call_makes(monkeypatch):
    monkeypatch.setattr(layers, "_seconds", lambda call: 0.002)
    product, *_ = measured = layers.measure_layers(CAR_RACING_V3, 3)
    assert len(measured) == 7
    assert product["microseconds"] == pytest.approx(2000)
    assert product["gigaflop_per_second"] == pytest.approx(2 * 1024**3 / 0.002 / 1e9)


def test_every_population_is_searched_with():
    rows = search.measure_search(12, generations=1)
    assert [row["name"].split()[-1] for row in rows] == ["16", "64", "256"]
    assert all(row["milliseconds"] > 0 for row in rows)
