"""The facts of the simulator that the probe asks for, and its regression."""

import dataclasses

from replication import probe
from replication.config import PRESETS, Env
from replication.events import read_track
from replication.rollouts.loop import make_env
from replication.runs import folders

import numpy as np
import pytest
import tiny
from made_up_world import world


def facts(env) -> np.ndarray:
    return probe.facts_now(env, read_track(env).place)


def test_facts_on_a_straight():
    """Two metres to the right of tile 3, looking a little to the left of the road."""
    offset, *ahead, speed = facts(world(2.0, 3 * 3.5, angle=0.1, speed=12.0))
    assert (offset, speed) == (pytest.approx(-2), 12)
    expected = [np.arctan2(2, 3.5 * tiles) - 0.1 for tiles in probe.AHEAD]
    assert ahead == pytest.approx(expected)


def test_a_curve_to_the_left_lies_at_the_left():
    _, heading, x, y = world(0, 0).track[17]
    _, near, farther, farthest, _ = facts(world(x, y, heading + 2 * np.pi))
    assert 0 < near < farther < farthest < 1


def test_the_driver_stays_on_the_road(compiled):
    drives = [probe.drive_track(make_env(Env()), seed) for seed in (1, 2)]
    for each in drives:
        assert len(each.frames) == len(each.action) == len(each.facts) == probe.STEPS
        assert not each.used[: probe.ZOOM].any() and each.used.mean() > 0.6
        assert each.facts[each.used, -1].std() > 5  # m/s: now fast, now slow


def test_r2_is_one_for_what_can_be_read_and_none_for_what_cannot():
    random = np.random.default_rng(0)
    x = [random.standard_normal((200, 8)) for _ in range(10)]
    y = [np.stack([each @ np.arange(8) + 5, random.standard_normal(200)], axis=1) for each in x]
    readable, noise = probe.ridge_r2(x, y)
    assert readable > 0.999 and noise < 0.05


def test_probe_prints_a_row_for_each_feature(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(folders, "HOME", tiny.copy_of(finished, tmp_path, "train_vae", "train_rnn"))
    monkeypatch.setattr(probe, "TRACKS", 5)
    monkeypatch.setattr(probe, "STEPS", 70)
    probe.main(dataclasses.replace(PRESETS["quick"], run="t"))
    head, names, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("R^2 over ") and names.split()[0] == "offset"
    values = {row[:6].strip(): [float(value) for value in row[6:].split()] for row in rows}
    assert list(values) == ["mu", "z", "h", "z, h"]
    assert all(len(row) == 5 and max(row) <= 1 for row in values.values())
