"""V, M and C stepped together for a batch of episodes: one traced call of TensorFlow a frame.

Rows never see each other, and the call has one shape (WIDTH rows, idle ones included), so that a
matrix product rounds alike whatever the other rows hold: an episode's numbers depend on its seed
and on C, not on the slot it was driven in nor on what was driven beside it. A test holds this.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, get_type_hints

from replication.config import ACTIONS, Z_SIZE, Config, Controller, Rnn, UserError
from replication.controller import controller
from replication.dataset.episodes import UNREADABLE
from replication.rnn.rnn import MDNRNN
from replication.rollouts.loop import Task
from replication.runs import files, folders, records
from replication.runs.stages import STAGES
from replication.search.history import fingerprint
from replication.tf import keras, tf
from replication.vae.vae import build_encoder, sample_z, to_float

import numpy as np

MODES = get_args(get_type_hints(Controller)["mode"])
Z_KINDS = get_args(get_type_hints(Controller)["z"])
WIDTH = 16  # rows of a batch: a candidate's 16 episodes in the paper


@dataclass(frozen=True)
class Weights:
    """What a worker needs of V and M, as arrays: sent over MPI instead of read from a disk."""

    encoder: list[np.ndarray]
    rnn: list[np.ndarray]
    rnn_config: Rnn
    mode: str  # what C sees
    z: str = "sample"  # what C and M get of V: a sample, or the mean

    @property
    def parameters(self) -> int:
        """Length of C's flat vector."""
        return controller.parameter_count(self.mode, self.rnn_config.hidden)


def load_weights(run: Path, mode: str, vision: str | None = None, z: str = "sample") -> Weights:
    """V and M of a run's folder; UserError if they are missing, or of another shape or kind."""
    rnn, encoder = load_rnn(run), load_encoder(run, vision)
    return Weights(encoder.get_weights(), rnn.get_weights(), rnn.config, mode, z)


def agent_folder(name: str) -> Path:
    """An agent's folder as the user typed it, or as it stands in the repository."""
    for folder in (Path(name), folders.HOME / name):
        if folder.is_dir():
            return folder.resolve()
    raise UserError(f"agent {name}: no such folder")


def run_in(folder: Path) -> str | None:
    """The name of the run whose folder this is; None for an agent from elsewhere."""
    home = folders.run_folder("").resolve()
    return str(folder.relative_to(home)) if home in folder.parents else None


def load_agent(folder: Path, vision: str | None = None) -> tuple[Weights, np.ndarray]:
    """V and M, and C's flat vector, of a run or of a published agent."""
    path = folder / "controller" / "best.json"
    if not path.exists():
        raise UserError(
            f"{folders.shown(path)} is missing: run python replication/train_controller.py"
        )
    best = files.read_json(path, "mode", "parameters")
    z = best.get("z", "sample")
    for name, value, known in (("mode", best["mode"], MODES), ("z", z, Z_KINDS)):
        if value not in known:
            raise UserError(f"{folders.shown(path)}: {name} {value!r}: not of {', '.join(known)}")
    weights = load_weights(folder, best["mode"], vision, z)
    parameters = flat_vector(best["parameters"], weights, path)
    if changed := changed_part(folder, weights, inputs_of(folder)):
        raise UserError(
            f"{folders.shown(folder / 'controller')} was evolved on another"
            f" {STAGES[changed].folder}/: restore it, or run train_controller.py --overwrite"
        )
    return weights, parameters


def is_of_run(config: Config, parameters: np.ndarray) -> bool:
    """Whether a run's C, as far as it is finished, is still this one: it may be trained on."""
    return records.output_of(config, "train_controller") in (None, fingerprint(parameters))


def flat_vector(values, weights: Weights, path: Path) -> np.ndarray:
    """C's flat vector from the values that a file has, float32; UserError if it is none."""
    try:
        flat = np.array(values, np.float32).ravel()
    except (ValueError, TypeError):
        raise UserError(f"{folders.shown(path)}: parameters are not numbers: restore it") from None
    if len(flat) != weights.parameters or not np.isfinite(flat).all():
        raise UserError(
            f"{folders.shown(path)} holds {np.isfinite(flat).sum()} finite parameters;"
            f" mode {weights.mode} on this M takes {weights.parameters}"
        )
    return flat


def changed_part(folder: Path, weights: Weights, known: dict[str, str]) -> str | None:
    """The stage whose weights, V's or M's, are not those of the output that it is known by."""
    vision = folders.v_folder(folder).name
    for name, part in ((f"train_{vision}", weights.encoder), ("train_rnn", weights.rnn)):
        if name in known and known[name] != files.fingerprint(part):
            return name
    return None


def inputs_of(folder: Path) -> dict[str, str]:
    """Stage -> fingerprint of the V and the M that an agent's C was evolved on, where it says."""
    path = folder / "config.json"
    recorded = files.read_json(path).get("train_controller", {}) if path.exists() else {}
    prefix = "input "
    return {k.removeprefix(prefix): v for k, v in recorded.items() if k.startswith(prefix)}


def load_encoder(run: Path, vision: str | None = None) -> keras.Model:
    """V's encoder of a run's folder."""
    encoder = build_encoder()
    load_into(encoder, folders.v_folder(run, vision) / "encoder.weights.h5")
    return encoder


def load_rnn(run: Path) -> MDNRNN:
    """M of a run's folder, with the sizes that it was trained with."""
    path = run / "rnn" / "rnn.json"
    if not path.exists():
        raise UserError(f"{folders.shown(path)} is missing: run python replication/train_rnn.py")
    try:
        rnn = MDNRNN(Rnn(**files.read_json(path)))
    except (TypeError, ValueError):
        raise UserError(f"{folders.shown(path)} does not describe an M: restore it") from None
    load_into(rnn, run / "rnn" / "rnn.weights.h5")
    return rnn


def load_into(model, path: Path) -> None:
    """model.load_weights, its many errors folded into one line."""
    if not path.exists():
        raise UserError(f"{folders.shown(path)} is missing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras only warns of layers it left out
            model.load_weights(path)
    except (*UNREADABLE, UserWarning) as error:
        said = str(error).partition(". ")[0]
        raise UserError(f"{folders.shown(path)} does not fit {model.name}: {said}") from None


class Agent:
    """A rollouts.Policy: V sees, M remembers, C acts."""

    def __init__(self, weights: Weights, width: int = WIDTH):
        self.encoder, self.rnn = build_encoder(), MDNRNN(weights.rnn_config)
        self.encoder.set_weights(weights.encoder)
        self.rnn.set_weights(weights.rnn)
        self.mode, self.sampled = weights.mode, weights.z == "sample"
        hidden = weights.rnn_config.hidden
        self.flat = np.zeros((width, weights.parameters), np.float32)
        self.h = np.zeros((width, hidden), np.float32)
        self.c = np.zeros((width, hidden), np.float32)
        self.z = np.zeros((width, Z_SIZE), np.float32)  # of the last frame seen
        self.noise = np.zeros((width, Z_SIZE), np.float32)
        self.generators: list[np.random.Generator | None] = [None] * width
        self._step = tf.function(self._traced_step)

    def begin(self, slot: int, task: Task) -> None:
        """h_0 = c_0 = 0; the noise of z, where it is sampled, follows from the seed alone."""
        if self.sampled:
            self.generators[slot] = np.random.default_rng([task.seed, 1])
        self.flat[slot] = task.parameters
        self.h[slot] = self.c[slot] = 0

    def act(self, frames: np.ndarray) -> np.ndarray:
        """frames uint8 (B, 64, 64, 3) -> a_t float32 (B, 3); B is the width, or less."""
        for row, generator in zip(self.noise, self.generators, strict=True):
            if generator is not None:
                generator.standard_normal(dtype=np.float32, out=row)
        rows = len(frames)
        if rows < len(self.h):  # the call has one shape
            frames = np.concatenate([frames, np.zeros((len(self.h) - rows, 64, 64, 3), np.uint8)])
        step = self._step(frames, self.noise, self.flat, self.h, self.c)
        action, self.z, h, c = (tensor.numpy() for tensor in step)
        self.h[:], self.c[:] = h, c
        return action[:rows]

    def _traced_step(self, frames, noise, flat, h, c):
        mu, logvar = self.encoder(to_float(frames))
        z = sample_z(mu, logvar, noise)  # (B, Z)
        action = controller.act(self.mode, flat, z, h, c)  # (B, A)
        action = tf.ensure_shape(action, (None, ACTIONS))
        h, c = self.rnn.step(z, action, h, c)  # h_{t+1}, c_{t+1}
        return action, z, h, c


def one_thread() -> None:
    """TensorFlow on one thread and no GPU: for workers, of which there is one a core.

    Must come before TensorFlow's first operation; once it has started the setting stays.
    """
    try:
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        if tf.config.threading.get_intra_op_parallelism_threads() != 1:
            raise
