"""CarRacing-v3 with the same pixels, several times as fast: only the drawing of the state is new.

Physics, tracks, seeds, rewards and ends of episodes are gymnasium's; so are the modes `rgb_array`
and `human`. Where the kernels' pixels differ from stock's (another pygame, gymnasium, CPU), which
a check finds out before the first frame, stock draws; so it does where a subclass or a program
draws for itself.
"""

import sys
import warnings

from replication.envs.rendering import originals, selfcheck
from replication.envs.rendering.scene import Scene

import numpy as np
import pygame
from gymnasium import spaces
from gymnasium.envs.box2d.car_racing import STATE_H, STATE_W, CarRacing
from gymnasium.utils import EzPickle


class FastCarRacing(CarRacing):
    """CarRacing-v3, of which `state_rows` rows are drawn (World Models uses the first 84).

    The other arguments are CarRacing's. An observation is a new array, uint8 (state_rows, 96, 3).
    Raises ValueError unless 1 <= state_rows <= 96.
    """

    _road_seen = True  # may anybody have the list `road_poly`, and change it?
    _surf = None
    _surf_reward = None  # reward in the frame last drawn, if no surface holds that frame

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
        self._scene = Scene()
        self._fast = selfcheck.same_pixels()
        if not self._fast:
            warnings.warn(selfcheck.DIFFERENT, stacklevel=2)

    @property
    def road_poly(self) -> list:
        """What stock draws as the road. Whoever asks for it may change it, now or later."""
        self._road_seen = True
        return self._road_poly

    @road_poly.setter
    def road_poly(self, polygons: list) -> None:
        self._road_poly, self._road_seen = polygons, True

    @property
    def surf(self) -> pygame.Surface | None:
        """The surface of the last frame; if the kernels drew that, stock draws it on demand."""
        if self._surf_reward is not None:
            now, self.reward = self.reward, self._surf_reward
            super()._render("state_pixels")
            self.reward = now
        return self._surf

    @surf.setter
    def surf(self, surface: pygame.Surface | None) -> None:
        self._surf, self._surf_reward = surface, None

    def _create_track(self) -> bool:
        create = super()._create_track
        created = create()
        own = getattr(create, "__func__", None) is originals.CREATE_TRACK
        unseen = type(self).road_poly is FastCarRacing.road_poly and self._alone_with_road()
        if created and own and unseen:
            self._road_seen = not self._scene.take_over(self._road_poly, self.road)
        return created

    def _alone_with_road(self) -> bool:
        """Does nobody else hold the list? (One reference is this call's own.)"""
        return sys.getrefcount(self._road_poly) == 2

    def _render(self, mode: str):
        if mode != "state_pixels" or "t" not in self.__dict__:  # no "t": not reset yet
            return super()._render(mode)
        state = self._draw() if self._fast and originals.in_place(self) else None
        if state is None:
            return np.ascontiguousarray(super()._render(mode)[: self.state_rows])
        self._surf_reward = self.reward
        return state

    def _draw(self) -> np.ndarray | None:
        """The state as the kernels draw it; None where they cannot."""
        if self._road_seen and not self._scene.copy_track(self.road_poly):
            return None
        return self._scene.render(self, self.state_rows)
