"""Take Cover: one number, left to right, 35 frames a second, and a dream in which C can learn."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from replication.tasks.stretch import stretch, wrap
from replication.tasks.task import Events, Head, Outcome, Task

import gymnasium
import numpy as np
from PIL import Image

FPS = 35
SIDE = 64  # of the frame that V sees
TOP, BOTTOM = 4, 204  # rows of the screen that V sees: what is below is the status bar
HELD = 10  # steps that the recordings' policy holds an action, at most
SWEEP = 60  # steps to one side, in the blind sweep
NEAR = 8  # pixels of a frame: a fireball that is half of the way to the player
FOOT = 40  # the first row that is below the far wall
END_COUNTS = 10.0  # times, in M's loss (original doomrnn.py)


def make_env(stock: bool = False, render_mode: str | None = None) -> gymnasium.Env:
    """The game; there is one renderer. The loop of rollouts has its own limit of 2100 steps."""
    return gymnasium.make("replication/TakeCover-v0", render_mode=render_mode).unwrapped


def to_frame(screen: np.ndarray) -> np.ndarray:
    """Rows 4..203 of the screen at 64 by 64, as Pillow's BILINEAR makes them.

    At 320 x 240 these show what rows 0..399 of the original's 640 x 480 do. Colours stay as they
    are. screen: uint8 (240, 320, 3). Returns uint8 (64, 64, 3).
    """
    image = Image.fromarray(screen[TOP:BOTTOM])
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def to_stretched_frame(screen: np.ndarray) -> np.ndarray:
    """The frame as the original's V saw it: blue first, contrast stretched, each byte less one.

    Its textures are not those of the IWAD that comes with ViZDoom today. The same arguments and
    result as to_frame's.
    """
    seen = np.zeros_like(screen)
    seen[TOP:BOTTOM] = stretch(screen[TOP:BOTTOM, :, ::-1])
    return wrap(to_frame(seen))


def squash(u, xp):
    """tanh(u): (B, 1) -> (B, 1), in the library that u belongs to (original model.py)."""
    return xp.tanh(u)


# Policies that do not look --------------------------------------------------------------------


def original_policy(random: np.random.Generator) -> Iterator[np.ndarray]:
    """The recordings': an action in -1..1, held until the step number is a multiple of 1 to 10.

    Both are drawn anew then (original extract.py).
    """
    repeat = 1
    for step in itertools.count():
        if step % repeat == 0:
            action, repeat = random.uniform(-1, 1, 1), int(random.integers(1, HELD + 1))
        yield action


def uniform_policy(random: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield random.uniform(-1, 1, 1)


def stay_policy(random: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield np.zeros(1)


def left_policy(random: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield np.full(1, -1.0)


def sweep_policy(random: np.random.Generator) -> Iterator[np.ndarray]:
    """60 steps left, 60 right, and so on: what a score must beat that is to need eyes."""
    while True:
        for direction in (-1.0, 1.0):
            for _ in range(SWEEP):
                yield np.full(1, direction)


# M ----------------------------------------------------------------------------------------------


def ends(reward: np.ndarray, terminated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each step ended its episode, and its weight, ten times where it did: (T,) each."""
    ended = np.float32(terminated)
    return ended, 1 + (END_COUNTS - 1) * ended


def dream_outcome(heads: Mapping[str, np.ndarray], dreams: int) -> Outcome:
    """A step alive earns 1, the last one too; M says how probably it was the last."""
    alive = np.ones(dreams, np.float32)
    return Outcome(alive, heads.get("end", np.zeros(dreams, np.float32)))


# Figures ----------------------------------------------------------------------------------------


class Sight(NamedTuple):
    """Which pixels of a frame show what, judged by their colours: bool (64, 64) each."""

    fire: np.ndarray  # the brightest yellow
    wall: np.ndarray  # brown, where floor and ceiling are grey
    red: np.ndarray  # what the whole screen is at a hit


def look(frame: np.ndarray) -> Sight:
    red, green, blue = (frame[..., i].astype(int) for i in range(3))
    fire = (red > 200) & (green > 150) & (blue < 200)
    wall = (red - blue > 25) & (red - green < 32) & ~fire
    return Sight(fire, wall, red - green > 40)


def frame_kind(frame: np.ndarray, step: int) -> str:
    """What a frame shows."""
    if step < 15:
        return "start"
    sight = look(frame)
    if sight.red.mean() > 0.5:
        return "hit"
    if sight.fire.sum() >= NEAR:
        return "fireball"
    return "wall" if sight.wall[FOOT:].mean() > 0.2 else ""


EVENTS = {
    "fireball left": f"{NEAR} pixels or more of fire in the left third of V's 64 x 64: it is near",
    "fireball ahead": "the same in the middle third",
    "fireball right": "the same in the right third",
    "wall left": "a quarter of the left third, below the horizon, is wall: the room ends there",
    "wall right": "the same in the right third",
    "hit": "the screen is red",
}


def events_of(frame: np.ndarray) -> np.ndarray:
    """Which of EVENTS a frame shows, bool (6,)."""
    sight = look(frame)
    thirds = (slice(0, 21), slice(21, 43), slice(43, 64))
    fire = [sight.fire[:, third].sum() >= NEAR for third in thirds]
    walls = [sight.wall[FOOT:, third].mean() >= 0.25 for third in (thirds[0], thirds[2])]
    return np.array([*fire, *walls, sight.red.mean() > 0.5])


def watch_events(env: gymnasium.Env) -> Callable[[], np.ndarray]:
    """What tells which of EVENTS the environment's screen shows."""
    return lambda: events_of(to_frame(env.screen))


TAKE_COVER = Task(
    name="take_cover",
    environment="Take Cover",
    published="take_cover",
    make_env=make_env,
    frames={"plain": to_frame, "stretched": to_stretched_frame},
    frame_kind=frame_kind,
    frame_kinds=("start", "fireball", "wall", "hit"),
    z_size=64,  # paper, 4
    actions=("direction",),
    action_low=(-1.0,),
    action_high=(1.0,),
    squash=squash,
    output_low=(-2.5,),  # ours: tanh hardly changes beyond
    output_high=(2.5,),
    bias=False,  # paper, A.4
    max_steps=2100,
    fps=FPS,
    random_policies={
        "original": original_policy,
        "random": uniform_policy,
        "stay": stay_policy,
        "left": left_policy,
        "sweep": sweep_policy,
    },
    controls=("stay", "random", "left", "original", "sweep"),
    records_past_the_end=False,
    shortest=101,  # original extract.py
    idle_reward=None,
    heads={"end": Head("event", ends)},
    dream_outcome=dream_outcome,
    keys={("left",): (-1.0,), ("right",): (1.0,), ("left", "right"): (0.0,)},
    dream_idle=0.0,  # no step is idle
    tells_restart=True,  # original doomrnn.py
    events=Events(EVENTS, watch_events, opening=FPS, hides=""),  # nobody shoots in that second
    extra_stages=frozenset({"gate", "events"}),
)
