"""The one loop in which a controller acts in a world: recording, fitness, evaluation, dreams.

Everything in this package has one timeline:

    z_t                     what V makes of the frame x_t, or what M draws in a dream
    a_t = C(z_t, h_t)       h_0 = c_0 = 0; h_t has seen (z_0, a_0) .. (z_{t-1}, a_{t-1})
    h_{t+1}, c_{t+1} = LSTM([z_t, a_t], h_t, c_t)
    p(z_{t+1}) = mixture(h_{t+1})

Here: what is seen at t, then a_t, then the step that earns reward[t] and leads to x_{t+1}. M's part
is in agent.py (real) and rnn/dream.py (dreamt), the pairs that M learns from in rnn/batches.py.

A slot whose episode ends takes the next trial, so that no slot stands idle before all
trials have begun. What an episode returns depends on its trial alone, never on its slot.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np


class Seen(NamedTuple):
    """What a controller sees before it acts, for every slot at once."""

    z: np.ndarray  # float32 (B, Z)
    h: np.ndarray  # float32 (B, H)
    c: np.ndarray  # float32 (B, H)


@dataclass(frozen=True)
class Trial:
    """One episode to come: its track, and all that is drawn in it, follow from `seed`."""

    seed: int
    parameters: np.ndarray | None = None  # C's flat vector (P,), where C acts
    patience: int = 0  # steps without a reward after which the episode is given up; 0: never
    max_steps: int | None = None  # steps at most, where the world's own limit is higher
    bursts: bool = False  # random actions for some frames, now and then: policies.py


@dataclass
class Episode:
    """An episode: what was done in it, and what that earned."""

    seed: int
    rewards: list[float] = field(default_factory=list)
    terminated: list[bool] = field(default_factory=list)
    actions: list[np.ndarray] = field(default_factory=list)
    skipped_return: float = 0.0  # what its last steps would have earned idly, had it not been cut

    @property
    def total(self) -> float:
        """The return: the sum of the rewards, those of the skipped steps included."""
        return float(sum(self.rewards)) + self.skipped_return


class World(Protocol):
    """Where controllers act: the environment as V and M see it, or a dream of M."""

    width: int  # slots
    max_steps: int  # of an episode
    idle_reward: float  # of a step that achieves nothing
    idle_below: float  # a step that earns less than this achieves nothing

    def begin(self, slot: int, trial: Trial) -> None:
        """Start the trial's episode in a slot."""

    def see(self) -> Seen | None:
        """What controllers see now; None in a world without V and M."""

    def step(self, slots: Sequence[int], actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take actions (B, A) in these slots: rewards (B,) and whether each ended, bool (B,)."""


class Acting(Protocol):
    """A controller: acts for every slot at once."""

    def begin(self, slot: int, trial: Trial) -> None:
        """Forget the slot's last episode: what is seen next there is the first of `trial`."""

    def act(self, seen: Seen | None) -> np.ndarray:
        """Actions float32 (B, A); those of idle slots are not used."""


Watch = Callable[[int, Episode, Seen | None, np.ndarray], None]
"""watch(slot, episode, seen, action (A,)), called before each step of each episode."""


def drive(
    world: World,
    controller: Acting,
    trials: Sequence[Trial],
    stop_at_end: bool = True,
    watch: Watch | None = None,
) -> Iterator[tuple[int, Episode]]:
    """Run every trial and yield (its place in `trials`, its episode) as episodes end.

    stop_at_end: an episode ends when the world says so, else only after its last step.
    """
    queue = iter(enumerate(trials))
    running: dict[int, tuple[int, Episode]] = {}  # slot -> place in `trials`, episode
    steps = _Steps(world)

    def fill(slot: int) -> None:
        if (following := next(queue, None)) is not None:
            place, trial = following
            world.begin(slot, trial)
            controller.begin(slot, trial)
            steps.begin(slot, trial)
            running[slot] = place, Episode(trial.seed)

    for slot in range(world.width):
        fill(slot)
    while running:
        slots, seen = list(running), world.see()
        actions = controller.act(seen)
        if watch:
            for slot in slots:
                watch(slot, running[slot][1], seen, actions[slot])
        over = steps.add(actions, *world.step(slots, actions), stop_at_end)
        for slot in slots if over.any() else ():
            if over[slot]:
                place, episode = running.pop(slot)
                steps.write_into(episode, slot)
                yield place, episode
                fill(slot)


class _Steps:
    """What has happened in all slots, a few array operations a step: dreams are fast."""

    def __init__(self, world: World):
        self.world = world
        # The first step of each slot's episode, its steps at most, its patience, and how many steps
        # in a row achieved nothing.
        self.first, self.limit, self.patience, self.idle = np.zeros((4, world.width), int)
        self.actions: list[np.ndarray] = []  # (B, A) of each step
        self.rewards: list[np.ndarray] = []  # (B,)
        self.ended: list[np.ndarray] = []  # bool (B,)

    def begin(self, slot: int, trial: Trial) -> None:
        """The slot's next step is the first of a trial."""
        self.first[slot], self.idle[slot] = len(self.rewards), 0
        self.limit[slot] = min(trial.max_steps or self.world.max_steps, self.world.max_steps)
        self.patience[slot] = trial.patience

    def add(
        self, actions: np.ndarray, rewards: np.ndarray, ended: np.ndarray, stop_at_end: bool
    ) -> np.ndarray:
        """Note a step of all slots; returns whether it is its episode's last, bool (B,)."""
        self.actions.append(actions.copy())
        self.rewards.append(rewards)
        self.ended.append(ended)
        self.idle = np.where(rewards < self.world.idle_below, self.idle + 1, 0)
        self.last = len(self.rewards) - self.first >= self.limit
        if stop_at_end:
            self.last |= ended
        return self.last | (self.patience > 0) & (self.idle >= self.patience)

    def write_into(self, episode: Episode, slot: int) -> None:
        """Write a slot's steps into its episode; if it is given up, note what it skips."""
        first = self.first[slot]
        episode.actions = [actions[slot] for actions in self.actions[first:]]
        episode.rewards = [float(rewards[slot]) for rewards in self.rewards[first:]]
        episode.terminated = [bool(ended[slot]) for ended in self.ended[first:]]
        if not self.last[slot]:
            left = int(self.limit[slot]) - len(episode.rewards)
            episode.skipped_return = self.world.idle_reward * left
