"""V's weights and the pictures that figures are made of: samples.npz and traversal.npz."""

from pathlib import Path

from replication import training
from replication.config import Config
from replication.dataset.episodes import read_episode
from replication.runs import files
from replication.runs.seeds import Purpose, generator
from replication.tasks.games import task_of
from replication.tf import keras
from replication.vae.frames import Frames
from replication.vae.picture_measures import measure_reconstructions, sharpness
from replication.vae.vae import to_bytes, to_float

import numpy as np

TRAVERSED = 8  # dimensions of z in the latent traversal: the most active ones
STEPS = np.arange(-3, 4)  # of a traversal, in standard deviations of mu over frames


def save_v(v: keras.Model, frames: Frames, config: Config, folder: Path) -> None:
    """Write the weights of V, a model with an encoder and a decoder, and its pictures."""
    training.save_weights(v.encoder, folder / "encoder.weights.h5")
    training.save_weights(v.decoder, folder / "decoder.weights.h5")
    save_samples(v, frames, config, folder)
    save_traversal(v, frames.chosen, folder)


def save_samples(v: keras.Model, frames: Frames, config: Config, folder: Path) -> None:
    """Two frames of each kind from held-out episodes, chosen by the seed, and V's versions.

    Beside them as many frames that V decodes from z ~ N(0, I), and the measures of all these and of
    the held-out frames: `recon_SSIM` (N,), say, is SSIM of `recon` (N, 64, 64, 3).
    """
    task, random = task_of(config.task), generator(config.seed, Purpose.V_PICTURES)
    by_kind: dict[str, list[np.ndarray]] = {}
    for index in random.permutation(len(frames.held_out))[:20]:
        (obs,) = read_episode(frames.held_out[index].path, "obs")
        for time in random.permutation(len(obs))[:200]:
            by_kind.setdefault(task.frame_kind(obs[time], time), []).append(obs[time])
    chosen = [(kind, frame) for kind in task.frame_kinds for frame in by_kind.get(kind, [])[:2]]
    obs = np.stack([frame for _, frame in chosen])
    recon = reconstruct(v.encoder, v.decoder, obs)
    sampled = to_bytes(v.decoder(random.standard_normal((len(obs), task.z_size), np.float32)))
    measures = {
        "obs": {"sharpness": sharpness(obs)},
        "recon": measure_reconstructions(recon, obs),
        "sampled": {"sharpness": sharpness(sampled)},
        "held_out_obs": {"sharpness": sharpness(frames.chosen)},
        "held_out_recon": measure_reconstructions(
            reconstruct(v.encoder, v.decoder, frames.chosen), frames.chosen
        ),
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


def reconstruct(encoder: keras.Model, decoder: keras.Model, obs: np.ndarray) -> np.ndarray:
    """From the mean of z: uint8 (N, 64, 64, 3) -> uint8 (N, 64, 64, 3)."""
    batches = (to_float(obs[i : i + 100]) for i in range(0, len(obs), 100))
    return np.concatenate([to_bytes(decoder(encoder(batch)[0])) for batch in batches])


def save_traversal(v: keras.Model, frames: np.ndarray, folder: Path) -> None:
    """The most active dimensions of z moved one at a time around the mean mu of the frames."""
    batches = [v.encoder(to_float(frames[i : i + 100]))[0] for i in range(0, len(frames), 100)]
    mu = np.concatenate(batches)  # (N, Z)
    variances = mu.var(axis=0)
    dimensions = np.argsort(-variances, kind="stable")[:TRAVERSED]
    z = np.tile(mu.mean(axis=0), (TRAVERSED, len(STEPS), 1))  # (D, S, Z)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] += STEPS * np.sqrt(variances[dimension])
    images = to_bytes(v.decoder(z.reshape(-1, z.shape[-1])))  # (D * S, 64, 64, 3)
    with files.replacing(folder / "traversal.npz") as temporary:
        np.savez_compressed(
            temporary,
            images=images.reshape(TRAVERSED, len(STEPS), 64, 64, 3),
            dimensions=dimensions,
            variances=variances[dimensions],
            steps=STEPS,
        )
