"""Many dreams as a vector environment: gymnasium's rules, and as many single dreams."""

import functools

from replication.envs.dream import DreamEnv
from replication.envs.dream_vector import DreamVectorEnv
from replication.rnn.dream import Dreams
from replication.tf import keras
from replication.vae.vae import build_decoder

import gymnasium
import numpy as np
import pytest
from dreaming import EXACT_STARTS, HEADS, SMALL, STARTS, Z, random_rnn
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from gymnasium.wrappers.vector import NormalizeReward, RecordEpisodeStatistics

B, STEPS = 5, 4  # dreams; steps of one at most
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]


def ending_rnn(config=HEADS):
    """An M that gives the end half a chance, now a little more, now a little less."""
    rnn = random_rnn(config)
    if "termination" in rnn.heads:
        rnn.heads["termination"].bias.assign([0.0])
    return rnn


def singles(rnn, mode, **settings) -> SyncVectorEnv:
    """As many DreamEnvs, side by side."""

    def make():
        return TimeLimit(DreamEnv(rnn, *STARTS[:2], memory=True, **settings), STEPS)

    return SyncVectorEnv([make] * B, autoreset_mode=mode)


def played(envs, steps: int, seed=7) -> list:
    """All that an environment returns, from reset on, under random actions."""
    random = np.random.default_rng(0)
    results = [envs.reset(seed=seed)]
    for _ in range(steps):
        actions = random.uniform((-1, 0, 0), 1, (50, 3)).astype(np.float32)  # (50, A)
        results.append(envs.step(actions[: envs.num_envs]))
    return results


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("settings", [{"temperature": 0.7}, {"ends": "likely"}])
def test_it_is_as_many_single_dreams(mode, settings):
    """Observations, rewards, ends, resets and infos, as gymnasium puts environments together."""
    rnn = ending_rnn()
    envs = DreamVectorEnv(rnn, STARTS, B, max_steps=STEPS, autoreset_mode=mode, **settings)
    ours, theirs = played(envs, 30), played(singles(rnn, mode, **settings), 30)
    assert data_equivalence(ours, theirs, exact=True)
    terminations, truncations = (np.stack([step[i] for step in ours[1:]]) for i in (2, 3))
    assert truncations.any() and terminations.any()


def test_frames_are_those_of_single_dreams():
    keras.utils.set_random_seed(0)
    rnn, decoder = random_rnn(), build_decoder(Z)
    envs = DreamVectorEnv(rnn, STARTS, B, decoder=decoder, max_steps=STEPS)
    theirs = singles(rnn, AutoresetMode.NEXT_STEP, decoder=decoder, frames=True)
    assert envs.single_observation_space == theirs.single_observation_space
    for ours, other in zip(played(envs, 6), played(theirs, 6), strict=True):
        assert ours[0].dtype == np.uint8 and envs.observation_space.contains(ours[0])
        np.testing.assert_allclose(ours[0].astype(int), other[0].astype(int), atol=1)
    assert len(np.unique(ours[0].reshape(B, -1), axis=0)) == B


@pytest.mark.parametrize("mode", MODES)
def test_it_keeps_gymnasiums_rules(mode):
    envs = DreamVectorEnv(ending_rnn(), STARTS, B, max_steps=STEPS, autoreset_mode=mode.value)
    theirs = singles(envs.dreams.rnn, mode)
    for space in ("observation_space", "action_space"):
        assert getattr(envs, space) == getattr(theirs, space)
        assert getattr(envs, f"single_{space}") == getattr(theirs, f"single_{space}")
    assert envs.metadata["autoreset_mode"] == mode and envs.num_envs == B
    for obs, *rest in played(envs, 8):
        assert envs.observation_space.contains(obs)
        for values, dtype in zip(rest[:-1], (np.float64, bool, bool), strict=False):
            assert values.shape == (B,) and values.dtype == dtype
        assert isinstance(rest[-1], dict)


def test_gymnasium_makes_and_wraps_it():
    make = functools.partial(DreamVectorEnv, ending_rnn(), STARTS, max_steps=STEPS)
    gymnasium.register("test/Dreams-v0", vector_entry_point=lambda **given: make(**given))
    try:
        envs = gymnasium.make_vec("test/Dreams-v0", num_envs=B)
    finally:
        del gymnasium.registry["test/Dreams-v0"]
    plain = played(make(B), 40)
    wrapped = played(NormalizeReward(RecordEpisodeStatistics(envs)), 40)
    for (obs, *_), (expected, *_) in zip(wrapped, plain, strict=True):
        np.testing.assert_array_equal(obs, expected)
    lengths = np.concatenate([s[4]["episode"]["l"][s[2] | s[3]] for s in wrapped[1:] if s[4]])
    assert len(lengths) == sum((s[2] | s[3]).sum() for s in plain[1:])
    assert set(lengths) == {1, 2, 3, 4}


@pytest.mark.parametrize("count", [1, 2, 16, 17])
def test_a_row_does_not_depend_on_the_number_of_dreams(count):
    rnn = ending_rnn()
    five, others = (played(DreamVectorEnv(rnn, STARTS, n, max_steps=STEPS), 12) for n in (B, count))
    rows = min(B, count)
    for ours, other in zip(others, five, strict=True):
        assert data_equivalence(*([v[:rows] for v in step[:-1]] for step in (ours, other)), True)


def test_equal_seeds_give_equal_dreams():
    envs = DreamVectorEnv(ending_rnn(), STARTS, B, max_steps=STEPS)
    first, following = played(envs, 9), played(envs, 9, seed=None)
    assert data_equivalence(first, played(envs, 9), exact=True)
    assert data_equivalence(following, played(envs, 9, seed=None), exact=True)
    listed = played(envs, 9, seed=[7, 8, 9, 10, 11])
    assert data_equivalence(first, listed, exact=True)
    assert not data_equivalence(first[0][0], following[0][0], exact=True)
    assert (played(envs, 0, seed=8)[0][0][:-1] == first[0][0][1:]).all()


def test_starts_may_have_a_memory():
    random = np.random.default_rng(1)
    h, c = (random.standard_normal((7, SMALL.hidden), np.float32) for _ in range(2))
    envs = DreamVectorEnv(random_rnn(), EXACT_STARTS._replace(h=h, c=c), B)
    obs, _ = envs.reset(seed=0)
    starts = [int(np.flatnonzero((EXACT_STARTS.mu == row[:Z]).all(axis=1))[0]) for row in obs]
    np.testing.assert_array_equal(obs[:, Z:], h[starts])
    assert len(set(starts)) > 1 and envs.max_steps == 1000


def test_what_a_dream_earns_may_have_a_cap():
    """As in the world of C's search, in every dream anew."""
    rnn = random_rnn(HEADS)
    rnn.heads["reward"].bias.assign([2.0])
    rnn.heads["termination"].bias.assign([-99.0])
    envs = DreamVectorEnv(rnn, STARTS, B, max_steps=STEPS, cap=0.5, autoreset_mode="SameStep")
    steps = [rewards for _, rewards, *_ in played(envs, 2 * STEPS)[1:]]
    totals = np.cumsum(np.reshape(steps, (2, STEPS, B)), axis=1)  # (dreams, T, B)
    limits = 0.5 * np.arange(1, STEPS + 1)[:, None] + 3
    assert (totals <= limits + 1e-5).all() and (totals[:, 0] > 1).all()
    np.testing.assert_allclose(totals[:, -1], np.broadcast_to(limits[-1], (2, B)), rtol=1e-5)


def test_what_is_earned_above_the_cap_may_cost():
    """A dream that earns what the cap lets count, and no more, has the greatest return."""
    rnn = random_rnn(HEADS)
    rnn.heads["reward"].bias.assign([2.0])
    rnn.heads["termination"].bias.assign([-99.0])

    def returns(**rules) -> np.ndarray:
        envs = DreamVectorEnv(rnn, STARTS, B, max_steps=STEPS, **rules)
        return np.sum([rewards for _, rewards, *_ in played(envs, STEPS)[1:]], axis=0)

    whole, capped = returns(), returns(cap=0.5)
    assert (whole > capped + 0.5).all()
    for excess in (0.0, 0.5, 2.0):
        costly = returns(cap=0.5, excess=excess)
        np.testing.assert_allclose(costly, capped - excess * (whole - capped), rtol=1e-4)


def test_without_autoreset_the_user_resets():
    envs = DreamVectorEnv(random_rnn(), STARTS, B, max_steps=2, autoreset_mode="Disabled")
    envs.reset(seed=0)
    actions = np.zeros((B, 3), np.float32)
    envs.step(actions)
    obs, _, _, truncations, infos = envs.step(actions)
    assert truncations.all() and infos == {}
    mask = np.arange(B) < 2
    begun, _ = envs.reset(options={"reset_mask": mask})
    assert (begun[2:] == obs[2:]).all() and (begun[:2] != obs[:2]).any(axis=1).all()
    with pytest.raises(ResetNeeded, match=r"\[2, 3, 4\] are over"):
        envs.step(actions)
    envs.reset(options={"reset_mask": ~mask})
    assert not envs.step(actions)[3].any()


def test_observations_are_not_overwritten():
    envs = DreamVectorEnv(random_rnn(), STARTS, B)
    first, _ = envs.reset(seed=0)
    before = first.copy()
    envs.step(np.zeros((B, 3), np.float32))
    np.testing.assert_array_equal(first, before)


def test_wrong_use_is_named():
    envs = DreamVectorEnv(random_rnn(), STARTS, B)
    with pytest.raises(ResetNeeded, match="reset before step"):
        envs.step(np.zeros((B, 3), np.float32))
    with pytest.raises(ValueError, match="3 seeds for 5 dreams"):
        envs.reset(seed=[1, 2, 3])
    with pytest.raises(ValueError, match="reset_mask"):
        envs.reset(options={"reset_mask": np.zeros(B, bool)})
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="actions"):
        envs.step(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="at least 1"):
        DreamVectorEnv(random_rnn(), STARTS, 0)


def test_the_numbers_are_those_of_dreams_with_the_same_keys():
    rnn = ending_rnn()
    envs, dreams = DreamVectorEnv(rnn, STARTS, B, temperature=1.3), Dreams(rnn, STARTS, 1.3, B)
    envs.reset(seed=3)
    for row in range(B):
        random, _ = gymnasium.utils.seeding.np_random(3 + row)
        dreams.begin(row, int(random.integers(2**64, dtype=np.uint64)))
    actions = np.full((B, 3), 0.5, np.float32)
    obs, rewards, *_ = envs.step(actions)
    expected = dreams.step(actions)
    np.testing.assert_array_equal(obs, np.concatenate([dreams.z, dreams.h], axis=1))
    np.testing.assert_array_equal(rewards, expected["reward"])
