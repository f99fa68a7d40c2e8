"""Take Cover as a task: frames, blind policies, the end that counts ten times, kinds of frames."""

import itertools
from types import SimpleNamespace

from replication.controller.controller import LinearPolicy
from replication.presets import PRESETS
from replication.rnn.rnn import MDNRNN
from replication.tasks.take_cover import (
    EVENTS,
    TAKE_COVER,
    dream_outcome,
    ends,
    events_of,
    frame_kind,
    to_frame,
    to_stretched_frame,
)
from replication.vae.vae import build_decoder, build_encoder

import numpy as np
import pytest

POLICIES = TAKE_COVER.random_policies


def test_sizes_are_the_papers():
    """Its page 7: 4,446,915 for V, 1,678,785 for M, 1,088 for C."""
    config, z_size = PRESETS["doom"], TAKE_COVER.z_size
    v = build_encoder(z_size).count_params() + build_decoder(z_size).count_params()
    m = MDNRNN(config.rnn, TAKE_COVER).count_params()
    c = LinearPolicy(config.controller.mode, TAKE_COVER, config.rnn.hidden).parameter_count
    assert (v, m, c) == (4_446_915, 1_678_785, 1_088)


def test_frames_leave_out_the_status_bar_and_keep_colours():
    screen = np.zeros((240, 320, 3), np.uint8)
    screen[4:204, :160] = (10, 20, 30)
    screen[4:204, 160:] = (200, 100, 50)
    screen[:4] = screen[204:] = 255
    frame = to_frame(screen)
    assert (frame.shape, frame.dtype) == ((64, 64, 3), np.uint8)
    assert (frame[:, :31] == (10, 20, 30)).all()
    assert (frame[:, 33:] == (200, 100, 50)).all()


def test_stretched_frames_are_blue_first_and_wrap_around():
    """50..250 become 0..255, the status bar left out, and then each byte less one."""
    screen = np.full((240, 320, 3), 50, np.uint8)
    screen[4:204, 160:] = (250, 50, 150)
    frame = to_stretched_frame(screen)
    assert (frame[:, :31] == 255).all()  # 0 - 1
    assert (frame[:, 33:] == (127, 255, 254)).all()
    screen[210:] = 255
    np.testing.assert_array_equal(to_stretched_frame(screen), frame)


def first_of(name: str, count: int, seed: int = 0) -> np.ndarray:
    actions = POLICIES[name](np.random.default_rng(seed))
    return np.concatenate(list(itertools.islice(actions, count)))


def test_the_recordings_policy_holds_an_action_for_1_to_10_steps():
    actions = first_of("original", 20_000)
    changes = np.flatnonzero(np.diff(actions)) + 1
    held = np.diff(changes)
    assert set(held) == set(range(1, 11))
    assert actions.min() < -0.99 and actions.max() > 0.99
    assert not np.array_equal(actions, first_of("original", 20_000, seed=1))


def test_an_action_changes_where_the_step_is_a_multiple_of_a_repeat():
    """Which favours multiples of many numbers: nearly 4 in 10 of the steps that 10 divides."""
    changes = np.flatnonzero(np.diff(first_of("original", 200_000))) + 1
    share = lambda number: (changes % number == 0).mean() * number  # noqa: E731
    assert share(2) > 1.1
    assert share(60) > share(7)


def test_policies_that_draw_nothing():
    assert set(first_of("stay", 100)) == {0.0}
    assert set(first_of("left", 100)) == {-1.0}
    sweep = first_of("sweep", 240).reshape(4, 60)
    assert [set(part) for part in sweep] == [{-1.0}, {1.0}, {-1.0}, {1.0}]


def test_random_draws_each_step():
    actions = first_of("random", 10_000)
    assert len(set(actions)) == 10_000
    assert (actions < -1 / 3).mean() == pytest.approx(1 / 3, abs=0.02)


def test_an_end_counts_ten_times():
    terminated = np.array([False, False, True])
    target, weight = ends(np.ones(3, np.float32), terminated)
    assert target.tolist() == [0, 0, 1]
    assert weight.tolist() == [1, 1, 10]
    assert target.dtype == weight.dtype == np.float32


def test_a_step_of_a_dream_earns_1_and_ends_as_m_says():
    chances = np.float32([0.1, 0.9])
    outcome = dream_outcome({"end": chances}, 2)
    assert outcome.reward.tolist() == [1, 1]
    assert outcome.end is chances
    assert dream_outcome({}, 3).end.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (lambda: frame_of(90), []),
        (lambda: frame_of((255, 220, 90), (slice(30, 34), slice(5, 8))), ["fireball left"]),
        (lambda: frame_of((255, 220, 90), (slice(30, 34), slice(30, 32))), ["fireball ahead"]),
        (lambda: frame_of((255, 220, 90), (slice(30, 33), slice(60, 63))), ["fireball right"]),
        (lambda: frame_of((255, 220, 90), (slice(30, 31), slice(60, 63))), []),  # far away
        (lambda: frame_of((115, 90, 70), (slice(None), slice(0, 9))), ["wall left"]),
        (lambda: frame_of((115, 90, 70), (slice(None), slice(50, 64))), ["wall right"]),
        (lambda: frame_of((115, 90, 70), slice(26, 38)), []),  # the far wall
        (lambda: frame_of((150, 40, 40)), ["hit"]),
    ],
)
def test_events(frame, names):
    happening = events_of(frame())
    assert [name for name, happens in zip(EVENTS, happening, strict=True) if happens] == names


def test_events_are_read_off_the_screen():
    screen = np.full((240, 320, 3), 90, np.uint8)
    watching = TAKE_COVER.events.watch(SimpleNamespace(screen=screen))
    assert not watching().any()
    screen[:] = (150, 40, 40)
    assert watching().tolist() == [False] * 5 + [True]


def frame_of(colour, place=(slice(None), slice(None))) -> np.ndarray:
    frame = np.full((64, 64, 3), 90, np.uint8)
    frame[place] = colour
    return frame


@pytest.mark.parametrize(
    ("frame", "step", "kind"),
    [
        (frame_of(90), 3, "start"),
        (frame_of(90), 100, ""),
        (frame_of((255, 220, 90), (slice(30, 36), slice(20, 26))), 100, "fireball"),
        (frame_of((120, 90, 60), (slice(None), slice(40, 64))), 100, "wall"),
        (frame_of((200, 40, 40)), 100, "hit"),
    ],
    ids=["start", "nothing", "fireball", "wall", "hit"],
)
def test_kinds_of_frames(frame, step, kind):
    assert frame_kind(frame, step) == kind
