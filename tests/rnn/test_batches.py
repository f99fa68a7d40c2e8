"""M's batches: pairs with the timeline of the rollouts, dealt fairly; what follows an end."""

import dataclasses

from replication.config import Rnn, UserError
from replication.dataset import series as series_files
from replication.dataset.episodes import episode_path, list_episodes, pack_episode
from replication.presets import PRESETS
from replication.rnn.batches import (
    Pieces,
    Share,
    deal,
    draw_z,
    episode_ends,
    even_batch,
    for_m,
    gather,
    last_starts,
    mixed_batches,
    rows_of,
    sequence_batches,
)
from replication.rollouts.loop import Trial, drive
from replication.rollouts.real_world import RealWorld
from replication.runs import folders
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")
WITH_HEADS = Rnn(heads="reward,termination")
LENGTHS = (30, 7, 30, 18)
OFFSET = np.cumsum([0, *LENGTHS])


@pytest.fixture
def series() -> dict[str, np.ndarray]:
    """Episodes that count: mu[t] = 100 * row + t, action[t] = -mu[t], reward[t] = t / 2."""
    time = np.concatenate([np.arange(length) for length in LENGTHS])
    signs = 100 * np.repeat(np.arange(len(LENGTHS)), LENGTHS) + time
    return {
        "mu": np.float16(signs[:, None] * np.ones(32)),
        "logvar": np.full((len(time), 32), -40, np.float16),  # sigma 2e-9
        "action": np.float32(-signs[:, None] * np.ones(3)),
        "reward": np.float32(time / 2),
        "terminated": np.zeros(len(time), bool),
        "offset": OFFSET,
        "seed": np.array([20, 21, 22, 40], np.int64),
    }


def batch_of(series, rows, starts, steps) -> dict[str, np.ndarray]:
    pieces = Pieces(np.array(rows), np.array(starts), episode_ends(series)[rows], steps)
    batch = gather(for_m(series, WITH_HEADS, CAR_RACING_V3), pieces, np.random.default_rng(0))
    return {name: np.asarray(value) for name, value in draw_z(batch).items()}


def test_pairs_are_z_and_action_of_one_frame_and_z_of_the_next(series):
    series["terminated"][5] = True
    batch = batch_of(series, [0, 2], [0, 11], 6)
    for row, expected in ((0, [0, 1, 2, 3, 4, 5, 5]), (1, np.arange(211, 218))):
        np.testing.assert_allclose(batch["z"][row, :, 0], expected, atol=1e-6)
        np.testing.assert_allclose(batch["action"][row, :, 1], -np.array(expected))
    earned = batch["reward"][1]
    np.testing.assert_array_equal(earned[:, 0], (11 + np.arange(6)) / 2)  # what a_t earned
    np.testing.assert_array_equal(batch["termination"][0, :, 0], [0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(batch["weight"], [[1] * 5 + [0], [1] * 6])
    np.testing.assert_array_equal(batch["head_weight"], np.ones((2, 6)))


class AnswersFrames:
    """a_t = (t, seed, 0) / 1000, read from the frame that is shown."""

    def __init__(self, world: RealWorld):
        self.world = world

    def begin(self, slot, trial):
        pass

    def act(self, seen):
        return np.float32(self.world.frames[:, 30, 30]) * np.float32([1, 1, 0]) / 1000


def test_timeline_of_the_pairs_is_that_of_the_rollouts(home, counting_env):
    """Drive, record, encode, gather: a_t is the answer to the frame that z_t encodes."""
    folder = folders.record_folder(CONFIG)
    folder.mkdir(parents=True)
    for seed in (3, 8):
        world, frames = RealWorld(CAR_RACING_V3, [counting_env(length=9)]), []
        keep_frame = lambda *_, world=world, frames=frames: frames.append(world.frames[0].copy())  # noqa: E731
        driver = AnswersFrames(world)
        ((_, episode),) = drive(world, driver, [Trial(seed)], watch=keep_frame)
        packed = pack_episode(frames, episode.actions, episode.rewards, episode.terminated)
        episode_path(folder, seed).write_bytes(packed)
    low = np.full((9, 32), -40, np.float32)
    encoder = lambda obs: (np.float32(obs[:, 5, 5, :1]) * np.ones(32), low)  # noqa: E731
    series_files.write_series(encoder, list_episodes(CONFIG), CAR_RACING_V3, home)
    names = ("mu", "logvar", "action", "reward", "terminated", "offset", "seed")
    written = {name: np.load(home / f"{name}.npy", mmap_mode="r") for name in names}
    batch = batch_of(written, [0, 1], [0, 2], 5)
    for row, (first, seed) in enumerate(((0, 3), (2, 8))):
        t = first + np.arange(6)
        np.testing.assert_allclose(batch["z"][row, :, 7], t, atol=1e-6)
        np.testing.assert_allclose(batch["action"][row, :, 0], t / 1000, rtol=1e-6)
        np.testing.assert_allclose(batch["action"][row, :, 1], np.full(6, seed / 1000), rtol=1e-6)
        earned = 1000 * (t[:5] + 1) + t[:5] / 1000
        np.testing.assert_allclose(batch["reward"][row][:, 0], earned, rtol=1e-6)


def test_weight_is_1_where_the_step_has_a_successor(series):
    batch = batch_of(series, [0, 1, 3], [0, 0, 14], 29)
    assert batch["weight"].sum(axis=1).tolist() == [29, 6, 3]  # frames less one
    assert batch["weight"][1].tolist() == [1] * 6 + [0] * 23
    real = batch["weight"] > 0
    change = batch["z"][:, 1:, 0] - batch["z"][:, :-1, 0]
    np.testing.assert_allclose(change[real], 1, atol=1e-5)  # no pair spans episode and padding


def test_the_step_that_ends_an_episode_counts_for_the_heads_alone_and_what_follows_for_none(series):
    """Episode 0 ends with a_5, and its recording goes on; episode 1 has a last step, a_6."""
    series["terminated"][5:30] = True
    assert episode_ends(series).tolist() == [6, 7, 30, 18]
    batch = batch_of(series, [0, 1], [2, 2], 8)
    assert batch["weight"].tolist() == [[1] * 3 + [0] * 5, [1] * 4 + [0] * 4]
    assert batch["head_weight"].tolist() == [[1] * 4 + [0] * 4, [1] * 5 + [0] * 3]
    assert batch["termination"][0, 3, 0] == 1  # the last one that weighs is the end


@pytest.mark.parametrize(("heads", "last"), [(False, 7), (True, 8)])
def test_with_heads_a_piece_can_hold_an_episodes_last_step(series, heads, last):
    """18 frames: ten pairs start at 7 at most, ten steps with an outcome at 8."""
    config = Rnn(batch_size=1, sequence=10, heads="termination" if heads else "none")
    batches = sequence_batches(
        for_m(series, config, CAR_RACING_V3), np.array([3]), config, 4, 0
    ).take(60)
    starts = {round(float(batch["z"][0, 0, 0])) - 300 for batch in batches.as_numpy_iterator()}
    assert starts == set(range(last + 1))


def test_an_episode_ends_where_it_first_says_so(series):
    """At its first step, at its last, in the middle and again later, and at none."""
    series["terminated"][[0, OFFSET[2] - 1, OFFSET[2] + 9, OFFSET[2] + 20]] = True
    assert episode_ends(series).tolist() == [1, 7, 10, 18]


def test_restart_is_1_at_an_episodes_first_step(series):
    batch = batch_of(series, [0, 1, 2], [0, 3, 0], 8)
    assert batch["restart"].tolist() == [[1] + [0] * 7, [0] * 8, [1] + [0] * 7]


def test_a_piece_never_shows_the_next_episode(series):
    batch = batch_of(series, [1], [4], 9)
    np.testing.assert_allclose(batch["z"][0, :, 0], [104, 105] + [106] * 8, atol=1e-5)
    np.testing.assert_allclose(batch["action"][0, :, 0], [-104, -105] + [-106] * 8)


def test_pieces_of_long_episodes_alone_may_reach_beyond_their_end():
    ends, config = np.array([30, 11, 10, 7]), Rnn(sequence=10, beyond=4)
    assert last_starts(ends, config).tolist() == [19 + 4, 0, 0, 0]
    with_heads = dataclasses.replace(config, heads="end")
    assert last_starts(ends, with_heads).tolist() == [20 + 4, 1 + 4, 0, 0]
    far = dataclasses.replace(with_heads, beyond=99)
    assert last_starts(ends, far).tolist() == [29, 10, 0, 0]  # one step at least is inside


def test_shapes_and_types(series):
    pieces = Pieces(np.array([0, 1]), np.array([3, 0]), np.array([30, 7]), 8)
    batch = gather(for_m(series, WITH_HEADS, CAR_RACING_V3), pieces, np.random.default_rng(0))
    shapes = {name: array.shape for name, array in batch.items()}
    wide = dict.fromkeys(("mu", "logvar", "noise"), (2, 9, 32))
    narrow = dict.fromkeys(("weight", "head_weight", "restart"), (2, 8))
    heads = dict.fromkeys(("reward", "termination"), (2, 8, 2))
    assert shapes == wide | narrow | heads | {"action": (2, 9, 3)}
    assert {array.dtype.name for array in batch.values()} == {"float32"}


def take(series, config: Rnn, count: int, start: int = 0, seed: int = 4) -> list[dict]:
    rows = np.arange(len(LENGTHS))
    series = for_m(series, config, CAR_RACING_V3)
    batches = sequence_batches(series, rows, config, seed, start).take(count)
    return list(batches.as_numpy_iterator())


def test_random_crops_stay_inside_their_episodes(series):
    """Of whole sequences not a step is lost; of short episodes the whole is taken."""
    starts = {0: set(), 1: set(), 2: set(), 3: set()}
    for batch in take(series, Rnn(batch_size=4, sequence=10), 60):
        for row in range(4):
            first = round(float(batch["z"][row, 0, 0]))
            episode, start = divmod(first, 100)
            starts[episode].add(start)
            real = min(10, LENGTHS[episode] - 1 - start)
            assert batch["weight"][row].tolist() == [1] * real + [0] * (10 - real)
            if LENGTHS[episode] > 10:
                assert real == 10
    assert starts[1] == {0}
    assert starts[3] == set(range(8))  # 18 frames: pairs 0..16, sequences start at 0..7
    for row in (0, 2):
        assert {0, 19} <= starts[row] | starts[2 - row] <= set(range(20))
        assert len(starts[row]) > 12


def test_a_batch_follows_from_its_step(series):
    config = Rnn(batch_size=3, sequence=10)
    whole = take(series, config, 7)
    for batch, again in zip(whole[4:], take(series, config, 3, start=4), strict=True):
        for name, array in batch.items():
            np.testing.assert_array_equal(array, again[name])
    other = take(series, config, 7, seed=5)
    assert not np.array_equal(whole[0]["z"], other[0]["z"])


def test_z_is_drawn_anew_for_each_batch(series):
    series["logvar"] = np.zeros_like(series["logvar"])
    series["mu"] = np.zeros_like(series["mu"])
    batches = take(series, Rnn(batch_size=4, sequence=29), 12)
    z = np.stack([batch["z"] for batch in batches])
    assert np.unique(z).size > 0.99 * z.size
    assert z.std() == pytest.approx(1, abs=0.01)


def test_deal_deals_every_row_once_a_pass():
    rows = np.array([2, 3, 5, 7, 11, 13, 17])
    dealt = deal(rows, 0, 0, 70).reshape(10, 7)
    np.testing.assert_array_equal(np.sort(dealt, axis=1), np.tile(rows, (10, 1)))
    assert len({tuple(one_pass) for one_pass in dealt.tolist()}) == 10


@pytest.mark.parametrize(("first", "count"), [(0, 3), (5, 4), (6, 20), (41, 1), (14, 7)])
def test_deal_is_addressed_by_position(first, count):
    rows = np.arange(100, 107)
    whole = deal(rows, 3, 0, 70)
    np.testing.assert_array_equal(deal(rows, 3, first, count), whole[first : first + count])


def test_a_batch_may_be_larger_than_the_set():
    assert sorted(deal(np.arange(3), 0, 0, 12).tolist()) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_rows_are_split_as_vs_episodes(series):
    held_out, training = rows_of(series)
    assert held_out.tolist() == [0, 3]  # the seeds 20 and 40
    assert training.tolist() == [1, 2]


def test_the_held_out_batch_is_the_same_each_time_and_spread_over_the_episodes(series):
    config, rows = Rnn(sequence=10), np.array([0, 3])
    series = for_m(series, config, CAR_RACING_V3)
    first, again = (draw_z(even_batch(series, rows, config, 1))["z"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    starts = np.round(first[:, 0, 0].numpy()).astype(int).tolist()
    assert len(starts) == 20
    assert starts[::2] == [0, 2, 4, 6, 8, 10, 12, 14, 16, 19]  # of 30 frames: 0..19
    assert starts[1::2] == [300, 300, 301, 302, 303, 303, 304, 305, 306, 307]


def test_targets_are_an_episodes_own(series):
    """What a head learns is made of each episode's rewards and ends, not across episodes."""
    series["reward"][:] = -0.1
    series["reward"][[3, 4]], series["reward"][40] = 3.9, 4.9  # tiles worth 4, and worth 5
    prepared = for_m(series, Rnn(heads="tiles"), CAR_RACING_V3)
    assert prepared["heads"] == ["tiles"]
    assert np.flatnonzero(prepared["tiles"][:, 0]).tolist() == [3, 4, 40]
    assert prepared["tiles"][[3, 4, 40], 0].tolist() == [1, 1, 1]


def test_m_is_told_the_mean_with_a_little_noise(series):
    config = Rnn(z="mean", z_noise=0.5)
    prepared = for_m(series | {"mu": 0 * series["mu"]}, config, CAR_RACING_V3)
    pieces = Pieces(np.zeros(40, int), np.zeros(40, int), np.full(40, 30), 29)
    z = draw_z(gather(prepared, pieces, np.random.default_rng(0)))["z"].numpy()
    assert z.std() == pytest.approx(0.5, rel=0.02) and abs(z.mean()) < 0.02
    assert for_m(series, Rnn(), CAR_RACING_V3)["logvar"] is series["logvar"]


def test_a_head_that_the_game_has_not_is_refused(series):
    with pytest.raises(UserError, match="car_racing_v3 has reward, termination, tiles"):
        for_m(series, Rnn(heads="tiles,speed"), CAR_RACING_V3)


def test_mixed_batches_are_drawn_from_each_series_by_its_share(series):
    """Series 1 has means from 1000 on; it has three quarters of the pieces."""
    config = Rnn(batch_size=40, sequence=10)
    first, second = (
        for_m(series | {"mu": series["mu"] + np.float16(shift)}, config, CAR_RACING_V3)
        for shift in (0, 1000)
    )
    shares = [Share(first, np.array([0, 2]), 1), Share(second, np.array([1, 3]), 3)]
    batches = list(mixed_batches(shares, config, 4, 0).take(20).as_numpy_iterator())
    starts = np.concatenate([batch["z"][:, 0, 0] for batch in batches])
    assert (starts > 900).mean() == pytest.approx(0.75, abs=0.05)
    episodes = {int(start) // 100 for start in np.round(starts)}
    assert episodes == {0, 2, 11, 13}
    (again,) = mixed_batches(shares, config, 4, 7).take(1).as_numpy_iterator()
    for name, values in batches[7].items():
        np.testing.assert_array_equal(values, again[name])
