"""The VAE-GAN's stage: resumed it gives the same numbers, and a collapse is named."""

from replication import training
from replication.config import Vaegan
from replication.runs import folders, records
from replication.runs.command_line import parse_cli
from replication.runs.logs import read_log
from replication.tf import keras, tf
from replication.train_vaegan import collapse, optimizers
from replication.vae.frames import measure_held_out
from replication.vae.vaegan import VAEGAN

import numpy as np
import pytest
import tiny

CONFIG = Vaegan(width=1 / 16, batch_size=2, adam_rate=1e-4)
SCHEDULE = training.Schedule(epochs=1, iterations=4, log_every=2)
FIELDS = """
    --run g --data t --vision vaegan --vaegan.epochs 1 --vaegan.iterations 4 --vaegan.batch_size 8
    --vaegan.log_every 2 --vaegan.width 0.05
"""
ARGV = [*tiny.SCHEDULE, *FIELDS.split()]


def batches(step: int) -> tf.data.Dataset:
    def generate():
        at = step
        while True:
            random = np.random.default_rng([3, at])
            yield (
                random.integers(0, 256, (2, 64, 64, 3), np.uint8),
                random.standard_normal((4, 32), np.float32),
            )
            at += 1

    specs = tf.TensorSpec((2, 64, 64, 3), tf.uint8), tf.TensorSpec((4, 32), tf.float32)
    return tf.data.Dataset.from_generator(generate, output_signature=specs)


class Stopped(BaseException):
    """As a KeyboardInterrupt: nothing catches it."""


def train(folder, stop_at: int = 0) -> VAEGAN:
    """Four batches of two frames; stopped at the stop_at-th held-out measurement."""
    keras.utils.set_random_seed(0)
    vaegan = VAEGAN(CONFIG, 32)
    vaegan.compile(*optimizers(CONFIG))
    frames = np.zeros((3, 64, 64, 3), np.uint8)
    measure = measure_held_out(vaegan.pixel_losses, vaegan.encoder, frames, 0)
    calls = iter(range(1, 9))

    def held_out() -> dict[str, float]:
        if next(calls) == stop_at:
            raise Stopped
        return measure()

    training.fit(vaegan, batches, held_out, SCHEDULE, folder)
    return vaegan


def everything(vaegan: VAEGAN) -> list[np.ndarray]:
    """Weights, statistics of the batch normalisation, and the state of three optimizers."""
    states = [v.numpy() for optimizer in vaegan.optimizers.values() for v in optimizer.variables]
    return [*vaegan.get_weights(), *states]


def test_larsens_optimizers_unless_a_rate_of_adam_is_given():
    kinds = [
        (type(optimizer).__name__, float(optimizer.learning_rate))
        for optimizer in optimizers(Vaegan())
    ]
    assert kinds == [("RMSprop", pytest.approx(3e-4))] * 3
    kinds = [type(optimizer).__name__ for optimizer in optimizers(CONFIG)]
    assert kinds == ["Adam", "Adam", "RMSprop"]


def test_resumed_equals_uninterrupted(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir(), parts.mkdir()
    uninterrupted = train(whole)
    with pytest.raises(Stopped):
        train(parts, stop_at=2)
    resumed = train(parts)
    for array, expected in zip(everything(resumed), everything(uninterrupted), strict=True):
        np.testing.assert_array_equal(array, expected)
    logs = [read_log(folder / "log.jsonl") for folder in (whole, parts)]
    for line in logs[0] + logs[1]:
        del line["seconds"]
    assert logs[0] == logs[1]
    assert {"encoder", "decoder", "discriminator", "dissimilarity", "gan", "kl", "recon"} < set(
        logs[0][0]
    )
    assert {"held_out_recon", "held_out_kl", "used_nats", "used_dimensions"} < set(logs[0][0])
    fresh = VAEGAN(CONFIG, 32).discriminator.non_trainable_variables
    trained = resumed.discriminator.non_trainable_variables
    assert all((a.numpy() != b.numpy()).any() for a, b in zip(fresh, trained, strict=True))


def line(**values: float) -> dict[str, float]:
    accuracies = {f"accuracy_{kind}": 0.8 for kind in ("real", "reconstructed", "sampled")}
    return accuracies | {"held_out_kl": 20.0} | values


def test_a_collapse_is_named():
    assert collapse(line()) == ""
    assert collapse(line(accuracy_real=1.0, accuracy_sampled=1.0)) == ""
    won = line(accuracy_real=0.995, accuracy_reconstructed=1.0, accuracy_sampled=1.0)
    assert collapse(won).startswith("the discriminator wins outright")
    assert collapse(line(held_out_kl=0.5)).startswith("z says nothing")


def test_the_stage_from_end_to_end(home, write_episode):
    """A run of its own on another run's rollouts; what stands there and what later stages say."""
    config = parse_cli(ARGV)
    for seed in (0, 1):
        write_episode(folders.record_folder(config), seed, length=60)
    records.finish(config, "extract", "by hand", "2 episodes", 1.0)
    ended = tiny.stage("train_vaegan", *ARGV, home=home)
    assert ended.status == 0, ended.err
    assert ended.last.startswith("vaegan: 4 batches, held-out: squared error ")
    folder = home / "checkpoints/g/vaegan"
    assert sorted(path.name for path in folder.iterdir()) == [
        "decoder.weights.h5", "discriminator.weights.h5", "done.json", "encoder.weights.h5",
        "log.jsonl", "samples.npz", "state.npz", "traversal.npz",
    ]  # fmt: skip
    with np.load(folder / "samples.npz") as samples:
        assert samples["sampled"].shape == samples["obs"].shape == samples["recon"].shape
        assert samples["sampled"].dtype == np.uint8
        measures = [samples[f"held_out_recon_{name}"] for name in ("error", "SSIM", "sharpness")]
        measures.append(samples["held_out_obs_sharpness"])
        assert len({values.shape for values in measures}) == 1 and np.isfinite(measures).all()
    ended = tiny.stage("series", *ARGV, home=home)
    assert ended.status == 0, ended.err
    assert (home / "data/g/series/mu.npy").exists()
    complaint = tiny.stage("train_rnn", *ARGV, "--vision", "vae", home=home).complaint
    assert "checkpoints/g has another V, made by train_vaegan.py: give --vision vaegan" in complaint
