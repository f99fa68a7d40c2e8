"""What the pipeline must know of a game: everything else in the package is the same for all games.

A new game is an environment in envs/, a value of Task in a file of this room, and its name in
`TASKS` (games.py): docs/adding-a-game.md. tests/support/made_up_game.py is an example.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import gymnasium
import numpy as np

RandomPolicy = Callable[[np.random.Generator], Iterator[np.ndarray]]
"""An endless series of actions, float (A,), that follows from the generator alone."""


class Head(NamedTuple):
    """Something that M predicts of a_t from h_{t+1}, beside z_{t+1}."""

    # M gives the probability of an event; the mean of a Gaussian of variance 1 for a number; and
    # that of a Poisson distribution for a count.
    kind: Literal["event", "number", "count"]
    # An episode's reward float32 (T,) and terminated bool (T,) -> what M should say of each step,
    # and how much that counts in the loss: float32 (T,) each.
    target: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Events(NamedTuple):
    """What figure 8 relates M's mixture to: facts of the game at x_t, several at once."""

    meanings: Mapping[str, str]  # of E events, by name
    # An environment, just reset -> which events happen whenever that is called, bool (E,).
    watch: Callable[[gymnasium.Env], Callable[[], np.ndarray]]
    opening: int  # first steps of an episode that the figure does not show
    hides: str  # while this one happens those before it do not make a stretch worth showing


class Outcome(NamedTuple):
    """What a step of a dream earned, and how probably it ended the dream."""

    reward: np.ndarray  # float32 (B,)
    end: np.ndarray  # float32 (B,), 0..1


@dataclass(frozen=True)
class Task:
    """A game. Names of axes: B batch, Z size of z, A size of an action."""

    name: str  # as --task says it
    environment: str  # as tables of scores say it
    # The game whose published numbers stand beside a run's: data/reference/ has these two.
    published: Literal["car_racing", "take_cover", ""]
    make_env: Callable[..., gymnasium.Env]  # (stock: bool, render_mode=None)
    # What the environment shows -> uint8 (64, 64, 3), by the setting --frames.
    frames: Mapping[str, Callable[[np.ndarray], np.ndarray]]
    frame_kind: Callable[[np.ndarray, int], str]  # (frame, step): a kind for figures; "": none
    frame_kinds: tuple[str, ...]  # those that figures show
    z_size: int
    actions: tuple[str, ...]  # what the numbers of an action are
    action_low: tuple[float, ...]
    action_high: tuple[float, ...]
    squash: Callable[[Any, Any], Any]  # C's outputs (B, A), TensorFlow or NumPy -> actions (B, A)
    # C's outputs, before squashing: beyond these limits a larger one hardly changes the action.
    output_low: tuple[float, ...]
    output_high: tuple[float, ...]
    bias: bool  # whether C has biases
    max_steps: int  # of an episode
    fps: int  # frames a second
    random_policies: Mapping[str, RandomPolicy]
    controls: tuple[str, ...]  # those of them that dreams and scores are compared with
    records_past_the_end: bool  # recordings go on to the last step, whatever ends before
    shortest: int  # frames: recordings of fewer are left out
    idle_reward: float | None  # of a step that achieves nothing; None: no --controller.patience
    heads: Mapping[str, Head]  # what M can predict beside z, by the names of --rnn.heads
    # (what M's heads expect, float32 (B,) by name; the number of dreams B)
    dream_outcome: Callable[[Mapping[str, np.ndarray], int], Outcome]
    # What the arrow keys do in dream.py --keys: those held, of left, right, up, down -> an action
    # (A,). Empty: nobody can drive by them.
    keys: Mapping[tuple[str, ...], tuple[float, ...]]
    dream_idle: float  # a dream's step that earns less than this achieves nothing
    tells_restart: bool  # whether M is told which step is an episode's first
    events: Events | None  # None: no stage events
    extra_stages: frozenset[str]  # stages that only some games have

    @property
    def action_size(self) -> int:
        return len(self.actions)
