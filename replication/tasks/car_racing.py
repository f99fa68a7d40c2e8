"""CarRacing: steer -1..1, gas 0..1, brake 0..1, 50 frames a second."""

import dataclasses
import math
from collections.abc import Iterator, Mapping

from replication.tasks.car_facts import EVENTS, watch_events
from replication.tasks.car_frames import to_frame, to_stretched_frame
from replication.tasks.task import Events, Head, Outcome, Task

import gymnasium
import numpy as np

Z_SIZE = 32  # paper, A.1
LOW, HIGH = np.float32([-1, 0, 0]), np.float32([1, 1, 1])
FPS = 50
LARGEST_TILE = 5.0  # no tile earns more: tracks of fewer than 200 tiles are not made
TILES_WEIGHT = 2.0  # ours: of the error of the tiles, beside the loss of z


def squash(u, xp):
    """Steer tanh(u0), gas (tanh(u1) + 1) / 2, brake clip(tanh(u2), 0, 1): (B, 3) -> (B, 3).

    xp is the library that u belongs to, tensorflow or numpy (original model.py, get_action).
    """
    u = xp.tanh(u)
    return xp.stack([u[:, 0], (u[:, 1] + 1) / 2, xp.maximum(u[:, 2], 0)], axis=1)


def make_env_v3(stock: bool = False, render_mode: str | None = None) -> gymnasium.Env:
    """CarRacing-v3: gymnasium's own, or the fast one, of which the 84 rows that V sees are drawn.

    Both give the same pixels. Without the limit of 1000 steps: the loop of rollouts has its own.
    """
    if stock:
        env = gymnasium.make("CarRacing-v3", render_mode=render_mode)
    else:
        env = gymnasium.make("replication/FastCarRacing-v3", render_mode=render_mode, state_rows=84)
    return env.unwrapped


def make_env_v0(stock: bool = False, render_mode: str | None = None) -> gymnasium.Env:
    """gym 0.9's CarRacing-v0, of which the 84 rows that V sees are drawn; there is no other."""
    return gymnasium.make(
        "replication/CarRacing-v0", render_mode=render_mode, state_rows=84
    ).unwrapped


# Random policies ----------------------------------------------------------------------------


def original_policy(random: np.random.Generator) -> Iterator[np.ndarray]:
    """What the original's random networks amount to: a random C on a random z, h = 0.

    All weights of its V, M and C are Cauchy with a scale drawn from 0..0.01 for each episode, and
    z has the standard normal's spread (original extract.py and model.py).
    """
    scale = random.uniform(0, 0.01)
    bias = random.standard_cauchy(len(LOW)) * scale
    weight = random.standard_cauchy((Z_SIZE, len(LOW))) * scale
    while True:
        z = random.standard_normal(Z_SIZE)
        yield squash((z @ weight + bias)[None], np)[0]


def brownian_policy(random: np.random.Generator) -> Iterator[np.ndarray]:
    """Actions on a random walk (Tallec et al., 2018): they last, so the car gets about."""
    action = random.uniform(LOW, HIGH)
    while True:
        yield action
        step = random.standard_normal(len(LOW)) / math.sqrt(FPS)
        action = np.clip(action + step, LOW, HIGH)


# Dreams -------------------------------------------------------------------------------------


def tiles_found(reward: np.ndarray, terminated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of new tiles at each step of an episode, and its weight: float32 (T,) each.

    A tile earns 1000 / (the track's tiles), and each step -0.1: as the tracks have 200 tiles and
    more, the least that a step with new tiles earned is that of one tile, or of a few at once. The
    step that leaves the field, with its -100, says nothing of tiles.
    """
    earned = reward + 0.1
    found = earned[earned > 1]
    if not len(found):
        return np.zeros_like(reward), np.full_like(reward, TILES_WEIGHT)
    least = found.min()
    one = least / np.ceil(least / LARGEST_TILE)
    tiles = np.float32(np.round(np.maximum(earned, 0) / one))
    return tiles, np.where(earned < -50, 0, TILES_WEIGHT).astype(np.float32)


def reward_itself(reward: np.ndarray, terminated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The reward of each step of an episode, and a weight of 1: float32 (T,) each."""
    return np.float32(reward), np.ones(len(reward), np.float32)


def ends(reward: np.ndarray, terminated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each step ended its episode, and a weight of 1: float32 (T,) each."""
    return np.float32(terminated), np.ones(len(terminated), np.float32)


def dream_outcome(heads: Mapping[str, np.ndarray], dreams: int) -> Outcome:
    """Tiles, or else the reward, that M expects, and its end, where M has heads for them.

    Without a head there is no reward, and no end.
    """
    nothing = np.zeros(dreams, np.float32)
    reward = heads.get("tiles", heads.get("reward", nothing))
    return Outcome(reward, heads.get("termination", nothing))


def arrow_keys() -> dict[tuple[str, ...], tuple[float, ...]]:
    """As in gymnasium's CarRacing: keys held -> steer, gas, brake."""
    steers = {(): 0.0, ("left",): -1.0, ("right",): 1.0, ("left", "right"): 0.0}
    pedals = {(): (0.0, 0.0), ("up",): (1.0, 0.0), ("down",): (0.0, 0.8)}
    return {
        turn + pedal: (steer, *force)
        for turn, steer in steers.items()
        for pedal, force in pedals.items()
        if turn + pedal
    }


# Figures ------------------------------------------------------------------------------------


def frame_kind(frame: np.ndarray, step: int) -> str:
    """What a frame shows, judged by its colours around the car, which is at row 53, column 32."""
    if step < 25:
        return "opening zoom"
    road = frame[20:60].astype(int)
    red, green, blue = (road[..., i] for i in range(3))
    if ((red > 200) & (green > 180) & (blue > 180)).sum() > 8:
        return "curve with kerb"
    grass = green[25:38, 24:40] - red[25:38, 24:40] > 60
    if grass.mean() > 0.7:
        return "grass"
    outside = green[25:38, 24:40].mean() < 40  # black: the car has left the field
    return "straight" if grass.mean() < 0.3 and not outside else ""


CAR_RACING_V3 = Task(
    name="car_racing_v3",
    environment="CarRacing-v3",
    published="car_racing",
    make_env=make_env_v3,
    frames={"plain": to_frame, "stretched": to_stretched_frame},
    frame_kind=frame_kind,
    frame_kinds=("opening zoom", "straight", "curve with kerb", "grass"),
    z_size=Z_SIZE,
    actions=("steer", "gas", "brake"),
    action_low=tuple(LOW.tolist()),
    action_high=tuple(HIGH.tolist()),
    squash=squash,
    output_low=(-2.5, -2.5, -1.0),  # ours: tanh hardly changes below; a brake below 0 is none
    output_high=(2.5, 2.5, 2.5),
    bias=True,
    max_steps=1000,
    fps=FPS,
    random_policies={"original": original_policy, "brownian": brownian_policy},
    controls=(),
    records_past_the_end=True,  # original env.py ignores `done`
    shortest=1,
    idle_reward=-0.1,
    heads={
        "tiles": Head("count", tiles_found),
        "reward": Head("number", reward_itself),
        "termination": Head("event", ends),
    },
    dream_outcome=dream_outcome,
    keys=arrow_keys(),
    dream_idle=0.05,  # tiles: a standing car finds none
    tells_restart=False,
    events=Events(EVENTS, watch_events, opening=FPS, hides="grass"),  # the camera comes down
    extra_stages=frozenset({"events", "probe"}),
)

CAR_RACING_V0 = dataclasses.replace(
    CAR_RACING_V3, name="car_racing_v0", environment="CarRacing-v0", make_env=make_env_v0
)
