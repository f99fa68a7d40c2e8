"""Take Cover around a made-up game: thirds, ends, seeds, and what ViZDoom is asked for."""

import builtins
import pickle
import subprocess
import sys
from unittest import mock

from replication.config import UserError
from replication.envs import take_cover
from replication.envs.take_cover import TakeCover, buttons, configure, launcher

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from made_up_doom import MadeUpDoom

ID = "replication/TakeCover-v0"


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    monkeypatch.setattr(take_cover, "start_game", MadeUpDoom)


@pytest.mark.parametrize(
    ("action", "pressed"),
    [
        (-1.0, [True, False]),
        (-0.334, [True, False]),
        (-0.333, [False, False]),
        (0.0, [False, False]),
        (0.333, [False, False]),
        (0.334, [False, True]),
        (1.0, [False, True]),
    ],
)
def test_thirds_of_an_action_are_left_neither_and_right(action, pressed):
    assert buttons(np.float32([action])) == pressed


def test_gymnasium_takes_it():
    spec = gymnasium.spec(ID)
    assert (spec.max_episode_steps, spec.reward_threshold) == (2100, 750)
    check_env(gymnasium.make(ID, render_mode="rgb_array").unwrapped, skip_render_check=True)


def episode(env, seed: int | None) -> list[np.ndarray]:
    """The screens of an episode in which the player stays, to its death."""
    screens, dead = [env.reset(seed=seed)[0]], False
    while not dead:
        screen, reward, dead, truncated, _ = env.step(np.zeros(1))
        assert (reward, truncated) == (1.0, False)
        screens.append(screen)
    return screens


def test_an_episode_follows_from_its_seed_alone():
    env, other = TakeCover(), TakeCover()
    seven, after, eight = episode(env, 7), episode(env, None), episode(env, 8)
    again = [episode(other, 8), episode(other, 7), episode(other, None)]
    for screens, expected in zip(again, (eight, seven, after), strict=True):
        np.testing.assert_array_equal(screens, expected)
    assert not np.array_equal(seven[0], eight[0])


def test_death_ends_an_episode_in_black():
    env = TakeCover()
    screens = episode(env, 3)
    assert screens[-2].any() and not screens[-1].any()
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(1))


def test_a_game_that_is_cut_is_no_death(monkeypatch):
    monkeypatch.setattr(MadeUpDoom, "is_episode_finished", lambda game: False)
    env = gymnasium.make(ID)
    env.reset(seed=0)
    ends = [env.step(np.zeros(1))[2:4] for _ in range(2100)]
    assert set(ends[:-1]) == {(False, False)}
    assert ends[-1] == (False, True)


def test_screens_are_copies():
    env = TakeCover(render_mode="rgb_array")
    first, _ = env.reset(seed=1)
    kept = first.copy()
    env.step(np.ones(1))
    np.testing.assert_array_equal(first, kept)
    env.render()[:] = 0
    assert env.render().any()
    assert TakeCover().render() is None


def test_copies_play_the_same():
    again = pickle.loads(pickle.dumps(TakeCover()))
    np.testing.assert_array_equal(again.reset(seed=5)[0], TakeCover().reset(seed=5)[0])


def test_vizdoom_is_asked_for_gym_dooms_game():
    game = mock.MagicMock()
    vizdoom = mock.MagicMock(scenarios_path="/s", DoomGame=lambda: game)
    configure(vizdoom)
    asked = {name: args for name, args, _ in game.method_calls}
    expected = {
        "set_doom_scenario_path": "/s/take_cover.wad",
        "set_doom_skill": 4,
        "set_episode_start_time": 14,
        "set_episode_timeout": 0,
        "set_living_reward": 1,
        "set_screen_resolution": vizdoom.ScreenResolution.RES_320X240,
        "set_screen_format": vizdoom.ScreenFormat.RGB24,
        "set_render_hud": True,
        "set_render_weapon": False,
        "set_render_crosshair": False,
        "set_window_visible": False,
        "set_available_buttons": [vizdoom.Button.MOVE_LEFT, vizdoom.Button.MOVE_RIGHT],
    }
    assert {name: asked[name] for name in expected} == {
        name: (value,) for name, value in expected.items()
    }


def test_without_vizdoom_one_line_says_what_to_install(monkeypatch):
    real_import = builtins.__import__

    def import_nothing(name, *rest):
        if name == "vizdoom":
            raise ModuleNotFoundError(name)
        return real_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", import_nothing)
    with pytest.raises(UserError, match=r"^Take Cover needs ViZDoom: .* install -e \.\[doom\]$"):
        take_cover.import_vizdoom()


def test_the_package_loads_no_vizdoom():
    code = "import sys, replication.tasks.games, replication.envs.take_cover; print(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'vizdoom'" not in done.stdout


def test_the_launcher_starts_the_engine_elsewhere_with_its_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = tmp_path / "it's an engine"
    engine.write_text('#!/bin/sh\npwd\nprintf "%s|" "$@"\n')
    engine.chmod(0o700)
    with launcher(str(engine)) as path:
        done = subprocess.run([path, "+map", "a b"], capture_output=True, text=True, check=True)
    folder, arguments = done.stdout.splitlines()
    assert folder != str(tmp_path) and path.startswith(folder)
    assert arguments == "+map|a b|"
    assert [entry.name for entry in tmp_path.iterdir()] == [engine.name]
