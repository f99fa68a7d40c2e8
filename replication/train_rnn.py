"""Stage 4: train M on the series (World Models, A.2).

    python replication/train_rnn.py quick

Pairs (z_t, a_t) -> z_{t+1}; z is drawn anew from mu, logvar for each batch. Reads data/RUN/series/;
writes checkpoints/RUN/rnn/: rnn.weights.h5, rnn.json (its sizes), log.jsonl with the loss in nats
per dimension, beside a baseline that needs no M.
"""

import dataclasses
from pathlib import Path

from replication import training
from replication.config import Config, Rnn, parse_cli
from replication.dataset.episodes import HELD_OUT
from replication.rnn.rnn import MDNRNN
from replication.runs import files, folders, records, script, seeds
from replication.runs.logs import read_log
from replication.series import load_series
from replication.tf import keras, tf, tfp
from replication.vae.vae import sample_z

import numpy as np

HELD_OUT_SEQUENCES = 20  # held-out sequences that losses are measured on, at most
SIGNATURE = {
    "mu": tf.TensorSpec((None, None, None), tf.float32),
    "logvar": tf.TensorSpec((None, None, None), tf.float32),
    "noise": tf.TensorSpec((None, None, None), tf.float32),
    "action": tf.TensorSpec((None, None, None), tf.float32),
    "reward": tf.TensorSpec((None, None), tf.float32),
    "terminated": tf.TensorSpec((None, None), tf.float32),
    "weight": tf.TensorSpec((None, None), tf.float32),
}


def gather(series: dict, rows: np.ndarray, starts: np.ndarray, steps: int, random) -> dict:
    """A batch of `steps` steps from each row's start on; what is not of the episode has weight 0.

    mu, logvar, noise (B, T+1, Z), action (B, T+1, A), reward, terminated, weight (B, T).
    """
    time = starts[:, None] + np.arange(steps + 1)  # (B, T+1)
    inside = time < series["length"][rows][:, None]
    at = rows[:, None], np.minimum(time, series["mu"].shape[1] - 1)
    batch = {name: series[name][at].astype(np.float32) for name in ("mu", "logvar", "action")}
    batch |= {
        name: series[name][at][:, :-1].astype(np.float32) for name in ("reward", "terminated")
    }
    noise = random.standard_normal(batch["mu"].shape, np.float32)
    # Both z_t and z_{t+1} must be frames of the episode: the last frame has no successor.
    return batch | {"noise": noise, "weight": inside[:, 1:].astype(np.float32)}


def draw_z(batch: dict) -> dict:
    """mu, logvar and noise of a batch become z (B, T+1, Z)."""
    z = sample_z(batch.pop("mu"), batch.pop("logvar"), batch.pop("noise"))
    return batch | {"z": z}


def sequence_batches(series, rows: np.ndarray, config: Rnn, seed: int, start: int):
    """Batches from a step on: rows in random order, pass after pass, each from a random start."""
    size = config.batch_size

    def generate():
        step = start
        while True:
            random = np.random.default_rng([seed, 7, step])
            chosen = deal(rows, seed, step * size, size)
            # Deviation where sequences are shorter than episodes: the original starts at 0.
            last = np.maximum(series["length"][chosen] - config.sequence - 1, 0)
            yield gather(series, chosen, random.integers(last + 1), config.sequence, random)
            step += 1

    return tf.data.Dataset.from_generator(generate, output_signature=SIGNATURE).map(draw_z)


def deal(rows: np.ndarray, seed: int, first: int, count: int) -> np.ndarray:
    """The first-th to (first + count)-th of an endless deal of rows, shuffled anew each pass."""
    places = np.arange(first, first + count)
    passes = {
        n: np.random.default_rng([seed, 8, int(n)]).permutation(rows)
        for n in np.unique(places // len(rows))
    }
    return np.array([passes[place // len(rows)][place % len(rows)] for place in places])


def held_out_batch(series, rows: np.ndarray, config: Rnn, seed: int) -> dict:
    """The same held-out sequences and the same z each time."""
    rows = rows[:HELD_OUT_SEQUENCES]
    random = np.random.default_rng([seed, 9])
    batch = gather(series, rows, np.zeros_like(rows), config.sequence, random)
    return draw_z({name: tf.constant(value) for name, value in batch.items()})


def baseline_sigma(series, rows: np.ndarray, config: Rnn, seed: int):
    """The standard deviations s (Z,) of z_{t+1} - z_t on training episodes."""
    batch = held_out_batch(series, rows, config, seed)
    change = (batch["z"][:, 1:] - batch["z"][:, :-1]).numpy()[batch["weight"].numpy() > 0]
    return np.sqrt(np.mean(np.square(change), axis=0))  # (Z,)


def baseline_nll(batch: dict, sigma) -> float:
    """What z_{t+1} ~ N(z_t, s) costs, in nats per dimension: what M has to beat."""
    guess = tfp.distributions.Normal(batch["z"][:, :-1], sigma)
    nll = -guess.log_prob(batch["z"][:, 1:]).numpy()  # (B, T, Z)
    return float(nll[batch["weight"].numpy() > 0].mean())


def measure_held_out(rnn: MDNRNN, batch: dict, baseline: float):
    losses_of = tf.function(rnn.losses_of)
    return lambda: training.mean_losses(losses_of, [batch]) | {"_baseline_nll": baseline}


def main(config: Config) -> None:
    with records.open_stage(config, "train_rnn") as folder:
        seeds.seed_everything(config.seed)
        series = load_series(config)
        held_out, trained_on = rows_of(series)
        batch = held_out_batch(series, held_out, config.rnn, config.seed)
        sigma = baseline_sigma(series, trained_on, config.rnn, config.seed)
        records.begin_stage(config, "train_rnn")

        rnn = MDNRNN(config.rnn)
        optimizer = keras.optimizers.Adam(config.rnn.learning_rate, clipvalue=config.rnn.clip)
        rnn.compile(optimizer=optimizer)
        seconds = training.fit(
            rnn,
            lambda step: sequence_batches(series, trained_on, config.rnn, config.seed, step),
            measure_held_out(rnn, batch, baseline_nll(batch, sigma)),
            training.Schedule(config.rnn.epochs, config.rnn.iterations, config.rnn.log_every),
            folder,
        )
        files.write_json(folder / "rnn.json", dataclasses.asdict(config.rnn))
        training.save_weights(rnn, folder / "rnn.weights.h5")
        report(config, rnn, seconds, folder)


def rows_of(series) -> tuple[np.ndarray, np.ndarray]:
    """Rows of held-out and of training episodes: the same split as V's."""
    held_out = series["seed"] % HELD_OUT == 0
    return np.flatnonzero(held_out), np.flatnonzero(~held_out)


def report(config: Config, rnn: MDNRNN, seconds: float, folder: Path) -> None:
    reached = "random weights, not trained"
    if log := read_log(folder / "log.jsonl"):
        reached = (
            f"{log[-1]['step']} batches, held-out: {log[-1]['held_out_nll']:.3f} nats per dimension"
            f" (without M {log[-1]['baseline_nll']:.3f})"
        )
    output = files.fingerprint(rnn.get_weights())
    parameters = rnn.count_params()
    facts = {"processes": records.cores(), "parameters": parameters}
    records.finish(config, "train_rnn", output, reached, seconds, **facts)
    print(f"rnn: {reached}, in {folders.shown(folder)}")


if __name__ == "__main__":
    script.run_script(lambda: main(parse_cli(doc=__doc__)))
