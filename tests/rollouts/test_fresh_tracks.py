"""The tracks of evaluations, which no training uses."""

from replication.rollouts.fresh_tracks import APART, fresh_trials

import numpy as np


def test_tracks_follow_each_other_from_2_to_the_32_on():
    flat = np.arange(5)
    trials = fresh_trials(flat, 3)
    assert [trial.seed for trial in trials] == [2**32, 2**32 + 1, 2**32 + 2]
    assert all(trial.parameters is flat for trial in trials)
    assert all((trial.patience, trial.max_steps) == (0, None) for trial in trials)


def test_no_two_evaluation_seeds_share_a_track():
    (first,) = fresh_trials(np.zeros(1), 1, seed=7)
    assert first.seed == 2**32 + 7 * 2**20
    last = fresh_trials(np.zeros(1), APART, seed=6)[-1]
    assert last.seed == first.seed - 1
