"""A second game, of a few lines: other sizes, no biases, an end, and no idle steps.

A white dot falls; a paddle of two numbers, left and right, has to be under it. Sizes of z and of an
action are not the car's.
"""

from collections.abc import Iterator, Mapping

from replication.tasks import games
from replication.tasks.task import Head, Outcome, Task

import gymnasium
import numpy as np
from gymnasium import spaces


class CatchEnv(gymnasium.Env):
    """The dot falls by 8 rows a step; where it lands away from the paddle, the game is lost."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space = spaces.Box(0, 255, (64, 64, 3), np.uint8)
    action_space = spaces.Box(0, 1, (2,), np.float32)

    def __init__(self, render_mode: str | None = None):
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.paddle = 32.0
        self._drop()
        return self._picture(), {}

    def _drop(self) -> None:
        self.row, self.column = 0, int(self.np_random.integers(4, 60))

    def step(self, action):
        self.paddle = float(np.clip(self.paddle + 8 * (action[1] - action[0]), 4, 60))
        self.row += 8
        lost = self.row > 56 and abs(self.column - self.paddle) > 24
        if self.row > 56:
            self._drop()
        return self._picture(), 1.0, lost, False, {}

    def _picture(self) -> np.ndarray:
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[self.row : self.row + 4, self.column - 2 : self.column + 2] = 255
        paddle = round(self.paddle)
        picture[60:, paddle - 4 : paddle + 4, 1] = 255
        return picture

    def render(self) -> np.ndarray:
        return self._picture().repeat(4, axis=0).repeat(6, axis=1)


def random_policy(random: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield random.random(2)


def dream_outcome(heads: Mapping, dreams: int) -> Outcome:
    """Alive counts 1."""
    return Outcome(np.ones(dreams, np.float32), heads.get("end", np.zeros(dreams, np.float32)))


def end_target(reward: np.ndarray, terminated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each step ended its episode; ends count ten times."""
    return np.float32(terminated), np.float32(1 + 9 * terminated)


def points_target(reward: np.ndarray, terminated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.float32(reward), np.ones(len(reward), np.float32)


CATCH = Task(
    name="catch",
    environment="Catch",
    published="",
    make_env=lambda stock=False, render_mode=None: CatchEnv(render_mode),
    frames={"plain": lambda obs: obs},
    frame_kind=lambda frame, step: "falling",
    frame_kinds=("falling",),
    z_size=6,
    actions=("left", "right"),
    action_low=(0.0, 0.0),
    action_high=(1.0, 1.0),
    squash=lambda u, xp: (xp.tanh(u) + 1) / 2,
    output_low=(-2.5, -2.5),
    output_high=(2.5, 2.5),
    bias=False,
    max_steps=40,
    fps=10,
    random_policies={"brownian": random_policy},
    controls=("brownian",),
    records_past_the_end=False,
    shortest=1,
    idle_reward=None,
    heads={"end": Head("event", end_target), "points": Head("number", points_target)},
    dream_outcome=dream_outcome,
    keys={},
    dream_idle=0.0,
    tells_restart=True,
    events=None,
    extra_stages=frozenset({"gate"}),
)


def register() -> None:
    """Let --task catch be known in this process."""
    games.TASKS["catch"] = CATCH
