"""What V's two stages share: batches, held-out frames, and what is measured on these."""

import dataclasses

from replication.config import Vae
from replication.dataset.episodes import list_episodes
from replication.dataset.frame_stream import FrameStream
from replication.presets import PRESETS
from replication.runs import folders
from replication.tf import keras, tf
from replication.vae.frames import (
    frame_batches,
    held_out_frames,
    load_frames,
    measure_held_out,
    schedule_of,
    used_dimensions,
)
from replication.vae.vae import VAE

import numpy as np
import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")
Z = 32


def test_dimensions_in_use_have_more_than_a_tenth_of_a_nat():
    """By the mean over frames; single frames may lie on either side."""
    kl = np.array([[0.0, 0.05, 0.3, 4.0], [0.0, 0.14, 0.1, 2.0]])
    assert used_dimensions(kl) == {"used_dimensions": 2, "used_nats": pytest.approx(3.2)}
    assert used_dimensions(np.zeros((5, 3))) == {"used_dimensions": 0, "used_nats": 0}


@pytest.fixture
def stream(home, write_episode):
    for seed in range(4):
        write_episode(folders.record_folder(CONFIG), seed, length=10)
    return FrameStream(list_episodes(CONFIG), batch_size=8, seed=0)


def test_batches_and_their_noise_follow_from_the_step(stream):
    whole = list(frame_batches(stream, Z, 3, 0).take(9).as_numpy_iterator())
    tail = list(frame_batches(stream, Z, 3, 6).take(3).as_numpy_iterator())
    for (frames, noise), (same_frames, same_noise) in zip(whole[6:], tail, strict=True):
        np.testing.assert_array_equal(frames, same_frames)
        np.testing.assert_array_equal(noise, same_noise)
    twice = list(frame_batches(stream, Z, 3, 0, draws=2).take(9).as_numpy_iterator())
    assert {noise.shape for _, noise in twice} == {(16, 32)}
    np.testing.assert_array_equal(twice[4][1][:8], whole[4][1])  # z's noise is the VAE's
    noise = np.stack([noise for _, noise in whole])
    assert noise.shape == (9, 8, 32)
    assert np.unique(noise).size == noise.size  # drawn anew for each batch
    assert noise.std() == pytest.approx(1, abs=0.05)


def test_an_epoch_is_a_pass_unless_iterations_say_otherwise(stream):
    assert schedule_of(Vae(epochs=10), stream).total == 10 * 5  # 40 frames, batches of 8
    assert schedule_of(Vae(epochs=9, iterations=1000), stream).total == 9000


def test_held_out_frames_come_evenly_from_all_held_out_episodes(home, write_episode):
    for seed in (20, 40):
        write_episode(folders.record_folder(CONFIG), seed, length=120)
    frames = held_out_frames(list_episodes(CONFIG))
    assert frames.shape == (500, 64, 64, 3)
    for part, seed in ((frames[:250], 20), (frames[250:], 40)):
        time = part[:, 0, 0, 0].astype(int)
        assert (part[:, 0, 0, 1] == seed).all()
        assert set(np.bincount(time)) == {2, 3}  # 250 frames of 120: none more often than others
        assert (np.diff(time) >= 0).all()


def test_frames_are_those_of_the_runs_set_split(home, write_episode):
    config = dataclasses.replace(CONFIG, data="shared", seed=4)
    for seed in (0, 1, 2, 20):
        write_episode(folders.record_folder(config), seed, length=10)
    frames = load_frames(config, batch_size=6)
    assert [episode.seed for episode in frames.stream.episodes] == [1, 2]
    assert [episode.seed for episode in frames.held_out] == [0, 20]
    assert (frames.stream.batch_size, frames.stream.seed) == (6, 4)
    assert set(frames.chosen[:, 0, 0, 1]) == {0, 20}


def test_held_out_values_have_their_names_and_are_means_over_all_frames():
    keras.utils.set_random_seed(0)
    vae, frames = (
        VAE(Vae(), Z),
        np.random.default_rng(0).integers(0, 256, (130, 64, 64, 3), np.uint8),
    )
    measure = measure_held_out(vae.losses_of, vae.encoder, frames, seed=3)
    values = measure()
    assert set(values) == {
        "held_out_loss", "held_out_recon", "held_out_kl", "used_dimensions", "used_nats",
    }  # fmt: skip
    assert values == measure()  # the same noise each time
    other = measure_held_out(vae.losses_of, vae.encoder, frames, seed=4)()
    assert other["held_out_recon"] != values["held_out_recon"]
    losses = measure_held_out(lambda batch: {"size": tf.shape(batch[0])[0]}, vae.encoder, frames, 3)
    assert losses()["held_out_size"] == (100 + 30) / 2  # a mean over batches
