"""Dreams as a world: what is seen and stepped, and numbers that depend on seed and C alone."""

import dataclasses

from replication.config import Rnn
from replication.rollouts.agent import WIDTH, LinearControllers
from replication.rollouts.dream_world import DreamRules, DreamWorld
from replication.rollouts.loop import Trial, drive
from replication.runs.seeds import Purpose, derive_key

import numpy as np
import pytest
from agents import random_controllers, random_parts
from dreaming import ACTIONS, EXACT_STARTS, HEADS, STARTS, by_hand, is_start, random_rnn

FULL = Rnn(heads="reward,termination")


def test_a_trial_dreams_what_follows_from_its_seed():
    """z_t, h_t and c_t are M's own, in a loop over M with the stream of that seed."""
    rnn = random_rnn()
    world = DreamWorld(rnn, STARTS, DreamRules(0.7), width=2)
    for slot, seed in enumerate((3, 4)):
        world.begin(slot, Trial(seed))
    path = [world.see().z.copy()]
    for action in ACTIONS:
        world.step([0, 1], np.stack([action, action]))
        path.append(world.see().z.copy())
    for slot, seed in enumerate((3, 4)):
        expected = by_hand(rnn, STARTS, ACTIONS, derive_key(seed, Purpose.DREAM), 0.7)
        np.testing.assert_allclose(np.stack(path)[:, slot], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(world.see().h, world.dreams.h)
    assert world.see().h.shape == world.see().c.shape == (2, 16)


def test_dreams_of_another_purpose_are_others():
    first = []
    for purpose in (Purpose.DREAM, Purpose.VIDEO_DREAM):
        world = DreamWorld(random_rnn(), STARTS, width=1, purpose=purpose)
        world.begin(0, Trial(3))
        first.append(world.see().z.copy())
        expected = by_hand(world.dreams.rnn, STARTS, [], derive_key(3, purpose))
        np.testing.assert_allclose(first[-1], expected, rtol=1e-5)
    assert np.abs(first[0] - first[1]).max() > 0.1


def test_a_slot_begins_anew_at_a_start_without_memory():
    world = DreamWorld(random_rnn(), EXACT_STARTS, width=2)
    for slot in (0, 1):
        world.begin(slot, Trial(slot))
    world.step([0, 1], ACTIONS[:2])
    world.begin(0, Trial(5))
    seen = world.see()
    assert [is_start(z) for z in seen.z] == [True, False]
    assert not seen.h[0].any() and not seen.c[0].any() and seen.h[1].any()


def test_rewards_and_ends_are_ms():
    rnn = random_rnn(HEADS)
    rnn.heads["reward"].bias.assign([2.5])
    rnn.heads["reward"].kernel.assign(np.zeros((16, 1)))
    rnn.heads["termination"].bias.assign([100.0])
    world = DreamWorld(rnn, STARTS, width=2)
    for slot in (0, 1):
        world.begin(slot, Trial(slot))
    rewards, ended = world.step([0, 1], ACTIONS[:2])
    assert rewards.tolist() == [2.5, 2.5] and ended.tolist() == [True, True]


def test_limits_are_the_tasks_unless_they_are_given():
    world = DreamWorld(random_rnn(), STARTS, width=1)
    assert (world.max_steps, world.idle_reward) == (1000, 0)
    rules = DreamRules(max_steps=7)
    assert DreamWorld(random_rnn(), STARTS, rules, width=1).max_steps == 7


# To the last bit -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts():
    """M of full size, whose dreams end after a dozen steps or so."""
    return random_parts(FULL)


@pytest.fixture(scope="module")
def world(parts) -> DreamWorld:
    rnn = parts.build_rnn()
    rnn.heads["termination"].bias.assign([-2.5])
    return DreamWorld(rnn, STARTS, DreamRules(1.15, 40), WIDTH)


@pytest.fixture(scope="module")
def controllers(parts) -> LinearControllers:
    return LinearControllers(parts.controller)


def episodes_of(world, controllers, trials: list[Trial]) -> list[tuple]:
    """Every bit of every reward, action and z, in the order of the trials."""
    path: dict[int, list[bytes]] = {}

    def watch(slot, episode, seen, action) -> None:
        path.setdefault(episode.seed, []).append(seen.z[slot].tobytes())

    by_place = dict(drive(world, controllers, trials, watch=watch))
    episodes = [by_place[place] for place in range(len(trials))]
    return [(e.rewards, np.stack(e.actions).tobytes(), path[e.seed]) for e in episodes]


@pytest.fixture(scope="module")
def twenty(parts, world, controllers):
    """Twenty dreams of C's of their own in all sixteen slots."""
    trials = [Trial(100 + 3 * i, flat) for i, flat in enumerate(random_controllers(parts, 20))]
    return trials, episodes_of(world, controllers, trials)


def test_the_dreams_differ_and_end_at_different_steps(twenty):
    _, episodes = twenty
    assert len({rewards[0] for rewards, _, _ in episodes}) == 20
    assert len({len(rewards) for rewards, _, _ in episodes}) > 5


def test_a_dream_does_not_depend_on_its_slot(world, controllers, twenty):
    trials, expected = twenty
    assert episodes_of(world, controllers, trials[::-1])[::-1] == expected
    order = np.random.default_rng(0).permutation(20)
    shuffled = episodes_of(world, controllers, [trials[i] for i in order])
    assert shuffled == [expected[i] for i in order]


@pytest.mark.parametrize("count", [1, 2, 7, 15, 16, 17])
def test_a_dream_does_not_depend_on_how_many_share_the_batch(world, controllers, twenty, count):
    trials, expected = twenty
    assert episodes_of(world, controllers, trials[:count]) == expected[:count]


def test_a_dream_does_not_depend_on_its_neighbours(parts, world, controllers, twenty):
    trials, expected = twenty
    wild = 9 * random_controllers(parts, WIDTH - 1)
    others = [Trial(7000 + i, flat) for i, flat in enumerate(wild)]
    for place in (0, 7, 15):
        mixed = [*others[:place], trials[4], *others[place:]]
        assert episodes_of(world, controllers, mixed)[place] == expected[4]


def test_a_new_world_dreams_the_same(parts, world, twenty):
    """Nothing of a world's past enters."""
    trials, expected = twenty
    other = DreamWorld(world.dreams.rnn, STARTS, DreamRules(1.15, 40), WIDTH)
    controllers = LinearControllers(parts.controller)
    assert episodes_of(other, controllers, trials[7:10]) == expected[7:10]


def test_a_dream_depends_on_its_seed_and_on_its_c(world, controllers, twenty):
    trials, ((rewards, actions, path), *_) = twenty
    other_seed = dataclasses.replace(trials[0], seed=99)
    other_c = dataclasses.replace(trials[0], parameters=trials[1].parameters)
    first = [episodes_of(world, controllers, [trial])[0] for trial in (other_seed, other_c)]
    assert first[0][2][0] != path[0] and first[1][2][0] == path[0]
    assert all(episode[1] != actions for episode in first)
