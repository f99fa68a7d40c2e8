"""Where dreams start: recorded frames, with what M remembers there."""

from replication.config import Dream, Rnn
from replication.rnn.memory import memories, series_memories
from replication.rnn.rnn import MDNRNN
from replication.rnn.starts import FIRST, LIVELY, find_starts, recorded_starts
from replication.tasks.take_cover import TAKE_COVER
from replication.tf import tf

import numpy as np
import pytest

OFFSET = np.cumsum([0, 90, 12, 140])
EARNED = 130  # the only frame where something is earned, in the third episode


@pytest.fixture(scope="module")
def rnn() -> MDNRNN:
    tf.random.set_seed(0)
    return MDNRNN(Rnn(hidden=4, heads="end"), TAKE_COVER)


@pytest.fixture(scope="module")
def series() -> dict:
    random = np.random.default_rng(0)
    reward = np.zeros(OFFSET[-1], np.float32)
    reward[EARNED] = 1
    return {
        "mu": np.float16(random.standard_normal((OFFSET[-1], 64))),
        "logvar": np.zeros((OFFSET[-1], 64), np.float16),
        "action": np.float32(random.uniform(-1, 1, (OFFSET[-1], 1))),
        "reward": reward,
        "offset": OFFSET,
    }


def test_of_some_episodes_m_remembers_what_it_remembers_of_all(rnn, series):
    every, some = series_memories(rnn, series), series_memories(rnn, series, np.array([0, 2]))
    watched = np.r_[OFFSET[0] : OFFSET[1], OFFSET[2] : OFFSET[3]]
    for all_of, part in zip(every, some, strict=True):
        np.testing.assert_allclose(part[watched], all_of[watched], atol=1e-6)
        assert not part[OFFSET[1] : OFFSET[2]].any()


def test_starts_are_recorded_frames_and_what_m_remembers_there(rnn, series):
    starts = recorded_starts(rnn, [(series, 1.0)], 40, np.random.default_rng(1))
    at = [np.flatnonzero((np.float32(series["mu"]) == mu).all(axis=1)).item() for mu in starts.mu]
    later = [place for place in at if place not in OFFSET]
    assert len(at) - len(later) >= 40 * FIRST
    assert later and all(abs(place - EARNED) <= LIVELY for place in later)
    third = slice(OFFSET[2], OFFSET[3])
    h, c = memories(rnn, np.float32(series["mu"][third]), series["action"][third])
    for place, found_h, found_c in zip(at, starts.h, starts.c, strict=True):
        if place in later:
            np.testing.assert_allclose(found_h, h[place - OFFSET[2]], atol=1e-6)
            np.testing.assert_allclose(found_c, c[place - OFFSET[2]], atol=1e-6)
        else:
            assert not found_h.any() and not found_c.any()


def test_dreams_start_where_it_is_asked_for(rnn, series):
    first = find_starts(Dream(), rnn, [(series, 0.5), (series, 0.5)], np.random.default_rng(0))
    np.testing.assert_array_equal(first.mu, np.float32(np.tile(series["mu"][OFFSET[:-1]], (2, 1))))
    assert first.h is None
    shares, settings = [(series, 1.0)], Dream(starts="recorded")
    recorded = find_starts(settings, rnn, shares, np.random.default_rng(0))
    assert len(recorded.mu) == 1000 and recorded.h.any()
