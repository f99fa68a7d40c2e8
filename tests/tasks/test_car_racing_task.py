"""The car as a task: its actions, its environments, random policies, dreams and kinds of frame."""

from replication.envs.car_racing import FastCarRacing
from replication.tasks.car_racing import (
    CAR_RACING_V3,
    FPS,
    HIGH,
    LOW,
    TILES_WEIGHT,
    brownian_policy,
    dream_outcome,
    frame_kind,
    original_policy,
    squash,
    tiles_found,
)
from replication.tf import tf

import gymnasium
import numpy as np
import pytest

# Actions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("xp", [tf, np], ids=["tensorflow", "numpy"])
def test_squash_values(xp):
    u = np.float32([[0, 0, 0], [0.5, -0.5, 0.5], [-1, 1, -1], [99, 99, 99], [-99, -99, -99]])
    expected = [
        [0, 0.5, 0],
        [0.46211716, 0.26894142, 0.46211716],
        [-0.76159416, 0.88079708, 0],
        [1, 1, 1],
        [-1, 0, 0],
    ]
    np.testing.assert_allclose(squash(u, xp), expected, atol=1e-7)


def test_squash_stays_inside_the_action_space():
    u = np.float32(np.random.default_rng(0).normal(0, 5, (1000, 3)))
    action = squash(u, np)
    assert (action >= LOW).all()
    assert (action <= HIGH).all()
    assert (action[:, 2] == 0).mean() == pytest.approx(0.5, abs=0.05)


# Environments --------------------------------------------------------------------------------


def test_stock_is_gymnasiums_own_environment():
    env = CAR_RACING_V3.make_env(stock=True)
    assert env.spec.id == CAR_RACING_V3.environment == "CarRacing-v3"
    assert type(env).__module__ == "gymnasium.envs.box2d.car_racing"
    env.close()


def test_the_fast_one_draws_the_rows_that_v_sees(compiled):
    env, stock = CAR_RACING_V3.make_env(), CAR_RACING_V3.make_env(stock=True)
    assert (type(env), env.state_rows) == (FastCarRacing, 84)
    frames = [CAR_RACING_V3.frames["plain"](either.reset(seed=5)[0]) for either in (env, stock)]
    np.testing.assert_array_equal(*frames)
    assert frames[0].shape == (64, 64, 3)


@pytest.mark.parametrize("stock", [True, False])
def test_pictures_are_those_of_gymnasiums_window(compiled, stock):
    env = CAR_RACING_V3.make_env(stock, render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (400, 600, 3)
    env.close()


def test_actions_rate_and_idle_reward_are_the_environments(compiled):
    env = CAR_RACING_V3.make_env()
    assert env.action_space == gymnasium.spaces.Box(LOW, HIGH)
    assert env.metadata["render_fps"] == CAR_RACING_V3.fps == FPS
    assert gymnasium.spec("CarRacing-v3").max_episode_steps == CAR_RACING_V3.max_steps
    env.reset(seed=0)
    rewards = [env.step(np.zeros(3, np.float32))[1] for _ in range(3)]
    assert rewards[-1] == pytest.approx(CAR_RACING_V3.idle_reward)  # no new tile
    assert rewards[-1] < 0


# Random policies -----------------------------------------------------------------------------


def actions_of(policy, seed: int, count: int) -> np.ndarray:
    actions = policy(np.random.default_rng(seed))
    return np.stack([next(actions) for _ in range(count)])


@pytest.mark.parametrize("policy", [original_policy, brownian_policy])
def test_random_actions_follow_from_the_generator_and_lie_in_the_action_space(policy):
    actions = actions_of(policy, 3, 500)
    np.testing.assert_array_equal(actions[:9], actions_of(policy, 3, 9))
    assert not np.array_equal(actions[:9], actions_of(policy, 4, 9))
    assert actions.shape == (500, 3)
    assert (actions >= LOW).all() and (actions <= HIGH).all()


def test_a_brownian_policys_steps_are_those_of_a_fiftieth_of_a_second():
    """Half of a normal variable's steps are shorter than 0.6745 standard deviations."""
    steps = np.diff(actions_of(brownian_policy, 3, 5000), axis=0)
    steering = steps[:, 0][steps[:, 0] != 0]  # a step beyond the edge is cut
    assert np.median(np.abs(steering)) == pytest.approx(0.6745 / np.sqrt(50), rel=0.1)


# Dreams --------------------------------------------------------------------------------------


def test_without_heads_nothing_is_earned_and_nothing_ends():
    reward, end = dream_outcome({}, 3)
    assert reward.tolist() == end.tolist() == [0, 0, 0]


def test_a_step_of_a_dream_earns_what_m_expects():
    tiles, reward, end = np.float32([[1.5, -0.1], [7, 7], [0.25, 1]])
    outcome = dream_outcome({"reward": reward, "termination": end}, 2)
    np.testing.assert_array_equal(outcome, [reward, end])
    np.testing.assert_array_equal(dream_outcome({"tiles": tiles, "reward": reward}, 2)[0], tiles)


def test_tiles_are_counted_whatever_one_is_worth():
    """Tracks of 250 and of 300 tiles: 1000 / 250 and 1000 / 300 a tile, -0.1 a step."""
    for track in (250, 300):
        counts = np.array([2, 0, 0, 1, 3, 0])
        reward = np.float32(1000 / track * counts - 0.1)
        tiles, weight = tiles_found(np.append(reward, np.float32(-100.1)), np.zeros(7, bool))
        assert tiles.tolist() == [*counts, 0]
        assert weight.tolist() == [TILES_WEIGHT] * 6 + [0]


def test_tiles_that_are_always_found_in_pairs_are_pairs():
    tiles, _ = tiles_found(np.float32([2000 / 300 - 0.1, -0.1, 4000 / 300 - 0.1]), np.zeros(3))
    assert tiles.tolist() == [2, 0, 4]


def test_an_episode_without_tiles_has_none():
    tiles, weight = tiles_found(np.full(4, -0.1, np.float32), np.zeros(4, bool))
    assert tiles.tolist() == [0] * 4 and weight.tolist() == [TILES_WEIGHT] * 4


# Figures -------------------------------------------------------------------------------------

ROAD, GRASS, WHITE, BLACK = (102, 102, 102), (102, 229, 102), (255, 255, 255), (0, 0, 0)


def frame_of(colour) -> np.ndarray:
    return np.tile(np.uint8(colour), (64, 64, 1))


def test_kinds_of_frames_by_their_colours():
    kerb = frame_of(ROAD)
    kerb[30:34, 10:14] = WHITE
    half = frame_of(GRASS)
    half[:, :32] = ROAD
    frames = [frame_of(ROAD), kerb, frame_of(GRASS), half, frame_of(BLACK)]
    kinds = [frame_kind(frame, 25) for frame in frames]
    assert kinds == ["straight", "curve with kerb", "grass", "", ""]
    assert {kind for kind in kinds if kind} < set(CAR_RACING_V3.frame_kinds)
    assert [frame_kind(frame, 24) for frame in frames] == ["opening zoom"] * 5
