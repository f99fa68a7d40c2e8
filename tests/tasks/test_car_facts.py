"""What CarRacing's simulator says of a car on a track of a known shape: events, and its state."""

from replication.tasks.car_facts import (
    EVENTS,
    PROBED_TILES,
    events_now,
    facts_now,
    read_track,
)
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
import pytest
from made_up_world import world

# Events --------------------------------------------------------------------------------------


def happening(env) -> set[str]:
    now = events_now(env, read_track(env))
    assert now.dtype == bool
    return {name for name, happens in zip(EVENTS, now, strict=True) if happens}


def at(tile: int, backwards: bool = False, **state) -> set[str]:
    _, heading, x, y = world(0, 0).track[tile]
    return happening(world(x, y, heading + np.pi * backwards, **state))


def test_a_curve_is_what_lies_ahead():
    assert at(5) == {"straight"}
    assert at(16) == {"straight"}  # five tiles on it has turned by 0.2 rad
    assert at(17) == {"left"}  # by 0.3
    assert at(22) == {"left", "kerb"}
    assert at(29) == {"straight", "kerb"}
    assert at(33) == {"straight"}


def test_who_faces_the_other_way_meets_the_curve_from_the_other_side():
    assert at(33, backwards=True) == {"straight"}
    assert at(27, backwards=True) == {"right", "kerb"}
    assert at(17, backwards=True) == {"straight"}


def test_heading_jumps_by_a_turn_at_the_seam():
    env = world(0, 0)
    env.track = [(0.0, h + 2 * np.pi * (i < 20), x, y) for i, (_, h, x, y) in enumerate(env.track)]
    _, heading, x, y = env.track[18]
    env.car = world(x, y, heading).car
    assert happening(env) == {"left"}


def test_grass_and_standing():
    assert at(5, off=1) == {"straight"}
    assert at(5, off=2) == {"straight", "grass"}
    assert at(5, speed=0.5) == {"straight", "standing"}
    assert at(5, speed=1.0) == {"straight"}


def test_a_real_track_has_its_kerbs_and_the_car_starts_on_the_road():
    env = CAR_RACING_V3.make_env(stock=True)
    env.reset(seed=3)
    track = read_track(env)
    red_and_white = [quad for quad, colour in env.road_poly if isinstance(colour, tuple)]
    assert 0 < track.kerb.sum() == len(red_and_white) < len(env.track)
    for place, quad in zip(track.place[track.kerb], red_and_white, strict=True):
        assert np.linalg.norm(np.mean(quad, axis=0) - place) < 10  # half of the road is 6.7 m
    now = dict(zip(EVENTS, events_now(env, track), strict=True))
    assert now["standing"] and not now["grass"]


# Facts ---------------------------------------------------------------------------------------


def facts_of(env) -> np.ndarray:
    return facts_now(env, read_track(env).place)


def test_facts_on_a_straight():
    """Two metres to the right of tile 3, looking a little to the left of the road."""
    offset, *ahead, speed = facts_of(world(2.0, 3 * 3.5, angle=0.1, speed=12.0))
    assert (offset, speed) == (pytest.approx(-2), 12)
    expected = [np.arctan2(2, 3.5 * tiles) - 0.1 for tiles in PROBED_TILES]
    assert ahead == pytest.approx(expected)


def test_a_curve_to_the_left_lies_at_the_left():
    _, heading, x, y = world(0, 0).track[17]
    _, near, farther, farthest, _ = facts_of(world(x, y, heading + 2 * np.pi))
    assert 0 < near < farther < farthest < 1
