"""What an agent's frame is spent on, by a clock around each of its parts.

The parts run in turn, with the caches as the others leave them: that is what they cost in training,
not what they would cost by themselves. V and M are two calls here; an agent's are one.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from replication.envs.rendering import opengl, originals, scene, scene_v0, world
from replication.rollouts.agent import LinearControllers, WorldModel
from replication.speed.drivers import Agent
from replication.tf import tf

from Box2D import b2World
from gymnasium.envs.box2d.car_dynamics import Car
from gymnasium.envs.box2d.car_racing import CarRacing

STEP = "environment: actions, rewards, ends"  # less the parts within it, which come first
WITHIN_STEP = {
    "physics: the car's wheels": [(Car, "step")],
    "physics: Box2D, contacts with tiles": [(b2World, "Step")],
    "picture: has anything changed?": [(originals, "in_place"), (scene.Scene, "_same_car")],
    "picture: where road and car are": [(scene.Scene, "_frame"), (scene_v0.Scene, "motion")],
    "picture: painting": [(world, "draw"), (opengl, "draw")],
}
RESIZE, REST = "64 x 64 pixels of it", "between them: noise of z, loops"
PARTS = (*WITHIN_STEP, STEP, RESIZE, "V", "M", "C", REST)


class Clock:
    """Seconds spent in functions, by the part that they belong to."""

    def __init__(self):
        self.seconds = dict.fromkeys(PARTS, 0.0)

    def around(self, part: str, function: Callable) -> Callable:
        """The function, its time added to a part."""

        def clocked(*arguments, **options):
            start = time.perf_counter()
            result = function(*arguments, **options)
            self.seconds[part] += time.perf_counter() - start
            return result

        return clocked


def _apart(model: WorldModel, clock: Clock) -> Callable:
    """The model's traced call as two, each with its clock."""
    look = clock.around("V", tf.function(model.look))
    remember = clock.around("M", tf.function(model.remember))

    def see(frames, noise, *memory):
        h, c = remember(*memory)
        return *look(frames, noise), h, c

    return see


@contextmanager
def _clocked(agent: Agent) -> Iterator[Clock]:
    """Clocks around all parts while the context lasts."""
    clock, model = Clock(), agent.world.model
    places = [(STEP, CarRacing, "step"), ("C", LinearControllers, "act")]
    places += [(RESIZE, agent.world, "to_frame")]
    places += [(part, *place) for part, within in WITHIN_STEP.items() for place in within]
    kept = [vars(owner)[name] for _, owner, name in places]  # b2World's are no plain functions
    see, model._see = model._see, _apart(model, clock)
    for part, owner, name in places:
        setattr(owner, name, clock.around(part, getattr(owner, name)))
    try:
        yield clock
    finally:
        model._see = see
        for (_, owner, name), function in zip(places, kept, strict=True):
            setattr(owner, name, function)


def measure_shares(agent: Agent, frames: int) -> dict[str, float]:
    """Microseconds a frame in each of PARTS; their sum is all that a frame takes."""
    with _clocked(agent) as clock:
        agent.drive(1)  # compiles
        clock.seconds.update(dict.fromkeys(PARTS, 0.0))
        start = time.perf_counter()
        count = agent.drive(frames)
        seconds = time.perf_counter() - start
    parts = clock.seconds
    parts[STEP] -= sum(parts[part] for part in WITHIN_STEP)
    parts[REST] = seconds - sum(parts.values())
    return {part: 1e6 * value / count for part, value in parts.items()}
