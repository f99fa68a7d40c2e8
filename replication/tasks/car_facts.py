"""What CarRacing's simulator says of a car on its track: events, and the state of the car.

Only figures and the probe read this; no agent does.
"""

from collections.abc import Callable
from dataclasses import dataclass

import gymnasium
import numpy as np

TILES_AHEAD = 5  # tiles, of 3.5 m
TURN = 0.25  # radians
WHEELS_OFF = 2
STANDING_SPEED = 1.0  # m/s
EVENTS = {
    "straight": f"from the tile nearest to the car to the one {TILES_AHEAD} tiles (17.5 m) on, the"
    f" way it faces, the track's heading changes by at most {TURN:g} rad",
    "left": "it changes by more, to the left",
    "right": "it changes by more, to the right",
    "kerb": "that nearest tile has a red-and-white kerb, the simulator's mark of a hard turn",
    "grass": f"{WHEELS_OFF} wheels or more touch no tile of the road",
    "standing": f"the hull is slower than {STANDING_SPEED:g} m/s",
}
PROBED_TILES = (4, 9, 14)  # ahead of the car, 3.5 m each
FACTS = ("offset", *(f"road {tiles} on" for tiles in PROBED_TILES), "speed")


@dataclass(frozen=True)
class Track:
    """The middle of each tile of a track."""

    tiles: list  # the simulator's own list: another one after a reset
    place: np.ndarray  # (N, 2), metres
    heading: np.ndarray  # (N,), radians, counter-clockwise
    kerb: np.ndarray  # (N,), bool


def read_track(env: gymnasium.Env) -> Track:
    tiles = np.array(env.track)  # alpha, heading, x, y
    kerb = np.zeros(len(tiles), bool)
    tile = -1
    for _, colour in env.road_poly:  # a tile, its kerb if it has one, the next tile
        if isinstance(colour, tuple):  # a tile's is an array
            kerb[tile] = True
        else:
            tile += 1
    return Track(env.track, tiles[:, 2:], tiles[:, 1], kerb)


def events_now(env: gymnasium.Env, track: Track) -> np.ndarray:
    """Which of EVENTS happen, bool (6,)."""
    hull = env.car.hull
    here = np.argmin(((track.place - tuple(hull.position)) ** 2).sum(axis=1))
    forwards = np.cos(hull.angle - track.heading[here]) >= 0
    ahead = (here + (TILES_AHEAD if forwards else -TILES_AHEAD)) % len(track.heading)
    turn = track.heading[ahead] - track.heading[here]
    turn = (turn + np.pi) % (2 * np.pi) - np.pi
    off = sum(not wheel.tiles for wheel in env.car.wheels)
    return np.array(
        [
            abs(turn) <= TURN,
            turn > TURN,
            turn < -TURN,
            track.kerb[here],
            off >= WHEELS_OFF,
            hull.linearVelocity.length < STANDING_SPEED,
        ]
    )


def watch_events(env: gymnasium.Env) -> Callable[[], np.ndarray]:
    """What tells which of EVENTS happen on the track that the environment has now."""
    track = read_track(env)
    return lambda: events_now(env, track)


def facts_now(env: gymnasium.Env, road: np.ndarray) -> np.ndarray:
    """FACTS: metres left of the road's middle; angles to its tiles, radians, left is more; m/s.

    road: the places of its tiles, metres (N, 2).
    """
    hull = env.car.hull
    here = np.argmin(((road - tuple(hull.position)) ** 2).sum(axis=1))
    along = road[(here + 1) % len(road)] - road[here]
    beside = np.subtract(hull.position, road[here])
    offset = (along[0] * beside[1] - along[1] * beside[0]) / np.hypot(*along)
    to = road[(here + np.array(PROBED_TILES)) % len(road)] - hull.position
    angles = np.arctan2(to[:, 1], to[:, 0]) - (hull.angle + np.pi / 2)
    angles = (angles + np.pi) % (2 * np.pi) - np.pi
    return np.array([offset, *angles, hull.linearVelocity.length])
