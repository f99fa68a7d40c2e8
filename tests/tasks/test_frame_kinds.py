"""What a frame of CarRacing is called in figures."""

from replication.tasks.car_racing import CAR_RACING_V3, frame_kind

import numpy as np
import pytest

GRASS, ROAD, KERB = (102, 204, 102), (105, 105, 105), (255, 255, 255)


def frame(middle, around=GRASS, kerb: int = 0) -> np.ndarray:
    """What lies before the car, what lies elsewhere, and some pixels of kerb."""
    picture = np.empty((64, 64, 3), np.uint8)
    picture[:] = around
    picture[22:60, 20:44] = middle
    picture[30, 2 : 2 + kerb] = KERB
    return picture


@pytest.mark.parametrize(
    ("picture", "time", "kind"),
    [
        (frame(ROAD), 100, "straight"),
        (frame((0, 0, 0)), 100, ""),  # off the field
        (frame(GRASS), 100, "grass"),
        (frame(ROAD, kerb=20), 100, "curve with kerb"),
        (frame(ROAD, kerb=4), 100, "straight"),
        (frame(GRASS), 24, "opening zoom"),
        (frame(GRASS), 25, "grass"),
    ],
)
def test_kind_of_a_frame(picture, time, kind):
    assert frame_kind(picture, time) == kind
    assert kind in ("", *CAR_RACING_V3.frame_kinds)


def test_a_frame_of_both_has_no_kind():
    picture = frame(ROAD)
    picture[:, :32] = GRASS
    assert frame_kind(picture, 500) == ""
