"""The table of stages: what each needs, and which of them a run has."""

import dataclasses
from pathlib import Path

import replication
from replication.config import UserError
from replication.presets import PRESETS
from replication.runs import records, stages
from replication.runs.stages import needs_of, stages_of
from replication.tasks import games
from replication.tasks.car_racing import CAR_RACING_V3

import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")
VAEGAN = dataclasses.replace(CONFIG, vision="vaegan")


def test_stages_need_only_earlier_stages_and_have_their_scripts():
    before: set[str] = set()
    for name in stages.STAGES:
        for configuration in (CONFIG, VAEGAN):
            if name in stages_of(configuration):
                needs = set(needs_of(name, configuration))
                assert needs <= before & set(stages_of(configuration))
        assert (Path(replication.__file__).parent / f"{name}.py").exists()
        before.add(name)


def test_the_stages_of_a_run_are_the_same_but_for_v():
    vae, vaegan = stages_of(CONFIG), stages_of(VAEGAN)
    assert [name for name in vae if name != "train_vae"] == [
        name for name in vaegan if name != "train_vaegan"
    ]
    assert vae.index("train_vae") == vaegan.index("train_vaegan") == 1
    assert needs_of("series", CONFIG) == ["train_vae"]
    assert needs_of("train_controller", VAEGAN) == ["train_vaegan", "train_rnn"]


def test_a_search_in_dreams_reads_the_series_that_they_start_from():
    settings = dataclasses.replace(CONFIG.controller, world="dream")
    dreaming = dataclasses.replace(CONFIG, controller=settings)
    assert needs_of("train_controller", CONFIG) == ["train_vae", "train_rnn"]
    assert needs_of("train_controller", dreaming) == ["train_vae", "train_rnn", "series"]


def test_optional_stages_are_those_that_the_task_names(monkeypatch):
    plain = dataclasses.replace(CAR_RACING_V3, name="plain", extra_stages=frozenset())
    monkeypatch.setitem(games.TASKS, "plain", plain)
    game = dataclasses.replace(CONFIG, task="plain")
    assert [name for name in stages_of(CONFIG) if name not in stages_of(game)] == ["events"]
    assert "events" in needs_of("figures", CONFIG)
    assert "events" not in needs_of("figures", game)
    records.check_stage(CONFIG, "events")
    with pytest.raises(UserError, match="^plain has no stage events$"):
        records.check_stage(game, "events")


def test_the_table_names_fields_that_exist():
    fields = {
        f"{section.name}.{field.name}"
        for section in dataclasses.fields(CONFIG)
        if dataclasses.is_dataclass(getattr(CONFIG, section.name))
        for field in dataclasses.fields(getattr(CONFIG, section.name))
    }
    assert fields >= stages.FREE
    assert fields >= {stage.grows for stage in stages.STAGES.values()} - {""}
