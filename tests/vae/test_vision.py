"""What V's two stages share: batches, held-out frames, what is said of frames and dimensions."""

from types import SimpleNamespace

from replication.config import Vae
from replication.dataset.episodes import FrameStream, list_episodes
from replication.vae.vision import (
    active_dimensions,
    frame_batches,
    held_out_frames,
    name_frame,
    reconstruct,
    schedule_of,
)

import numpy as np
import pytest

GRASS, ROAD, KERB = (102, 204, 102), (105, 105, 105), (255, 255, 255)


def test_active_dimensions_are_those_that_vary():
    """Variances over frames of 0, 0.0099, 0.0101 and 1: the bound is 0.01."""
    signs = np.tile([1.0, -1.0], 50)[:, None]
    mu = 3 + signs * np.sqrt([0, 0.0099, 0.0101, 1])
    assert active_dimensions(mu) == 2
    assert active_dimensions(np.full((100, 32), 7.0)) == 0


def frame(middle, around=GRASS, kerb: int = 0) -> np.ndarray:
    """What lies before the car, what lies elsewhere, and some pixels of kerb."""
    picture = np.empty((64, 64, 3), np.uint8)
    picture[:] = around
    picture[22:60, 20:44] = middle
    picture[30, 2 : 2 + kerb] = KERB
    return picture


@pytest.mark.parametrize(
    ("picture", "time", "name"),
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
def test_name_of_a_frame(picture, time, name):
    assert name_frame(picture, time) == name


def test_a_frame_of_both_has_no_name():
    picture = frame(ROAD)
    picture[:, :32] = GRASS
    assert name_frame(picture, 500) == ""


@pytest.fixture
def stream(tmp_path, write_episode):
    for seed in range(4):
        write_episode(tmp_path, seed, length=10)
    return FrameStream(list_episodes(tmp_path), batch_size=8, seed=0)


def test_batches_and_their_noise_follow_from_the_step(stream):
    whole = list(frame_batches(stream, 3, 0).take(9).as_numpy_iterator())
    tail = list(frame_batches(stream, 3, 6).take(3).as_numpy_iterator())
    for (frames, noise), (same_frames, same_noise) in zip(whole[6:], tail, strict=True):
        np.testing.assert_array_equal(frames, same_frames)
        np.testing.assert_array_equal(noise, same_noise)
    twice = list(frame_batches(stream, 3, 0, draws=2).take(9).as_numpy_iterator())
    assert {noise.shape for _, noise in twice} == {(16, 32)}
    np.testing.assert_array_equal(twice[4][1][:8], whole[4][1])  # z's noise is the VAE's
    noise = np.stack([noise for _, noise in whole])
    assert noise.shape == (9, 8, 32)
    assert np.unique(noise).size == noise.size  # drawn anew for each batch
    assert noise.std() == pytest.approx(1, abs=0.05)


def test_an_epoch_is_a_pass_unless_iterations_say_otherwise(stream):
    assert schedule_of(Vae(epochs=10), stream).total == 10 * 5  # 40 frames, batches of 8
    assert schedule_of(Vae(epochs=9, iterations=1000), stream).total == 9000


def test_held_out_frames_come_evenly_from_all_held_out_episodes(tmp_path, write_episode):
    for seed in (20, 40):
        write_episode(tmp_path, seed, length=120)
    frames = held_out_frames(list_episodes(tmp_path))
    assert frames.shape == (500, 64, 64, 3)
    for part, seed in ((frames[:250], 20), (frames[250:], 40)):
        time = part[:, 0, 0, 0].astype(int)
        assert (part[:, 0, 0, 1] == seed).all()
        assert set(np.bincount(time)) == {2, 3}  # 250 frames of 120: none more often than others
        assert (np.diff(time) >= 0).all()


def test_reconstructions_are_from_the_mean_of_z_in_batches():
    obs = np.random.default_rng(0).integers(0, 256, (230, 64, 64, 3), np.uint8)
    halved = SimpleNamespace(encoder=lambda x: (x / 2, None), decoder=lambda z: z)
    np.testing.assert_allclose(reconstruct(halved, obs), obs / 2, atol=1)
