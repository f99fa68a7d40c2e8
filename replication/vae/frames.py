"""The frames that V is trained on and measured on, whichever kind of V it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from replication import training
from replication.config import Config, Vae, Vaegan
from replication.dataset.episodes import Recorded, list_episodes, read_episode, split
from replication.dataset.frame_stream import FrameStream
from replication.runs.logs import read_log
from replication.runs.seeds import Purpose, generator
from replication.tf import keras, tf
from replication.vae.vae import kl_divergence, to_float

import numpy as np

HELD_OUT_FRAMES = 500  # frames that the held-out losses are measured on
USED = 0.1  # nats: a dimension of z is in use if its KL, mean over frames, exceeds this


@dataclass(frozen=True)
class Frames:
    """What V is trained on, and the held-out frames that it is measured on."""

    stream: FrameStream
    held_out: list[Recorded]
    chosen: np.ndarray  # of the held-out episodes: uint8 (N, 64, 64, 3)


def load_frames(config: Config, batch_size: int) -> Frames:
    """The run's set of rollouts, split."""
    episodes = list_episodes(config)
    trained_on, held_out = split(episodes)
    stream = FrameStream(trained_on, batch_size, config.seed)
    return Frames(stream, held_out, held_out_frames(held_out))


def schedule_of(config: Vae | Vaegan, stream: FrameStream) -> training.Schedule:
    iterations = config.iterations or stream.batches_in_pass()
    return training.Schedule(config.epochs, iterations, config.log_every)


def frame_batches(
    stream: FrameStream, z_size: int, seed: int, start: int, draws: int = 1
) -> tf.data.Dataset:
    """Batches from a step on: frames uint8 (B, 64, 64, 3), noise (draws * B, Z)."""
    shape = draws * stream.batch_size, z_size

    def generate():
        for step, frames in enumerate(stream.batches(start), start):
            random = generator(seed, Purpose.V_NOISE, step)
            yield frames, random.standard_normal(shape, np.float32)

    frames = tf.TensorSpec((stream.batch_size, 64, 64, 3), tf.uint8)
    noise = tf.TensorSpec(shape, tf.float32)
    return tf.data.Dataset.from_generator(generate, output_signature=(frames, noise))


def held_out_frames(episodes: list[Recorded]) -> np.ndarray:
    """The same frames each time, evenly from all held-out episodes: uint8 (N, 64, 64, 3)."""
    episodes = episodes[:HELD_OUT_FRAMES]
    each = HELD_OUT_FRAMES // len(episodes)
    chosen = []
    for episode in episodes:
        (obs,) = read_episode(episode.path, "obs")
        middles = (np.arange(each) + 0.5) * len(obs) / each  # of `each` equal parts
        chosen.append(obs[middles.astype(int)])
    return np.concatenate(chosen)


def measure_held_out(
    losses_of: Callable, encoder: keras.Model, frames: np.ndarray, seed: int
) -> Callable[[], dict[str, float]]:
    """A function that gives the log's held-out values: losses, and how much of z is in use.

    losses_of(batch): the means over a batch, frames uint8 (B, 64, 64, 3) and noise (B, Z), by name.
    """
    shape = len(frames), encoder.outputs[0].shape[-1]  # (N, Z)
    noise = generator(seed, Purpose.V_HELD_OUT).standard_normal(shape, np.float32)
    data = tf.data.Dataset.from_tensor_slices((frames, noise)).batch(100).cache()
    traced = tf.function(losses_of)

    def measure() -> dict[str, float]:
        losses = training.mean_losses(traced, data)
        kl = np.concatenate([kl_divergence(*encoder(to_float(obs))) for obs, _ in data])  # (N, Z)
        losses = {f"held_out_{name}": value for name, value in losses.items()}
        return losses | used_dimensions(kl)

    return measure


def used_dimensions(kl: np.ndarray) -> dict[str, float]:
    """How many dimensions of z are in use, and how many nats these carry; kl (N, Z) in nats."""
    means = kl.mean(axis=0)  # (Z,)
    used = means > USED
    return {"used_dimensions": int(used.sum()), "used_nats": float(means[used].sum())}


def reached(folder: Path) -> str:
    """What V has come to, by the last line of its log."""
    last = read_log(folder / "log.jsonl")[-1]
    return (
        f"{last['step']} batches, held-out: squared error {last['held_out_recon']:.1f} a frame,"
        f" KL {last['held_out_kl']:.1f} nats, {last['used_nats']:.1f} of them in"
        f" {last['used_dimensions']:.0f} dimensions"
    )
