"""A CarRacing world of a known shape, for the tests of what the simulator says."""

import types

import numpy as np

WHITE, GREY = (255, 255, 255), np.array([102, 102, 102])


def world(x: float, y: float, angle: float = 0.0, speed: float = 30.0, off: int = 0):
    """An env of 40 tiles: 20 straight up, then 10 that turn left by 0.1 rad each, then straight.

    A kerb stands at tiles 20 to 29; `off` wheels are on the grass.
    """
    heading = 0.1 * np.clip(np.arange(40) - 19, 0, 10)
    steps = 3.5 * np.stack([-np.sin(heading), np.cos(heading)], axis=1)
    place = np.cumsum(steps, axis=0) - steps
    road = []
    for tile in range(40):
        road.append(([], GREY))
        road += [([], WHITE)] if 20 <= tile < 30 else []
    hull = types.SimpleNamespace(position=(x, y), angle=angle)
    hull.linearVelocity = types.SimpleNamespace(length=speed)
    wheels = [types.SimpleNamespace(tiles=set() if i < off else {1}) for i in range(4)]
    track = [(0.0, h, *xy) for h, xy in zip(heading, place, strict=True)]
    car = types.SimpleNamespace(hull=hull, wheels=wheels)
    return types.SimpleNamespace(track=track, road_poly=road, car=car)
