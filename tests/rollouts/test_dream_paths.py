"""z of every frame of a dream: of C, which may begin anew, and under given actions."""

from replication.controller.controller import LinearPolicy
from replication.rnn.dream import Starts
from replication.rollouts.agent import LinearControllers
from replication.rollouts.dream_paths import dream_along, dream_path
from replication.rollouts.dream_world import DreamRules, DreamWorld
from replication.rollouts.loop import Trial
from replication.runs.seeds import Purpose, derive_key, derive_seed
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
from dreaming import ACTIONS, EXACT_STARTS, HEADS, STARTS, by_hand, is_start, random_rnn

CONTROLLER = LinearPolicy("z_h", CAR_RACING_V3, hidden=16)
FLAT = np.random.default_rng(5).normal(0, 0.3, 147).astype(np.float32)


def path_of(world, steps: int, seed: int = 3):
    return dream_path(world, LinearControllers(CONTROLLER, 1), Trial(seed, FLAT), steps)


def test_c_acts_on_z_and_h_as_in_the_real_environment():
    rnn = random_rnn()
    path, episodes = path_of(DreamWorld(rnn, STARTS, width=1), 6)
    h = c = np.zeros((1, 16), np.float32)
    actions = []
    for z in path[:, None]:
        actions.append(CONTROLLER.act(FLAT[None], z, h, c).numpy())
        h, c = rnn.step(z, actions[-1], h, c)
    actions = np.concatenate(actions)
    expected = by_hand(rnn, STARTS, actions[:-1], derive_key(3, Purpose.DREAM))
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)
    (episode,) = episodes
    np.testing.assert_allclose(episode.actions, actions, atol=1e-5)
    assert (episode.seed, len(episode.rewards), episode.total) == (3, 6, 0)


def test_a_dream_that_ends_is_followed_by_another():
    rnn = random_rnn(HEADS)
    rnn.heads["termination"].bias.assign([100.0])
    path, episodes = path_of(DreamWorld(rnn, EXACT_STARTS, width=1), 5)
    assert len(path) == 5 and all(is_start(z) for z in path)
    assert len({z.tobytes() for z in path}) > 1  # not the same dream again
    later = [derive_seed(3, Purpose.DREAM, place) for place in range(1, 5)]
    assert [episode.seed for episode in episodes] == [3, *later]
    assert [episode.terminated for episode in episodes] == [[True]] * 5
    expected = [episode.rewards[0] for episode in episodes]
    assert [episode.total for episode in episodes] == expected


def test_the_last_dream_is_cut_where_the_path_ends():
    path, episodes = path_of(
        DreamWorld(random_rnn(), EXACT_STARTS, DreamRules(max_steps=4), width=1), 10
    )
    assert [len(episode.rewards) for episode in episodes] == [4, 4, 2]
    assert [is_start(z) for z in path] == [t in (0, 4, 8) for t in range(10)]


def test_given_actions_lead_from_frame_to_frame():
    """z_0 of the first frame; a_t leads from frame t to frame t + 1."""
    rnn, start = random_rnn(), Starts(STARTS.mu[2:3], STARTS.logvar[2:3])
    world = DreamWorld(rnn, start, DreamRules(0.7), width=1, purpose=Purpose.FIGURE_3_DREAM)
    path = dream_along(world, ACTIONS, seed=3)
    key = derive_key(3, Purpose.FIGURE_3_DREAM)
    expected = by_hand(rnn, start, ACTIONS[:-1], key, 0.7)
    assert len(path) == len(ACTIONS)
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)


def test_given_actions_go_on_past_an_end():
    rnn = random_rnn(HEADS)
    rnn.heads["termination"].bias.assign([100.0])
    path = dream_along(DreamWorld(rnn, EXACT_STARTS, width=1), ACTIONS, seed=3)
    assert [is_start(z) for z in path] == [True] + [False] * (len(ACTIONS) - 1)
