"""Doom's Take Cover as World Models played it (Ha & Schmidhuber 2018, section 4), on ViZDoom.

    env = gymnasium.make("replication/TakeCover-v0")

Imps on the far wall throw fireballs; the player can step left or right, and lives as long as it
can. One step is one of Doom's 35 tics a second and earns 1. ViZDoom is imported when an environment
is made, so that nothing else needs it. The engine is a process of its own.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from replication.config import UserError

import numpy as np
from gymnasium import Env, error, spaces
from gymnasium.utils import EzPickle

FPS = 35  # tics a second
HEIGHT, WIDTH = 240, 320
THIRD = 0.3333  # original doomreal.py: below -THIRD is left, above THIRD is right
START = 14  # the first tic that is played (ppaquette/gym-doom)
# The engine outlives a killed parent and ignores SIGTERM, so it asks Linux to be killed with it.
# It makes a folder _vizdoom where it starts.
DIE_WITH_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9);"  # PR_SET_PDEATHSIG, SIGKILL
    " os.getppid() == int(sys.argv[1]) or sys.exit(1);"
    " os.chdir(sys.argv[2]); os.execv(sys.argv[3], sys.argv[3:])"
)


def import_vizdoom():
    """ViZDoom; UserError if it is not installed."""
    try:
        import vizdoom
    except ModuleNotFoundError:
        raise UserError("Take Cover needs ViZDoom: python -m pip install -e .[doom]") from None
    return vizdoom


def configure(vizdoom):
    """A game with the settings of gym-doom's TakeCover, not yet started.

    Skill 4 is what gym-doom played, though it says 5: its engine took 5 for 4, and today's takes it
    for Nightmare. The HUD is on, though V does not see it: without it the camera is another one.
    The screen reddens at a hit, as it did then and as today's take_cover.cfg leaves out. There is
    no limit of time here: gymnasium's is 2100 steps, and a game that it cuts is no death.
    """
    game = vizdoom.DoomGame()
    game.set_doom_scenario_path(f"{vizdoom.scenarios_path}/take_cover.wad")
    game.set_doom_map("map01")
    game.set_doom_skill(4)
    game.set_mode(vizdoom.Mode.PLAYER)
    game.set_episode_start_time(START)
    game.set_episode_timeout(0)
    game.set_living_reward(1)
    game.set_available_buttons([vizdoom.Button.MOVE_LEFT, vizdoom.Button.MOVE_RIGHT])
    game.set_screen_resolution(vizdoom.ScreenResolution.RES_320X240)
    game.set_screen_format(vizdoom.ScreenFormat.RGB24)
    game.set_render_hud(True)
    game.set_render_screen_flashes(True)
    game.set_render_weapon(False)
    game.set_render_crosshair(False)
    game.set_render_decals(False)
    game.set_render_particles(False)
    game.set_window_visible(False)
    game.set_sound_enabled(False)
    game.set_doom_config_path(os.devnull)  # else _vizdoom.ini, in the working directory
    return game


@contextlib.contextmanager
def launcher(engine: str) -> Iterator[str]:
    """A program that starts the engine so that it dies with this process, for as long as needed."""
    with tempfile.TemporaryDirectory(prefix="take-cover-") as folder:
        path = Path(folder) / "engine"
        words = (sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, os.getpid(), folder, engine)
        quoted = " ".join("'" + str(word).replace("'", "'\\''") + "'" for word in words)
        path.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
        path.chmod(0o700)
        yield str(path)


def remove_shared_names() -> None:
    """Take the names of this process's games out of /dev/shm; the memory lives as long as they do.

    A killed process would leave them there.
    """
    lines = Path("/proc/self/maps").read_text().splitlines()
    for name in sorted({word for word in map(last_word, lines) if word.startswith("/dev/shm/ViZ")}):
        Path(name).unlink(missing_ok=True)


def last_word(line: str) -> str:
    return line.rpartition(" ")[2]


def start_game():
    """A ViZDoom game, started."""
    vizdoom = import_vizdoom()
    game = configure(vizdoom)
    if sys.platform != "linux":
        game.init()
        return game
    with launcher(vizdoom.exe_path) as path:
        game.set_vizdoom_path(path)
        game.init()
    remove_shared_names()
    return game


def buttons(action) -> list[bool]:
    """Left and right of an action, one number in -1..1: thirds are left, neither and right."""
    (direction,) = np.asarray(action).reshape(-1)
    return [bool(direction < -THIRD), bool(direction > THIRD)]


class TakeCover(Env, EzPickle):
    """Take Cover; an observation is the screen, uint8 (240, 320, 3), its HUD included.

    An action is one number in -1..1, float (1,): below -1/3 left, above 1/3 right. Each step earns
    1, the last one too. An episode ends with the player's death, and the screen is black then. The
    same seed gives the same episode to the last bit, in any process and any order.

    Raises UserError if ViZDoom is not installed.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": FPS}
    observation_space = spaces.Box(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, render_mode: str | None = None):
        EzPickle.__init__(self, render_mode)
        self.render_mode = render_mode
        self._game = start_game()
        self.screen = np.zeros(self.observation_space.shape, np.uint8)
        self._playing = False

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """A new episode; without a seed it follows from the one before."""
        super().reset(seed=seed)
        self._game.set_seed(int(self.np_random.integers(1, 2**31)))
        self._game.new_episode()
        self._playing = True
        self._look()
        return self.screen, {}

    def step(self, action):
        if not self._playing:
            raise error.ResetNeeded("the episode is over: reset first")
        reward = self._game.make_action(buttons(action))
        dead = self._game.is_episode_finished()  # by death alone: there is no limit of time
        self._playing = not dead
        self._look()
        return self.screen, float(reward), dead, False, {}

    def _look(self) -> None:
        state = self._game.get_state()  # None when the episode is over
        self.screen = np.zeros_like(self.screen) if state is None else state.screen_buffer.copy()

    def render(self) -> np.ndarray | None:
        """The screen, uint8 (240, 320, 3)."""
        return self.screen.copy() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        self._game.close()
