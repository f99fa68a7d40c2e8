"""The probe's driver, its regression, and the table that it prints."""

import dataclasses

from replication import probe
from replication.config import Extract, UserError
from replication.presets import PRESETS
from replication.runs import folders
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.games import TASKS

import numpy as np
import pytest
import tiny


def test_the_driver_stays_on_the_road(compiled):
    env = CAR_RACING_V3.make_env()
    world, driver = probe.make_driver(PRESETS["one_pass"], env)
    drives = [probe.drive_track(world, driver, seed) for seed in (1, 2)]
    for drive in drives:
        assert len(drive.frames) == len(drive.action) == len(drive.facts) == probe.STEPS
        assert not drive.used[: probe.ZOOM].any() and drive.used.mean() > 0.6
        assert drive.facts[drive.used, -1].std() > 5  # m/s: now fast, now slow
    obs, _ = env.reset(seed=2)
    np.testing.assert_array_equal(drives[1].frames[0], CAR_RACING_V3.frames["plain"](obs))


def test_r2_is_one_for_what_can_be_read_and_none_for_what_cannot():
    random = np.random.default_rng(0)
    x = [random.standard_normal((200, 8)) for _ in range(10)]
    y = [np.stack([row @ np.arange(8) + 5, random.standard_normal(200)], axis=1) for row in x]
    readable, noise = probe.ridge_r2(x, y)
    assert readable > 0.999 and noise < 0.05


def test_probe_prints_a_row_for_each_feature(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(folders, "HOME", tiny.copy_of(finished, tmp_path, "train_vae", "train_rnn"))
    monkeypatch.setattr(probe, "TRACKS", 5)
    monkeypatch.setattr(probe, "STEPS", 70)
    probe.main(dataclasses.replace(PRESETS["one_pass"], run="t"))
    head, names, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("R^2 over ") and names.split()[0] == "offset"
    values = {row[:7].strip(): [float(value) for value in row[7:].split()] for row in rows}
    assert list(values) == ["mu", "z", "h", "z, h", "z, c, h"]
    assert all(len(row) == 5 and max(row) <= 1 for row in values.values())


def test_an_agent_may_drive_instead(finished, monkeypatch, capsys):
    """With noise on its C, other in each track; on tracks and facts of the same kind."""
    monkeypatch.setattr(folders, "HOME", finished)
    monkeypatch.setattr(probe, "AGENTS_TRACKS", 5)
    monkeypatch.setattr(probe, "STEPS", 70)
    extract = Extract(policy="agent", agent=str(finished / "checkpoints/t"), noise=0.5)
    config = dataclasses.replace(PRESETS["one_pass"], run="t", extract=extract)
    world, driver = probe.make_driver(config, CAR_RACING_V3.make_env())
    one, other = (probe.drive_track(world, driver, seed) for seed in (1, 2))
    assert len(one.frames) == len(one.action) == len(one.facts) == 70
    assert one.action.shape == (70, 3) and (one.action != other.action).any()
    np.testing.assert_array_equal(probe.drive_track(world, driver, 1).facts, one.facts)
    probe.main(config)
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("R^2 over ") and len(rows) == 5


def test_a_game_without_the_probe_is_named(home, monkeypatch):
    task = dataclasses.replace(CAR_RACING_V3, extra_stages=frozenset())
    monkeypatch.setitem(TASKS, "car_racing_v3", task)
    with pytest.raises(UserError, match="car_racing_v3 has no stage probe"):
        probe.main(PRESETS["one_pass"])
