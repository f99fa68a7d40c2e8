"""A Take Cover of a few lines, in the place of ViZDoom's: for tests of all that stands on it."""

from types import SimpleNamespace

from replication.envs import take_cover

import numpy as np


class MadeUpDoom:
    """A fireball comes every 40 tics, at a place that follows from the seed; who stands there dies.

    Only a death ends it. Deaths come at tics 120, 160, ... so that no episode is too short to use.
    """

    def set_seed(self, seed: int) -> None:
        self.seed = seed

    def new_episode(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.tic, self.player, self.dead = 0, 160, False
        self._aim()

    def _aim(self) -> None:
        self.target = int(self.random.integers(20, 300))

    def make_action(self, buttons: list[bool]) -> float:
        left, right = buttons
        self.player = int(np.clip(self.player + 4 * (right - left), 20, 300))
        self.tic += 1
        if self.tic % 40 == 0:
            self.dead = self.tic >= 120 and abs(self.player - self.target) < 100
            self._aim()
        return 1.0

    def is_episode_finished(self) -> bool:
        return self.dead

    def get_state(self):
        return None if self.dead else SimpleNamespace(screen_buffer=self._screen())

    def _screen(self) -> np.ndarray:
        screen = np.full((240, 320, 3), 80, np.uint8)
        screen[100:140] = (120, 90, 60)  # the wall
        row, size = 120 + 2 * (self.tic % 40), 3 + self.tic % 40 // 3
        column = 160 + self.target - self.player
        screen[row - size : row + size, max(column - size, 0) : max(column + size, 0)] = (
            255, 230, 90,
        )  # fmt: skip
        screen[208:] = (200, 0, 0)  # the status bar
        return screen

    def close(self) -> None:
        self.dead = True


def install() -> None:
    """Let every Take Cover of this process be the made-up one."""
    take_cover.start_game = MadeUpDoom
