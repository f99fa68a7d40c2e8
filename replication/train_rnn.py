"""Stage 4: train M on the series (World Models, A.2).

    python replication/train_rnn.py quick

Pairs (z_t, a_t) -> z_{t+1}; z is drawn anew from mu, logvar for each batch. Reads data/RUN/series/;
writes checkpoints/RUN/rnn/: rnn.weights.h5, rnn.json (its sizes), log.jsonl with the loss in nats
per dimension, beside those of baselines that need no M.
"""

import dataclasses
from pathlib import Path

from replication import training
from replication.config import Config, UserError
from replication.dataset.series import load_series
from replication.rnn.baseline import fit_baselines, measure_baselines
from replication.rnn.batches import (
    draw_z,
    episode_ends,
    even_batch,
    for_m,
    rows_of,
    sequence_batches,
)
from replication.rnn.rnn import MDNRNN
from replication.runs import files, folders, records, seeds
from replication.runs.logs import read_log
from replication.runs.script import parse_run_cli, run_script
from replication.tasks.games import task_of
from replication.tf import keras, tf

import numpy as np


def check_lengths(series: dict, *parts: np.ndarray) -> None:
    """Raise UserError if no episode of one of the parts has a next z to predict."""
    ends = episode_ends(series)
    if not all((ends[rows] > 1).any() for rows in parts):
        raise UserError("M learns from two frames at least, and every episode ends at its first")


def measure_held_out(rnn: MDNRNN, batch: dict, baselines: dict[str, float]):
    """A function that gives the log's held-out values: losses, beside those of the baselines."""
    losses_of = tf.function(rnn.losses_of)

    def measure() -> dict[str, float]:
        losses = training.mean_losses(losses_of, [batch])
        return {f"held_out_{name}": value for name, value in losses.items()} | baselines

    return measure


def main(config: Config) -> None:
    with records.open_stage(config, "train_rnn") as folder:
        seeds.seed_everything(config.seed)
        task = task_of(config.task)
        series = for_m(load_series(config), config.rnn, task)
        held_out, trained_on = rows_of(series)
        check_lengths(series, held_out, trained_on)
        batch = even_batch(series, held_out, config.rnn, config.seed)
        fitted = fit_baselines(even_batch(series, trained_on, config.rnn, config.seed))
        baselines = measure_baselines(fitted, batch)
        records.begin_stage(config, "train_rnn")

        rnn = MDNRNN(config.rnn, task)
        optimizer = keras.optimizers.Adam(config.rnn.learning_rate, clipvalue=config.rnn.clip)
        rnn.compile(optimizer=optimizer)
        seconds = training.fit(
            rnn,
            lambda step: sequence_batches(series, trained_on, config.rnn, config.seed, step),
            measure_held_out(rnn, draw_z(batch), baselines),
            training.Schedule(config.rnn.epochs, config.rnn.iterations, config.rnn.log_every),
            folder,
        )
        files.write_json(folder / "rnn.json", dataclasses.asdict(config.rnn))
        training.save_weights(rnn, folder / "rnn.weights.h5")
        report(config, rnn, seconds, folder)


def report(config: Config, rnn: MDNRNN, seconds: float, folder: Path) -> None:
    reached = "random weights, not trained"
    if log := read_log(folder / "log.jsonl"):
        reached = (
            f"{log[-1]['step']} batches, held-out: {log[-1]['held_out_nll']:.3f} nats per dimension"
            f" (AR(1) {log[-1]['ar1_nll']:.3f}, V's own noise {log[-1]['floor_nll']:.3f})"
        )
    output = files.fingerprint(rnn.get_weights())
    parameters = rnn.count_params()
    facts = {"processes": records.cores(), "parameters": parameters}
    records.finish(config, "train_rnn", output, reached, seconds, **facts)
    print(f"rnn: {reached}, in {folders.shown(folder)}")


if __name__ == "__main__":
    run_script(lambda: main(parse_run_cli(doc=__doc__)))
