"""What a generation drives, and how C's training goes on from its log."""

import dataclasses
import json

import numpy as np
import pytest

from replication.config import PRESETS, Config, Controller, UserError
from replication.es import Evolution
from replication.train_controller import generation_tasks, resume

DIMENSIONS = 5
CONFIG = dataclasses.replace(PRESETS["quick"], controller=Controller(population=6), seed=3)


@pytest.fixture
def search(tmp_path) -> Evolution:
    """Four generations, as they stand in log.jsonl."""
    es = Evolution(np.zeros(DIMENSIONS), CONFIG.controller, CONFIG.seed)
    with open(tmp_path / "log.jsonl", "w") as log:
        for step in range(1, 5):
            told = np.sin(es.ask()).sum(axis=1).tolist()
            es.tell(told)
            log.write(json.dumps({"step": step, "seconds": step, "returns": told}) + "\n")
    return es


def resumed(tmp_path, config: Config = CONFIG) -> Evolution:
    return resume(config, DIMENSIONS, tmp_path / "log.jsonl")


def test_a_search_goes_on_from_its_log(tmp_path, search):
    again = resumed(tmp_path)
    assert again.generation == 4
    np.testing.assert_array_equal(again.ask(), search.ask())


def test_without_a_log_it_begins(tmp_path):
    assert resumed(tmp_path).generation == 0


def test_a_log_that_is_not_this_searchs_is_refused(tmp_path, search):
    lines = (tmp_path / "log.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_text("".join(lines[:2] + lines[3:]))
    with pytest.raises(UserError, match=r"log\.jsonl lacks the returns of generation 3: .*--overw"):
        resumed(tmp_path)
    (tmp_path / "log.jsonl").write_text(json.dumps({"step": 1, "seconds": 1}) + "\n")
    with pytest.raises(UserError, match="lacks the returns of generation 1"):
        resumed(tmp_path)
    (tmp_path / "log.jsonl").write_text("".join(lines))
    larger = dataclasses.replace(CONFIG, controller=Controller(population=8))
    with pytest.raises(UserError, match="lacks the returns of generation 1"):
        resumed(tmp_path, larger)


def test_the_first_generations_are_short():
    short = Controller(population=6, short=2, short_steps=30, patience=9)
    config = dataclasses.replace(CONFIG, controller=short)
    for generation, steps in ((1, 30), (2, 30), (3, None)):
        tasks = generation_tasks(config, generation, np.zeros((6, DIMENSIONS)))
        assert {(task.max_steps, task.patience) for task in tasks} == {(steps, 9)}


@pytest.mark.parametrize("same, tracks", [(True, 2), (False, 12)])
def test_candidates_drive_the_same_tracks_or_their_own(same, tracks):
    settings = Controller(population=6, episodes=2, same_tracks=same)
    config = dataclasses.replace(CONFIG, controller=settings)
    first, second = (generation_tasks(config, at, np.eye(6)) for at in (1, 2))
    assert [task.parameters.argmax() for task in first] == [i // 2 for i in range(12)]
    assert len({task.seed for task in first}) == tracks
    assert not {task.seed for task in first} & {task.seed for task in second}
