"""What train_vae and train_vaegan share: V's batches, its held-out frames, what it is measured by.

And the pictures that figures are made of: samples.npz and traversal.npz, beside V's weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from replication import training
from replication.config import Z_SIZE, Config, Vae, Vaegan
from replication.dataset.episodes import FrameStream, Recorded, list_episodes, read_episode, split
from replication.runs import files, folders
from replication.runs.logs import read_log
from replication.tf import keras, tf
from replication.vae.picture_measures import measure_reconstructions, sharpness
from replication.vae.vae import to_bytes, to_float

import numpy as np

HELD_OUT_FRAMES = 500  # frames that the held-out losses are measured on
ACTIVE = 0.01  # a dimension is active if mu's variance over frames exceeds this (Burda et al. 2015)
TRAVERSED = 8  # dimensions of z in the latent traversal: the most active ones
STEPS = np.arange(-3, 4)  # of a traversal, in standard deviations of mu over frames


@dataclass(frozen=True)
class Frames:
    """What V is trained on, and the held-out frames that it is measured on."""

    stream: FrameStream
    held_out: list[Recorded]
    chosen: np.ndarray  # of the held-out episodes: uint8 (N, 64, 64, 3)


def load_frames(config: Config, batch_size: int) -> Frames:
    """The run's set of rollouts, split."""
    episodes = list_episodes(folders.record_folder(config), config.extract.skip_bad)
    trained_on, held_out = split(episodes)
    stream = FrameStream(trained_on, batch_size, config.seed)
    return Frames(stream, held_out, held_out_frames(held_out))


def schedule_of(config: Vae | Vaegan, stream: FrameStream) -> training.Schedule:
    iterations = config.iterations or stream.batches_in_pass()
    return training.Schedule(config.epochs, iterations, config.log_every)


def frame_batches(stream: FrameStream, seed: int, start: int, draws: int = 1) -> tf.data.Dataset:
    """Batches from a step on: frames uint8 (B, 64, 64, 3), noise (draws * B, Z)."""
    rows = draws * stream.batch_size

    def generate():
        for step, frames in enumerate(stream.batches(start), start):
            random = np.random.default_rng([seed, 4, step])
            yield frames, random.standard_normal((rows, Z_SIZE), np.float32)

    frames = tf.TensorSpec((stream.batch_size, 64, 64, 3), tf.uint8)
    noise = tf.TensorSpec((rows, Z_SIZE), tf.float32)
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
    """A function that gives losses on held-out frames, and how many dimensions of z are active.

    losses_of(batch): the means over a batch, frames uint8 (B, 64, 64, 3) and noise (B, Z), by name.
    """
    noise = np.random.default_rng([seed, 5]).standard_normal((len(frames), Z_SIZE), np.float32)
    data = tf.data.Dataset.from_tensor_slices((frames, noise)).batch(100).cache()
    traced = tf.function(losses_of)

    def measure() -> dict[str, float]:
        losses = training.mean_losses(traced, data)
        mu = np.concatenate([encoder(to_float(obs))[0] for obs, _ in data])  # (N, Z)
        return losses | {"_active_dimensions": active_dimensions(mu)}

    return measure


def active_dimensions(mu: np.ndarray) -> int:
    """How many dimensions of z carry something: mu (N, Z) varies from frame to frame there."""
    return int((mu.var(axis=0) > ACTIVE).sum())


def name_frame(frame: np.ndarray, time: int) -> str:
    """What a frame shows, judged by its colours around the car, which is at row 53, column 32."""
    if time < 25:
        return "opening zoom"
    road = frame[20:60].astype(int)
    red, green, blue = (road[..., i] for i in range(3))
    if ((red > 200) & (green > 180) & (blue > 180)).sum() > 8:
        return "curve with kerb"
    grass = green[25:38, 24:40] - red[25:38, 24:40] > 60
    if grass.mean() > 0.7:
        return "grass"
    outside = green[25:38, 24:40].mean() < 40  # black: the car has left the field
    return "straight" if grass.mean() < 0.3 and not outside else ""


def save_v(v: keras.Model, frames: Frames, seed: int, folder: Path) -> None:
    """Write the weights of V, a model with an encoder and a decoder, and its pictures."""
    training.save_weights(v.encoder, folder / "encoder.weights.h5")
    training.save_weights(v.decoder, folder / "decoder.weights.h5")
    save_samples(v, frames, seed, folder)
    save_traversal(v, frames.chosen, folder)


def save_samples(v: keras.Model, frames: Frames, seed: int, folder: Path) -> None:
    """Two frames of each kind from held-out episodes, chosen by the seed, and V's versions.

    Beside them as many frames that V decodes from z ~ N(0, I), and the measures of all these and of
    the held-out frames: `recon_SSIM` (N,), say, is SSIM of `recon` (N, 64, 64, 3).
    """
    random, episodes = np.random.default_rng([seed, 6]), frames.held_out
    found: dict[str, list[np.ndarray]] = {}
    for index in random.permutation(len(episodes))[:20]:
        (obs,) = read_episode(episodes[index].path, "obs")
        for time in random.permutation(len(obs))[:200]:
            found.setdefault(name_frame(obs[time], time), []).append(obs[time])
    kinds = ("opening zoom", "straight", "curve with kerb", "grass")
    chosen = [(kind, frame) for kind in kinds for frame in found.get(kind, [])[:2]]
    obs = np.stack([frame for _, frame in chosen])
    recon = reconstruct(v, obs)
    sampled = to_bytes(v.decoder(random.standard_normal((len(obs), Z_SIZE), np.float32)))
    measures = {
        "obs": {"sharpness": sharpness(obs)},
        "recon": measure_reconstructions(recon, obs),
        "sampled": {"sharpness": sharpness(sampled)},
        "held_out_obs": {"sharpness": sharpness(frames.chosen)},
        "held_out_recon": measure_reconstructions(reconstruct(v, frames.chosen), frames.chosen),
    }
    with files.replacing(folder / "samples.npz") as temporary:
        np.savez_compressed(
            temporary,
            obs=obs,
            recon=recon,
            sampled=sampled,
            names=np.array([kind for kind, _ in chosen]),
            **{
                f"{pictures}_{measure}": values
                for pictures, by_measure in measures.items()
                for measure, values in by_measure.items()
            },
        )


def reconstruct(v: keras.Model, obs: np.ndarray) -> np.ndarray:
    """From the mean of z: uint8 (N, 64, 64, 3) -> uint8 (N, 64, 64, 3)."""
    batches = (to_float(obs[i : i + 100]) for i in range(0, len(obs), 100))
    return np.concatenate([to_bytes(v.decoder(v.encoder(batch)[0])) for batch in batches])


def save_traversal(v: keras.Model, frames: np.ndarray, folder: Path) -> None:
    """The most active dimensions of z moved one at a time around the mean mu of the frames."""
    batches = [v.encoder(to_float(frames[i : i + 100]))[0] for i in range(0, len(frames), 100)]
    mu = np.concatenate(batches)  # (N, Z)
    variances = mu.var(axis=0)
    dimensions = np.argsort(-variances, kind="stable")[:TRAVERSED]
    z = np.tile(mu.mean(axis=0), (TRAVERSED, len(STEPS), 1))  # (D, S, Z)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] += STEPS * np.sqrt(variances[dimension])
    images = to_bytes(v.decoder(z.reshape(-1, Z_SIZE)))  # (D * S, 64, 64, 3)
    with files.replacing(folder / "traversal.npz") as temporary:
        np.savez_compressed(
            temporary,
            images=images.reshape(TRAVERSED, len(STEPS), 64, 64, 3),
            dimensions=dimensions,
            variances=variances[dimensions],
            steps=STEPS,
        )


def reached(folder: Path) -> str:
    """What V has come to, by the last line of its log."""
    last = read_log(folder / "log.jsonl")[-1]
    return (
        f"{last['step']} batches, held-out: squared error {last['held_out_recon']:.1f} a frame,"
        f" KL {last['held_out_kl']:.1f} nats, {last['active_dimensions']:.0f} of 32 z's active"
    )
