"""What every task must hold, whichever game it is; and how one is named."""

from replication.config import Config, UserError
from replication.envs import take_cover
from replication.runs.stages import STAGES
from replication.tasks.games import TASKS, task_of
from replication.tasks.task import Outcome
from replication.tf import tf

import numpy as np
import pytest
from made_up_doom import MadeUpDoom

ALL = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
SCRIPTS = {"probe"}  # extra stages that write nothing


def test_tasks_are_known_by_their_names():
    assert all(task_of(name) is task and task.name == name for name, task in TASKS.items())
    assert task_of(Config().task).name == "car_racing_v0"
    with pytest.raises(UserError, match="--task chess: no such game; there are .*car_racing_v3"):
        task_of("chess")


@ALL
def test_an_action_has_one_number_for_each_name(task):
    sizes = {len(values) for values in (task.action_low, task.action_high)}
    sizes |= {len(values) for values in (task.output_low, task.output_high)}
    assert sizes == {task.action_size} == {len(task.actions)}
    assert (np.array(task.action_low) < task.action_high).all()
    assert (np.array(task.output_low) < task.output_high).all()


@ALL
def test_keys_give_actions_of_the_game(task):
    low, high = np.array(task.action_low), np.array(task.action_high)
    for held, action in task.keys.items():
        assert set(held) <= {"left", "right", "up", "down"}
        assert len(action) == task.action_size
        assert (low <= action).all() and (action <= high).all()


@ALL
def test_squashed_outputs_are_actions_in_either_library(task):
    u = np.float32(np.random.default_rng(0).normal(0, 5, (100, task.action_size)))
    actions = task.squash(u, np)
    assert actions.shape == u.shape
    assert (actions >= task.action_low).all() and (actions <= task.action_high).all()
    np.testing.assert_allclose(task.squash(tf.constant(u), tf), actions, atol=1e-6)


@ALL
def test_outputs_beyond_their_limits_are_hardly_other_actions(task):
    low, high = (np.float32([limits]) for limits in (task.output_low, task.output_high))
    for limit, beyond in ((low, low - 100), (high, high + 100)):
        np.testing.assert_allclose(task.squash(limit, np), task.squash(beyond, np), atol=0.02)


@ALL
def test_random_policies_act_in_the_action_space(task):
    for name, policy in task.random_policies.items():
        actions = policy(np.random.default_rng(0))
        action = next(actions)
        assert np.shape(action) == (task.action_size,), name
        assert (action >= task.action_low).all() and (action <= task.action_high).all(), name


@ALL
def test_frames_are_what_v_takes(task, compiled, monkeypatch):
    monkeypatch.setattr(take_cover, "start_game", MadeUpDoom)  # ViZDoom may not be there
    env = task.make_env()
    obs, _ = env.reset(seed=0)
    frame = task.frames["plain"](obs)
    assert (frame.shape, frame.dtype) == ((64, 64, 3), np.uint8)
    assert task.frame_kind(frame, 0) in ("", *task.frame_kinds)


@ALL
def test_a_dream_without_heads_has_an_outcome_for_each_row(task):
    outcome = task.dream_outcome({}, 2)
    assert isinstance(outcome, Outcome)
    assert outcome.reward.dtype == outcome.end.dtype == np.float32
    assert outcome.reward.shape == outcome.end.shape == (2,)


@ALL
def test_heads_have_a_target_and_a_weight_for_each_step(task):
    reward, terminated = np.float32([1, 0, -0.5]), np.array([False, False, True])
    for head in task.heads.values():
        target, weight = head.target(reward, terminated)
        assert target.shape == weight.shape == (3,) and (weight >= 0).all()
        assert head.kind != "event" or set(np.unique(target)) <= {0, 1}


@ALL
def test_extra_stages_are_stages_that_other_tasks_may_lack(task):
    optional = {name for name, stage in STAGES.items() if stage.optional}
    assert task.extra_stages <= optional | SCRIPTS
