"""Stage 4: train M on the series (World Models, A.2).

    python replication/train_rnn.py quick

Pairs (z_t, a_t) -> z_{t+1}; z is drawn anew from mu, logvar for each batch. Reads data/RUN/series/;
writes checkpoints/RUN/rnn/: rnn.weights.h5, rnn.json (its sizes), log.jsonl with the loss in nats
per dimension, beside a baseline that needs no M.
"""

import dataclasses
from pathlib import Path

from replication import training
from replication.config import Config
from replication.dataset.series import load_series
from replication.rnn.baseline import baseline_nll, baseline_sigma
from replication.rnn.batches import held_out_batch, rows_of, sequence_batches
from replication.rnn.rnn import MDNRNN
from replication.runs import files, folders, records, seeds
from replication.runs.logs import read_log
from replication.runs.script import parse_run_cli, run_script
from replication.tasks.games import task_of
from replication.tf import keras, tf


def measure_held_out(rnn: MDNRNN, batch: dict, baseline: float):
    """A function that gives the log's held-out values: losses, and the baseline's."""
    losses_of = tf.function(rnn.losses_of)

    def measure() -> dict[str, float]:
        losses = training.mean_losses(losses_of, [batch])
        return {f"held_out_{name}": value for name, value in losses.items()} | {
            "baseline_nll": baseline
        }

    return measure


def main(config: Config) -> None:
    with records.open_stage(config, "train_rnn") as folder:
        seeds.seed_everything(config.seed)
        series = load_series(config)
        held_out, trained_on = rows_of(series)
        batch = held_out_batch(series, held_out, config.rnn, config.seed)
        sigma = baseline_sigma(series, trained_on, config.rnn, config.seed)
        records.begin_stage(config, "train_rnn")

        rnn = MDNRNN(config.rnn, task_of(config.task))
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
    run_script(lambda: main(parse_run_cli(doc=__doc__)))
