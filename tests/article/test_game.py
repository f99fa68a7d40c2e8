"""What the page knows of a game is what its Task says."""

import dataclasses

from replication.article.game import POINTS, REACH, game_facts, squash_table
from replication.article.packing import unpack
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.take_cover import TAKE_COVER

import numpy as np
import pytest
from made_up_game import CATCH


def test_the_cars_facts():
    facts = game_facts(CAR_RACING_V3)
    assert facts["actions"] == ["steer", "gas", "brake"]
    assert (facts["low"], facts["high"]) == ([-1, 0, 0], [1, 1, 1])
    assert (facts["fps"], facts["z_size"]) == (50, 32)


@pytest.mark.parametrize("task", [CAR_RACING_V3, CATCH, TAKE_COVER])
def test_the_table_squashes_as_the_game_does(task):
    squash = squash_table(task)
    table, outputs = unpack(squash["table"]), np.linspace(-REACH, REACH, POINTS)
    tried = np.random.default_rng(1).normal(0, 3, (100, task.action_size)).astype(np.float32)
    read = [np.interp(column, outputs, row) for column, row in zip(tried.T, table, strict=True)]
    np.testing.assert_allclose(np.stack(read, axis=1), task.squash(tried, np), atol=2e-5)


def test_there_is_no_table_where_outputs_are_squashed_together():
    together = dataclasses.replace(CATCH, squash=lambda u, xp: u / (1 + abs(u[:, :1])))
    assert squash_table(together) is None
