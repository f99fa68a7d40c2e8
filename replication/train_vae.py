"""Stage 2: train V on the recorded frames (World Models, A.1).

    python replication/train_vae.py quick --run mine --vae.epochs 2

Reads data/SET/record/; writes checkpoints/RUN/vae/: encoder and decoder .weights.h5, log.jsonl,
samples.npz (frames beside their reconstructions, for figure 12) and traversal.npz (what single
dimensions of z do to a frame).
"""

from pathlib import Path

import numpy as np

from replication import runs, training
from replication.config import Z_SIZE, Config, Vae, parse_cli
from replication.episodes import FrameStream, Recorded, list_episodes, read_episode, split
from replication.quiet import keras, tf
from replication.vae.vae import VAE, sample_z, to_bytes, to_float

HELD_OUT_FRAMES = 500  # frames that the held-out losses are measured on
ACTIVE = 0.01  # a dimension is active if mu's variance over frames exceeds this (Burda et al. 2015)
TRAVERSED = 8  # dimensions of z in the latent traversal: the most active ones
STEPS = np.arange(-3, 4)  # of a traversal, in standard deviations of mu over frames


def frame_batches(stream: FrameStream, seed: int, start: int) -> tf.data.Dataset:
    """Batches from a step on: frames uint8 (B, 64, 64, 3), noise (B, Z)."""

    def generate():
        for step, frames in enumerate(stream.batches(start), start):
            random = np.random.default_rng([seed, 4, step])
            yield frames, random.standard_normal((len(frames), Z_SIZE), np.float32)

    frames = tf.TensorSpec((stream.batch_size, 64, 64, 3), tf.uint8)
    noise = tf.TensorSpec((stream.batch_size, Z_SIZE), tf.float32)
    return tf.data.Dataset.from_generator(generate, output_signature=(frames, noise))


def held_out_frames(episodes: list[Recorded]) -> np.ndarray:
    """The same frames each time, evenly from all held-out episodes: uint8 (N, 64, 64, 3)."""
    episodes = episodes[:HELD_OUT_FRAMES]
    each = HELD_OUT_FRAMES // len(episodes)
    chosen = []
    for episode in episodes:
        (obs,) = read_episode(episode.path, "obs")
        chosen.append(obs[np.linspace(0, len(obs) - 1, each).astype(int)])
    return np.concatenate(chosen)


def measure_held_out(vae: VAE, frames: np.ndarray, seed: int):
    """A function that gives V's losses on held-out frames, and how many dimensions are active."""
    noise = np.random.default_rng([seed, 5]).standard_normal((len(frames), Z_SIZE), np.float32)
    data = tf.data.Dataset.from_tensor_slices((frames, noise)).batch(100).cache()
    losses_of = tf.function(vae.losses_of)

    def measure() -> dict[str, float]:
        losses = training.mean_losses(losses_of, data)
        mu = np.concatenate([vae.encoder(to_float(obs))[0] for obs, _ in data])  # (N, Z)
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
    return "straight" if grass.mean() < 0.3 else ""


def save_samples(vae: VAE, episodes: list[Recorded], seed: int, folder: Path) -> None:
    """Two frames of each kind from held-out episodes, chosen by the seed, and V's versions."""
    random = np.random.default_rng([seed, 6])
    found: dict[str, list[np.ndarray]] = {}
    for index in random.permutation(len(episodes))[:20]:
        (obs,) = read_episode(episodes[index].path, "obs")
        for time in random.permutation(len(obs))[:200]:
            found.setdefault(name_frame(obs[time], time), []).append(obs[time])
    kinds = ("opening zoom", "straight", "curve with kerb", "grass")
    chosen = [(kind, frame) for kind in kinds for frame in found.get(kind, [])[:2]]
    obs = np.stack([frame for _, frame in chosen])
    mu, logvar = vae.encoder(to_float(obs))
    recon = vae.decoder(sample_z(mu, logvar, tf.zeros_like(mu)))
    with runs.replacing(folder / "samples.npz") as temporary:
        np.savez_compressed(
            temporary,
            obs=obs,
            recon=to_bytes(recon),
            names=np.array([kind for kind, _ in chosen]),
        )


def save_traversal(vae: VAE, frames: np.ndarray, folder: Path) -> None:
    """The most active dimensions of z moved one at a time around the mean mu of the frames."""
    batches = [vae.encoder(to_float(frames[i : i + 100]))[0] for i in range(0, len(frames), 100)]
    mu = np.concatenate(batches)  # (N, Z)
    variances = mu.var(axis=0)
    dimensions = np.argsort(-variances, kind="stable")[:TRAVERSED]
    z = np.tile(mu.mean(axis=0), (TRAVERSED, len(STEPS), 1))  # (D, S, Z)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] += STEPS * np.sqrt(variances[dimension])
    images = to_bytes(vae.decoder(z.reshape(-1, Z_SIZE)))  # (D * S, 64, 64, 3)
    with runs.replacing(folder / "traversal.npz") as temporary:
        np.savez_compressed(
            temporary,
            images=images.reshape(TRAVERSED, len(STEPS), 64, 64, 3),
            dimensions=dimensions,
            variances=variances[dimensions],
            steps=STEPS,
        )


def schedule_of(config: Vae, stream: FrameStream) -> training.Schedule:
    iterations = config.iterations or stream.batches_in_pass()
    return training.Schedule(config.epochs, iterations, config.log_every)


def main(config: Config) -> None:
    with runs.open_stage(config, "train_vae") as folder:
        runs.seed_everything(config.seed)
        episodes = list_episodes(runs.record_folder(config), config.extract.skip_bad)
        trained_on, held_out = split(episodes)
        stream = FrameStream(trained_on, config.vae.batch_size, config.seed)
        frames = held_out_frames(held_out)

        vae = VAE(config.vae)
        vae.compile(optimizer=keras.optimizers.Adam(config.vae.learning_rate))
        seconds = training.fit(
            vae,
            lambda step: frame_batches(stream, config.seed, step),
            measure_held_out(vae, frames, config.seed),
            schedule_of(config.vae, stream),
            folder,
        )
        training.save_weights(vae.encoder, folder / "encoder.weights.h5")
        training.save_weights(vae.decoder, folder / "decoder.weights.h5")
        save_samples(vae, held_out, config.seed, folder)
        save_traversal(vae, frames, folder)
        report(config, vae, seconds, folder)


def report(config: Config, vae: VAE, seconds: float, folder: Path) -> None:
    last = runs.read_log(folder / "log.jsonl")[-1]
    reached = (
        f"{last['step']} batches, held-out: squared error {last['held_out_recon']:.1f} a frame,"
        f" KL {last['held_out_kl']:.1f} nats, {last['active_dimensions']:.0f} of 32 z's active"
    )
    output = runs.fingerprint(vae.encoder.get_weights())
    parameters = vae.count_params()
    runs.finish(
        config, "train_vae", output, reached, seconds, processes=runs.cores(), parameters=parameters
    )  # fmt: skip
    print(f"vae: {reached}, in {runs.shown(folder)}")


if __name__ == "__main__":
    runs.run_script(lambda: main(parse_cli(doc=__doc__)))
