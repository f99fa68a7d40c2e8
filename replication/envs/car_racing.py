"""CarRacing-v3 with the same pixels, several times as fast: only the drawing of the state is new.

Physics, tracks, seeds, rewards and ends of episodes are gymnasium's; so are the modes `rgb_array`
and `human`. Where the kernels' pixels differ from stock's (another pygame, gymnasium, CPU), which
a check finds out before the first frame, stock draws.
"""

import warnings

from replication.envs.rendering import selfcheck
from replication.envs.rendering.scene import Scene

import numpy as np
from gymnasium import spaces
from gymnasium.envs.box2d.car_racing import STATE_H, STATE_W, CarRacing
from gymnasium.utils import EzPickle


class FastCarRacing(CarRacing):
    """CarRacing-v3, of which `state_rows` rows are drawn (World Models uses the first 84).

    The other arguments are CarRacing's. An observation is a new array, uint8 (state_rows, 96, 3).
    Raises ValueError unless 1 <= state_rows <= 96.
    """

    def __init__(
        self,
        render_mode: str | None = None,
        verbose: bool = False,
        lap_complete_percent: float = 0.95,
        domain_randomize: bool = False,
        continuous: bool = True,
        state_rows: int = STATE_H,
    ):
        if state_rows not in range(1, STATE_H + 1):
            raise ValueError(f"state_rows is from 1 to {STATE_H}, not {state_rows!r}")
        arguments = (render_mode, verbose, lap_complete_percent, domain_randomize, continuous)
        super().__init__(*arguments)
        EzPickle.__init__(self, *arguments, state_rows)
        self.state_rows = int(state_rows)
        self.observation_space = spaces.Box(0, 255, (self.state_rows, STATE_W, 3), np.uint8)
        self._scene = Scene(self.state_rows)
        self._fast = selfcheck.same_pixels()
        if not self._fast:
            warnings.warn(selfcheck.DIFFERENT, stacklevel=2)

    def _create_track(self) -> bool:
        created = super()._create_track()
        if created:
            self._scene.set_track(self)
        return created

    def _render(self, mode: str):
        if mode != "state_pixels" or "t" not in self.__dict__:  # no "t": not reset yet
            return super()._render(mode)
        if self._fast and self._scene.can_draw(self):
            return self._scene.render(self)
        return np.ascontiguousarray(super()._render(mode)[: self.state_rows])
