"""What is counted of ends: on chances that are made up, and on a real M by hand."""

import dataclasses

from replication.config import Rnn
from replication.rnn import ends
from replication.rnn.batches import Pieces, draw_z, for_m, gather
from replication.rnn.ends import BEFORE, EndScore, end_head, measure_ends
from replication.rnn.rnn import MDNRNN
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.take_cover import TAKE_COVER
from replication.tasks.task import Outcome
from replication.tf import tf

import numpy as np
import pytest
from made_up_game import CATCH

LENGTHS = (50, 12, 40)
OFFSET = np.cumsum([0, *LENGTHS])


@pytest.fixture
def series() -> dict:
    """Episodes of which the first and the second end; the third was cut."""
    random = np.random.default_rng(0)
    terminated = np.zeros(OFFSET[-1], bool)
    terminated[OFFSET[1:3] - 1] = True
    return {
        "mu": np.float16(random.standard_normal((OFFSET[-1], 64))),
        "logvar": np.full((OFFSET[-1], 64), -30, np.float16),  # z is mu
        "action": np.float32(random.uniform(-1, 1, (OFFSET[-1], 1))),
        "reward": np.ones(OFFSET[-1], np.float32),
        "terminated": terminated,
        "offset": OFFSET,
        "seed": np.array([20, 40, 60]),
    }


@pytest.fixture
def rnn() -> MDNRNN:
    tf.random.set_seed(0)
    return MDNRNN(Rnn(hidden=4, heads="end"), TAKE_COVER)


def foresee(monkeypatch, chances: dict[int, dict[int, float]]) -> None:
    """An M that gives these steps of these episodes (by length) such chances; else none."""

    def look(rnn, batch):
        target, counts = batch["end"][..., 0], batch["end"][..., 1]
        chance = np.zeros(target.shape, np.float32)
        for row, length in enumerate(batch["head_weight"].sum(axis=1)):
            for step, value in chances.get(int(length), {}).items():
                chance[row, step] = value
        return tuple(map(tf.constant, (counts * 0.5, chance, target > 0)))

    monkeypatch.setattr(ends, "_look", look)
    monkeypatch.setattr(ends, "draw_z", lambda batch: batch)
    monkeypatch.setattr(ends.tf, "function", lambda function, **_: function)


def test_ends_that_are_foreseen_and_alarms_that_are_false(series, rnn, monkeypatch):
    chances = {50: {5: 0.9, 30: 0.6, 49: 0.51, 10: 0.5}, 12: {3: 0.7, 11: 0.4}, 40: {39: 0.8}}
    foresee(monkeypatch, chances)
    score = measure_ends(rnn, series, np.arange(3), seed=0)
    assert (score.deaths, score.found) == (2, 1)
    assert score.steps == 102 - 2
    assert score.alarms == 4  # two, one, and the last step of the episode that was cut
    assert score.early == 2  # steps 30 of 50 and 3 of 12: an end followed within 30 steps
    assert score.loss == pytest.approx((100 * 0.5 + 2 * 5.0) / 102)
    assert len(score.approach) == BEFORE + 1
    assert score.approach[-1] == pytest.approx((0.51 + 0.4) / 2, abs=1e-4)
    assert score.approach[BEFORE - 19] == pytest.approx(0.6 / 2, abs=1e-4)
    assert score.approach[BEFORE - 8] == pytest.approx(0.7 / 2, abs=1e-4)


def test_together_or_alone_episodes_score_the_same(series, rnn, monkeypatch):
    whole = measure_ends(rnn, series, np.arange(3), seed=0)
    monkeypatch.setattr(ends, "TOGETHER", 1)
    alone = measure_ends(rnn, series, np.arange(3), seed=0)
    assert alone[1:6] == whole[1:6]
    assert alone.loss == pytest.approx(whole.loss, rel=1e-5)
    assert alone.approach == pytest.approx(whole.approach, abs=2e-4)


def test_the_loss_is_that_of_training(series, rnn):
    targets = for_m(series, rnn.config, TAKE_COVER)
    pieces = Pieces(np.array([0]), np.array([0]), np.array([50]), 50)
    batch = draw_z(gather(targets, pieces, np.random.default_rng(0)))
    expected = float(rnn.losses_of(batch)["end"])
    assert measure_ends(rnn, series, np.array([0]), seed=0).loss == pytest.approx(
        expected, rel=1e-5
    )


def test_without_ends_there_is_nothing_to_foresee(series, rnn):
    score = measure_ends(rnn, series, np.array([2]), seed=0)
    assert isinstance(score, EndScore)
    assert (score.deaths, score.found, score.early) == (0, 0, 0)
    assert score.approach == [0.0] * (BEFORE + 1)


@pytest.mark.parametrize(
    ("task", "heads", "head"),
    [
        (CAR_RACING_V3, ["reward", "termination"], "termination"),
        (CAR_RACING_V3, ["reward"], None),
        (CAR_RACING_V3, [], None),
        (CATCH, ["points", "end"], "end"),
        (TAKE_COVER, [], None),
        (TAKE_COVER, ["end"], "end"),
    ],
)
def test_the_end_is_the_head_that_the_game_ends_by(task, heads, head):
    assert end_head(task, heads) == head


def test_a_head_that_the_game_does_not_end_by_is_none():
    nothing = np.zeros(1, np.float32)
    deaf = dataclasses.replace(CATCH, dream_outcome=lambda heads, n: Outcome(nothing, nothing))
    assert end_head(deaf, ["end", "points"]) is None
