"""Take Cover on ViZDoom itself, where it is installed: rules, seeds, orphans and litter."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from replication.envs.take_cover import TakeCover
from replication.tasks.take_cover import TAKE_COVER

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

pytest.importorskip("vizdoom")
# Starts a game, says which process its engine is, and waits.
PLAYER = """
import sys, time
from replication.envs.take_cover import TakeCover
env = TakeCover()
env.reset(seed=0)
env.step([0])
print("playing", flush=True)
time.sleep(600)
"""


def play(env, policy: str, seed: int) -> tuple[list[np.ndarray], float]:
    """The screens of an episode of one of the task's policies, and its return."""
    actions = TAKE_COVER.random_policies[policy](np.random.default_rng(seed))
    screens, total, dead = [env.reset(seed=seed)[0]], 0.0, False
    while not dead:
        screen, reward, dead, _, _ = env.step(next(actions))
        screens.append(screen)
        total += reward
    return screens, total


@pytest.fixture
def env():
    env = TakeCover()
    yield env
    env.close()


def test_gymnasium_takes_it():
    made = gymnasium.make("replication/TakeCover-v0", render_mode="rgb_array").unwrapped
    check_env(made, skip_render_check=True)
    made.close()


def test_every_step_earns_1_the_last_one_too(env):
    screens, total = play(env, "left", 3)
    assert total == len(screens) - 1
    assert 40 < total < 1000


def test_v_sees_the_same_first_frame_in_all_episodes(env):
    """The face in the status bar is another, and V does not see that."""
    see = TAKE_COVER.frames["plain"]
    first = {see(env.reset(seed=seed)[0]).tobytes() for seed in range(5)}
    assert len(first) == 1


def test_a_seed_gives_the_same_episode_in_any_order_and_instance(env):
    other = TakeCover()
    five, six = play(env, "sweep", 5), play(env, "sweep", 6)
    for seed, (expected, total) in ((6, six), (5, five)):
        screens, again = play(other, "sweep", seed)
        assert again == total
        np.testing.assert_array_equal(screens, expected)
    assert len(five[0]) != len(six[0])
    other.close()


def test_sixteen_in_lockstep_play_as_one_does(env):
    envs = [TakeCover() for _ in range(16)]
    expected, _ = play(env, "stay", 9)
    for seed, each in enumerate(envs):
        each.reset(seed=seed)
    for step in range(1, 60):
        screens = [each.step(np.zeros(1))[0] for each in envs]
        np.testing.assert_array_equal(screens[9], expected[step])
    for each in envs:
        each.close()


@pytest.mark.parametrize("policy", ["left", "right"])
def test_the_wall_that_one_walks_up_to_fills_that_side_of_the_screen(env, policy):
    env.reset(seed=0)
    for _ in range(70):
        screen, _, dead, _, _ = env.step([-1.0 if policy == "left" else 1.0])
        assert not dead
    sky = screen[:60].astype(int)
    brown = (sky[..., 0] - sky[..., 2] > 25).mean(axis=0)  # (320,)
    near, far = (brown[:60], brown[-60:]) if policy == "left" else (brown[-60:], brown[:60])
    assert near.mean() > 0.3
    assert far.mean() == 0


def shared() -> set[str]:
    return {path.name for path in Path("/dev/shm").glob("ViZDoom*")}


def test_nothing_is_left_lying_about(tmp_path, monkeypatch, env):
    monkeypatch.chdir(tmp_path)
    other = TakeCover()
    other.reset(seed=0)
    other.step(np.zeros(1))
    other.close()
    assert list(tmp_path.iterdir()) == []
    of_this_process = Path("/proc/self/maps").read_text()
    assert [name for name in shared() if name in of_this_process] == []


def is_running(pid: int) -> bool:
    """Whether a process lives; one that is dead but that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [
        int(word) for task in tasks.iterdir() for word in (task / "children").read_text().split()
    ]


def test_the_engine_dies_with_a_killed_process(tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    player = subprocess.Popen(
        [sys.executable, "-c", PLAYER], stdout=subprocess.PIPE, env=environment
    )
    assert player.stdout.readline() == b"playing\n"
    engines = children_of(player.pid)
    assert len(engines) == 1
    player.send_signal(signal.SIGKILL)
    player.wait()
    for _ in range(600):
        if not any(map(is_running, engines)):
            break
        time.sleep(0.1)
    assert not any(map(is_running, engines))
    assert list(tmp_path.iterdir()) == []
