"""Twins: a stock CarRacing and a fast one to which the same is done, compared frame by frame."""

from replication.envs.car_racing import FastCarRacing

import numpy as np
from gymnasium.envs.box2d.car_racing import CarRacing

GAS = np.array([0, 0.1, 0], np.float32)


def driven(cls, steps=70, **arguments):
    """An environment in the midst of an episode, the road in sight at full zoom."""
    env = cls(**arguments)
    env.reset(seed=8)
    for _ in range(steps):
        env.step(GAS)
    return env


def twins(steps=70, **arguments):
    return driven(CarRacing, steps, **arguments), driven(FastCarRacing, steps, **arguments)


def same_frames(stock, fast, frames=4):
    """Step both and compare; returns stock's last frame."""
    for _ in range(frames):
        expected, *rest = stock.step(GAS)
        state, *fast_rest = fast.step(GAS)
        np.testing.assert_array_equal(state, expected)
        assert fast_rest == rest
    return expected


def ahead(env, dx=0.0, dy=6.0):
    """A place in front of the car."""
    return np.array(tuple(env.car.hull.GetWorldPoint((dx, dy))))


def patch(env, size=2.0):
    """A square in front of the car, as road_poly has them."""
    x, y = ahead(env)
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]


def tile_in_sight(env):
    """Its place in road_poly."""
    middle = [np.mean(quad, axis=0) for quad, _ in env.road_poly]
    return int(np.argmin([np.hypot(*(m - ahead(env, dy=14))) for m in middle]))


def one_more_polygon(env):
    env.road_poly.append((patch(env), (0, 0, 255)))
