"""CarRacing-v0 as gym 0.9 had it, which World Models drove on (Ha & Schmidhuber 2018).

    env = gymnasium.make("replication/CarRacing-v0", state_rows=84)

Physics, rewards and the making of tracks are gymnasium's, which are v0's to the last bit. Camera,
window, picture, random numbers and the end of a lap are v0's and differ from v3's.
"""

import hashlib
import operator
import os

from replication.envs.rendering import window
from replication.envs.rendering.scene_v0 import Scene

import numpy as np
from gymnasium import error, spaces
from gymnasium.envs.box2d.car_racing import STATE_H, STATE_W, CarRacing
from gymnasium.utils import EzPickle

LIGHT_GRASS = (229, 230)  # what the paper's V saw; what Mesa's driver draws


class MT19937(np.random.MT19937):
    """NumPy's MT19937 (its states bear the name), but with states that == can compare.

    gymnasium's check_env does so.
    """

    @property
    def state(self) -> dict:
        state = super().state
        key, place = state["state"]["key"], state["state"]["pos"]
        return state | {"state": {"key": key.tolist(), "pos": place}}

    @state.setter
    def state(self, state: dict) -> None:
        np.random.MT19937.state.__set__(self, state)


def seeded_generator(seed: int) -> np.random.Generator:
    """The random numbers that gym 0.9 drew after `env.seed(seed)`, from 0 up.

    They come from the MT19937 of a RandomState, seeded with the words of a hash. Around the same
    MT19937, a Generator draws the same uniform numbers, and is what gymnasium expects.
    """
    digest = hashlib.sha512(str(seed % 2**64).encode()).digest()
    words = np.trim_zeros(np.frombuffer(digest[:8], "<u4"), "b")  # (2,), seldom fewer
    bits = MT19937()
    bits.state = np.random.RandomState(words if len(words) else [0]).get_state(legacy=False)
    return np.random.Generator(bits)


class CarRacingV0(CarRacing):
    """gym 0.9's CarRacing-v0, of which `state_rows` rows are drawn (World Models uses 84).

    An observation is a new array, uint8 (state_rows, 96, 3), with the pixels that OpenGL gave. The
    light grass is (102, light_grass, 102): 229 in the frames that were published with the paper,
    230 from Mesa's software driver. The score, in the bar of rows 84 to 95, is left out: its pixels
    depended on the machine's fonts.

    `reset(seed=s)` makes the track that `env.seed(s); env.reset()` made; a reset without a seed
    goes on with the same random numbers, as in gym 0.9. A lap ends when all tiles are visited. v0
    had neither discrete actions nor random colours.

    The modes `rgb_array`, uint8 (400, 600, 3), and `human`, a window of 1200 x 1000 pixels, show
    what v0 showed, with v0's camera and field of view, as gymnasium draws it.

    Raises ValueError unless 1 <= state_rows <= 96 and light_grass is 229 or 230.
    """

    def __init__(
        self,
        render_mode: str | None = None,
        verbose: bool = False,
        state_rows: int = STATE_H,
        light_grass: int = 229,
    ):
        if state_rows not in range(1, STATE_H + 1):
            raise ValueError(f"state_rows is from 1 to {STATE_H}, not {state_rows!r}")
        if light_grass not in LIGHT_GRASS:
            raise ValueError(f"light_grass is 229 or 230, not {light_grass!r}")
        self.state_rows, self.light_grass = int(state_rows), int(light_grass)
        # No share of the tiles exceeds 1: v3's early end of a lap never comes.
        super().__init__(render_mode, verbose, lap_complete_percent=1.0)
        EzPickle.__init__(self, render_mode, verbose, state_rows, light_grass)
        self.observation_space = spaces.Box(0, 255, (self.state_rows, STATE_W, 3), np.uint8)
        self._scene = Scene(self.state_rows)
        self._seed(int.from_bytes(os.urandom(8), "little"))  # until reset is given a seed

    def _init_colors(self) -> None:
        super()._init_colors()
        self.grass_color[1] = self.light_grass

    def _seed(self, seed: int) -> None:
        self._np_random, self._np_random_seed = seeded_generator(seed), seed

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """A new track; with a seed (an integer from 0 up), gym 0.9's track of that seed."""
        if seed is not None:
            seed = operator.index(seed)
            if seed < 0:
                raise error.Error(f"a seed is an integer from 0 up, not {seed}")
            self._seed(seed)
        return super().reset(options=options)

    def _render(self, mode: str):
        if "t" not in self.__dict__ or mode not in self.metadata["render_modes"]:
            return super()._render(mode)  # not reset yet, or no such mode
        if mode == "state_pixels":
            return self._scene.render(self)
        return window.render(self, self._scene.motion(self), mode)
