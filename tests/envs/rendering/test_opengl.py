"""The filling of triangles against its rule, written out for every pixel."""

from replication.envs.rendering import opengl

import numpy as np
import pytest

ROWS = 60


def inside_of(ax, ay, bx, by) -> np.ndarray:
    """Which pixels are on the right of the way from a to b in the image, or count as that.

    A centre on the edge counts if the edge is a left one (it goes up), or level with the triangle
    above it (it goes left).
    """
    y, x = np.mgrid[:ROWS, : opengl.SIDE] * opengl.UNIT
    side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    counts = by < ay or (by == ay and bx < ax)
    return (side > 0) | ((side == 0) & counts)


def by_the_rule(a, b, c) -> np.ndarray:
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area == 0:
        return np.zeros((ROWS, opengl.SIDE), bool)
    if area < 0:
        b, c = c, b
    return inside_of(*a, *b) & inside_of(*b, *c) & inside_of(*c, *a)


@pytest.mark.parametrize("grid", [1, 64, 256, 4096])
def test_triangles_cover_by_the_rule(grid):
    """On coarse grids many corners and edges meet pixels' centres, or each other."""
    random = np.random.default_rng(grid)
    pixels = np.zeros((ROWS, opengl.SIDE), np.uint32)
    covered = 0
    for ink in range(1, 301):
        corners = random.integers(-2000, 27000, (3, 2)) // grid * grid
        opengl._fill_triangle(pixels, ink, *corners.ravel().tolist())
        expected = by_the_rule(*corners.tolist())
        np.testing.assert_array_equal(pixels == ink, expected)
        covered += expected.any()
    assert covered > 150


def test_neighbours_share_no_pixel_and_leave_none_out():
    """A fan around a point covers each pixel of the square once."""
    times = np.zeros((ROWS, opengl.SIDE), int)
    corners = [(-128, -128), (24448, -128), (24448, 15232), (-128, 15232)]
    for i in range(4):
        pixels = np.zeros((ROWS, opengl.SIDE), np.uint32)
        opengl._fill_triangle(pixels, 1, *corners[i], *corners[(i + 1) % 4], 5120, 5120)
        times += pixels
    assert (times == 1).all()
