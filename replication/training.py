"""The training loop that V and M share: Keras' fit, with a log, held-out losses and exact resume.

A batch follows from (seed, step), so a run that was killed goes on from its last line of log to
the same numbers as one that was not.
"""

import contextlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from replication.config import UserError
from replication.dataset.episodes import UNREADABLE
from replication.runs import files, folders, records
from replication.runs.logs import Log, read_log
from replication.tf import keras, tf

import numpy as np
from tqdm import tqdm


@dataclass(frozen=True)
class Schedule:
    """How long to train, in batches."""

    epochs: int
    iterations: int  # batches in an epoch
    log_every: int

    @property
    def total(self) -> int:
        return self.epochs * self.iterations


def fit(
    model: keras.Model,
    batches: Callable[[int], tf.data.Dataset],
    held_out: Callable[[], dict[str, float]],
    schedule: Schedule,
    folder: Path,
    warning: Callable[[dict[str, float]], str] = lambda line: "",
) -> float:
    """Train to the end of the schedule, from `folder`/state.npz if it is there.

    model: compiled; its logs are what the log holds. batches(step): the batches from that step on.
    held_out(): what the log says of held-out data, by name. warning(line): what is wrong by a line
    of the log, for the user and the log, or "". Returns the seconds of work, all sessions together.
    Raises UserError when a loss is not finite; the last good weights stay.
    """
    for optimizer in optimizers_of(model):
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
    step = load_state(model, folder / "state.npz")
    path = folder / "log.jsonl"
    if not step and (folder / "done.json").exists() and read_log(path):
        where = folders.shown(folder)
        raise UserError(f"{where} is finished, its state.npz gone: restore it, or --overwrite")
    log = Log(path, resume_at=step)
    if step < schedule.total:
        recorder = Recorder(step, schedule, held_out, log, folder, warning)
        remaining = schedule.total - step
        data = batches(step).prefetch(2)
        with plain_errors(), recorder.bar:
            model.fit(
                data, steps_per_epoch=remaining, verbose=0, shuffle=False, callbacks=[recorder]
            )
    lines = read_log(log.path)
    return lines[-1]["seconds"] if lines else 0.0


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """A UserError that a tf.data generator raised, out of the traceback TensorFlow makes of it."""
    try:
        yield
    except tf.errors.OpError as error:
        said = re.search(r"UserError: (.*)", error.message)
        if said is None:
            raise
        raise UserError(said[1]) from None


class Recorder(keras.callbacks.Callback):
    """A progress bar, a line of log each interval, and with it everything a resume needs."""

    def __init__(self, step: int, schedule: Schedule, held_out, log: Log, folder: Path, warning):
        super().__init__()
        self.warning, self.warned = warning, ""
        self.step, self.schedule, self.held_out = step, schedule, held_out
        self.log, self.folder = log, folder
        self.bar = tqdm(total=schedule.total, initial=step, desc=folder.name, unit="batch")

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.bar.update()
        if self.step % self.schedule.log_every and self.step % self.schedule.iterations:
            return
        losses = {name: float(value) for name, value in logs.items()}
        line = {name: round(value, 6) for name, value in (losses | self.held_out()).items()}
        if not np.isfinite(list(line.values())).all():  # held-out: of the weights as they are now
            self._give_up(line)
        epoch = (self.step - 1) // self.schedule.iterations + 1
        facts = {"epoch": epoch, "processes": records.cores()}
        self.log.write(self.step, **facts, **line, **self._warn(line))
        save_state(self.model, self.folder / "state.npz", self.step)  # last: it says where we are
        self.bar.set_postfix({name: f"{value:.4g}" for name, value in losses.items()})
        self.model.reset_metrics()

    def _warn(self, line: dict[str, float]) -> dict[str, str]:
        """Say what is wrong, once for as long as it lasts; the log has it on each of its lines."""
        text = self.warning(line)
        if text and text != self.warned:
            self.bar.write(f"{self.folder.name}, batch {self.step}: {text}", file=sys.stderr)
        self.warned = text
        return {"warning": text} if text else {}

    def _give_up(self, losses: dict[str, float]) -> None:
        good = load_state(self.model, self.folder / "state.npz")
        kept = f"the weights of batch {good} are kept" if good else "there are no weights to keep"
        bad = ", ".join(name for name, value in losses.items() if not np.isfinite(value))
        raise UserError(
            f"{self.folder.name}: {bad} is not a number at batch {self.step}; {kept}"
            f" in {folders.shown(self.folder)}. A lower learning rate may help"
        )


def optimizers_of(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """A model's optimizers: those in `optimizers` where it has several."""
    return list(getattr(model, "optimizers", {}).values()) or [model.optimizer]


def optimizer_variables(model: keras.Model) -> list:
    return [variable for each in optimizers_of(model) for variable in each.variables]


def save_state(model: keras.Model, path: Path, step: int) -> None:
    """Weights, optimizers and step in one file."""
    arrays = {f"weight_{i:03d}": w for i, w in enumerate(model.get_weights())}
    arrays |= {f"optimizer_{i:03d}": v.numpy() for i, v in enumerate(optimizer_variables(model))}
    with files.replacing(path) as temporary:
        np.savez(temporary, step=step, **arrays)


def load_state(model: keras.Model, path: Path) -> int:
    """Put a saved state into the model and return its step; 0 if there is none."""
    if not path.exists():
        return 0
    try:
        with np.load(path, allow_pickle=False) as state:
            model.set_weights([state[k] for k in sorted(state) if k.startswith("weight_")])
            saved = [state[k] for k in sorted(state) if k.startswith("optimizer_")]
            for variable, value in zip(optimizer_variables(model), saved, strict=True):
                variable.assign(value)
            return int(state["step"])
    except UNREADABLE as error:
        raise UserError(
            f"{folders.shown(path)} is no state of this model ({error}): --overwrite"
        ) from None


def mean_losses(losses_of: Callable, batches: Iterable) -> dict[str, float]:
    """The mean over batches of a model's losses, by name."""
    all_losses = [losses_of(batch) for batch in batches]
    return {name: float(np.mean([losses[name] for losses in all_losses])) for name in all_losses[0]}


def save_weights(model: keras.Model, path: Path) -> None:
    with files.replacing(path) as temporary:
        model.save_weights(temporary)
