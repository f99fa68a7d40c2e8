"""Shares of the steps, Mann and Whitney's U and Holm's correction, against numbers by hand."""

from replication.rnn import component_tests

import numpy as np
import pytest
from scipy.stats import mannwhitneyu


def test_switching_is_the_weight_that_moves():
    weights = np.zeros((3, 2, 2))
    weights[:, 0] = [[1, 0], [0, 1], [0, 1]]  # all of it, then none
    weights[:, 1] = [[0.5, 0.5], [0.75, 0.25], [0.5, 0.5]]
    assert component_tests.switching(weights).tolist() == [0.5, 0.25]


def test_shares_count_the_steps_in_which_a_weight_is_the_largest():
    weights = np.zeros((40, 3))
    weights[:30, 0], weights[30:, 2] = 0.6, 0.9
    happening = np.zeros((40, 3), bool)
    happening[15:35, 0] = True  # 15 steps of component 1, 5 of component 3
    happening[:9, 1] = True  # too few
    happening[:, 2] = True  # always: there are no others
    during, otherwise = component_tests.shares(weights, happening)
    assert during[0].tolist() == [0.75, 0, 0.25]
    assert otherwise[0].tolist() == [0.75, 0, 0.25]
    assert np.isnan(during[1]).all() and otherwise[1].tolist() == [21 / 31, 0, 10 / 31]
    assert during[2].tolist() == [0.75, 0, 0.25] and np.isnan(otherwise[2]).all()


def test_holm_by_hand():
    """Four tests: 0.01 x 4, 0.02 x 3, 0.03 x 2 (not below the one before), 0.5 x 1."""
    assert component_tests.holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert component_tests.holm([0.9, 0.8]) == [1, 1]
    assert component_tests.holm([]) == []


def test_rows_hold_scipys_test_over_the_drives_that_count():
    random = np.random.default_rng(0)
    during, otherwise = random.random((2, 7, 2, 2))  # (N, E, K)
    during[:3, 0], during[:, 1] = np.nan, np.nan
    rows = component_tests.compare(["left", "standing"], during, otherwise)
    assert [(row["event"], row["component"]) for row in rows] == [
        ("left", 1), ("left", 2), ("standing", 1), ("standing", 2),
    ]  # fmt: skip
    u, p = mannwhitneyu(during[3:, 0, 1], otherwise[:, 0, 1])
    row = rows[1]
    assert (row["u"], row["p"]) == (u, p)
    assert (row["episodes_during"], row["episodes_otherwise"]) == (4, 7)
    assert row["share_otherwise"] == np.median(otherwise[:, 0, 1])
    assert [row["p_holm"] for row in rows[:2]] == component_tests.holm(
        [row["p"] for row in rows[:2]]
    )
    untested = {rows[2][key] for key in ("share_during", "u", "p", "p_holm")}
    assert untested == {None} and rows[2]["episodes_during"] == 0


def test_a_component_that_speaks_in_one_event_alone_is_found_and_chance_is_not():
    random = np.random.default_rng(0)
    happening = random.random((12, 200, 1)) < 0.4
    parts = []
    for event in happening:
        weights = random.random((200, 3))
        weights[:, 0] += event[:, 0]  # component 1 speaks when it happens
        parts.append(component_tests.shares(weights, event))
    first, *others = component_tests.compare(
        ["left"], *(np.stack(part) for part in zip(*parts, strict=True))
    )
    assert first["p_holm"] < 0.001 and first["share_during"] > first["share_otherwise"]
    unrelated = [component_tests.shares(random.random((200, 3)), event) for event in happening]
    rows = component_tests.compare(
        ["left"], *(np.stack(part) for part in zip(*unrelated, strict=True))
    )
    assert all(row["p_holm"] > 0.05 for row in rows)
