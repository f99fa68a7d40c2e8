"""Do the kernels give stock's pixels here? Asked once a version and machine, then remembered.

The answer depends on gymnasium, pygame (and which of its smoothscale backends runs), numpy, numba,
the CPU and the kernels' source. Only a yes is remembered, as an empty file named by all of them
beside the compiled kernels; a no is looked into again by each process.
"""

import contextlib
import hashlib
import math
import platform
import sys
from functools import cache
from pathlib import Path

from replication.compiled import cache_folder, sources
from replication.envs.rendering import originals
from replication.envs.rendering.scene import Scene

import gymnasium
import numba
import numpy as np
import pygame
from gymnasium.envs.box2d.car_racing import PLAYFIELD, CarRacing

DIFFERENT = (
    "the fast renderer does not give CarRacing-v3's pixels here (another pygame, gymnasium or CPU "
    "than it was made for): gymnasium's own draws instead, about ten times as slow"
)
SECONDS = 15  # of compilation, about


def processor() -> str:
    """The CPU's model, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line for line in lines if line.startswith("model name")]
    return names[0] if names else f"{platform.processor()} {platform.machine()}"


def _key() -> str:
    """A name for everything that the answer depends on."""
    digest = hashlib.sha256()
    for module in (gymnasium, pygame, np, numba):
        version = getattr(module, "__version__", None) or module.version.ver
        digest.update(f"{module.__name__} {version}\n".encode())
    digest.update(f"{pygame.transform.get_smoothscale_backend()} {processor()}\n".encode())
    digest.update(sources(Path(__file__).parent).encode())
    return digest.hexdigest()[:32]


def _memory() -> Path | None:
    """The file that says that this was checked and found the same; None: no place for it."""
    folder = cache_folder()
    return folder / f"same-pixels-{_key()}" if folder else None


def _scenes(env: CarRacing):
    """Put the car where drawing is hardest; yields after each placement."""
    hull, start = env.car.hull, env.car.hull.position.copy()
    yield  # zoomed out, as after a reset
    for t in (0.3, 1.0):
        env.t = t
        for turn in (0.0, 0.7, math.pi / 2, math.pi + 5e-7, 4.0, -3 * math.pi / 2 - 2e-6):
            hull.angle, hull.position = turn, start
            for wheel in env.car.wheels:
                wheel.phase = 3.0 * turn
            yield
    for x, y, turn in ((1, 1, 0.3), (-1, 1, 2.0), (-1, -1, 0.0), (1, -1, -2.5), (1, 0, 7.0)):
        hull.position, hull.angle = (x * PLAYFIELD, y * PLAYFIELD), turn
        hull.linearVelocity, hull.angularVelocity, env.reward = (60.0, 20.0), 2.0 * turn, 100 * x
        yield


def compare() -> bool:
    """Draw some frames of a track of our own both ways; are all bytes the same?"""
    env, scene = CarRacing(), Scene()
    env.reset(seed=1)
    scene.copy_track(env.road_poly)
    action = np.array([0.3, 1.0, 0.0], np.float32)
    for _ in range(3):
        for _ in _scenes(env):
            if not np.array_equal(scene.render(env, 96), env._render("state_pixels")):
                return False
        env.reset()
        scene.take_over(env.road_poly, env.road)
        for _ in range(40):
            env.step(action)
    return True


@cache
def same_pixels() -> bool:
    """The answer; the first time on a machine this compiles the kernels, and says so."""
    if pygame.transform.get_smoothscale_backend() != originals.BACKEND:
        return False
    memory = _memory()
    if memory and memory.exists():
        return True
    print(f"compiling the fast renderer, once, about {SECONDS} s ...", file=sys.stderr, flush=True)
    same = compare()
    if same and memory:
        with contextlib.suppress(OSError):  # a full disk: the next process checks again
            memory.touch()
    return same
