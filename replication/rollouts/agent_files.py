"""The files of an agent, in a run's folder or a published one: V, M, C and V's decoder.

FOLDER/config.json             the task, and the V and M that C was evolved on
FOLDER/vae or vaegan/          encoder.weights.h5, decoder.weights.h5
FOLDER/rnn/                    rnn.json (M's sizes), rnn.weights.h5
FOLDER/controller/best.json    C: its mode and its flat vector
"""

import warnings
from pathlib import Path
from typing import get_args, get_type_hints

from replication.config import Config, Controller, Rnn, UserError, agent_before, run_before
from replication.dataset.episodes import UNREADABLE
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts
from replication.runs import files, folders, records
from replication.runs.stages import STAGES
from replication.tasks.games import task_of
from replication.tasks.task import Task
from replication.tf import keras
from replication.vae.vae import build_decoder, build_encoder

import numpy as np

MODES = get_args(get_type_hints(Controller)["mode"])
Z_KINDS = get_args(get_type_hints(Controller)["z"])


def agent_folder(name: str) -> Path:
    """An agent's folder as the user typed it, or as it stands in the repository: absolute."""
    for folder in (Path(name).expanduser(), folders.HOME / name):
        if folder.is_dir():
            return folder.absolute()
    raise UserError(f"agent {name}: no such folder")


def named_agent(config: Config, name: str) -> Path:
    """The folder of an agent that a run's settings name; that of the run before stands beside it.

    So no folder of the same name in the place where a command is typed is taken for it.
    """
    if config.after and name == agent_before(config):
        name = str(folders.run_folder(run_before(config)))
    return agent_folder(name)


def agent_game(folder: Path) -> dict:
    """What config.json says of an agent's game: its "task" and its "frames"; UserError if not."""
    path = folder / "config.json"
    if not path.exists():
        raise UserError(f"{folders.shown(path)} is missing: it names the agent's task")
    game = files.read_json(path).get("run", {})
    if "task" not in game or "frames" not in game:
        raise UserError(f'{folders.shown(path)} names no "task" and "frames" in an entry "run"')
    return game


def agent_task(folder: Path) -> Task:
    """The game that an agent plays."""
    return task_of(agent_game(folder)["task"])


# The whole agent ----------------------------------------------------------------------------


def load_agent(folder: Path, vision: str | None = None) -> tuple[AgentParts, np.ndarray]:
    """V and M, and C's flat vector float32 (P,), of a run or of a published agent.

    Raises UserError for what is missing or does not fit together.
    """
    path = folder / "controller" / "best.json"
    if not path.exists():
        raise UserError(
            f"{folders.shown(path)} is missing: run python replication/train_controller.py"
        )
    best = files.read_json(path, "mode", "z", "parameters")
    for name, known in (("mode", MODES), ("z", Z_KINDS)):
        if best[name] not in known:
            raise UserError(
                f"{folders.shown(path)}: {name} {best[name]!r}: not of {', '.join(known)}"
            )
    parts = load_parts(folder, best["mode"], vision, best["z"])
    parameters = flat_vector(best["parameters"], parts, path)
    if changed := changed_part(folder, parts, recorded_inputs(folder)):
        raise UserError(
            f"{folders.shown(folder / 'controller')} was evolved on another"
            f" {STAGES[changed].folder}/: restore it, or run train_controller.py --overwrite"
        )
    return parts, parameters


def load_driver(folder: Path, config: Config) -> tuple[AgentParts, np.ndarray]:
    """load_agent of --extract.agent's folder; UserError if it plays another game."""
    parts, parameters = load_agent(folder)
    if (parts.task.name, parts.frames) != (config.task, config.frames):
        raise UserError(
            f"--extract.agent {config.extract.agent} plays {parts.task.name} on {parts.frames}"
            f" frames, not {config.task} on {config.frames} ones"
        )
    return parts, parameters


def load_parts(
    folder: Path, mode: str, vision: str | None = None, z: str = "sample", m: Path | None = None
) -> AgentParts:
    """V and M of a run's folder; UserError if they are missing, or of another shape or kind.

    m: the folder of another M.
    """
    rnn, encoder = load_rnn(folder, m), load_encoder(folder, vision)
    if (rnn.config.z, z) == ("mean", "sample"):
        raise UserError(f"M of {folders.shown(folder)} knows V's mean alone: --controller.z mean")
    weights = encoder.get_weights(), rnn.get_weights()
    return AgentParts(rnn.task, *weights, rnn.config, mode, z, agent_game(folder)["frames"])


def load_encoder(folder: Path, vision: str | None = None) -> keras.Model:
    """V's encoder of a run's folder."""
    encoder = build_encoder(agent_task(folder).z_size)
    load_into(encoder, folders.v_folder(folder, vision) / "encoder.weights.h5")
    return encoder


def load_decoder(folder: Path, vision: str | None = None) -> keras.Model:
    """V's decoder of a run's folder."""
    decoder = build_decoder(agent_task(folder).z_size)
    load_into(decoder, folders.v_folder(folder, vision) / "decoder.weights.h5")
    return decoder


def load_rnn(folder: Path, m: Path | None = None) -> MDNRNN:
    """M of a run's folder, with the sizes that it was trained with; m: of another folder."""
    m = m or folders.m_folder(folder)
    path = m / "rnn.json"
    if not path.exists():
        raise UserError(f"{folders.shown(path)} is missing: run python replication/train_rnn.py")
    try:
        rnn = MDNRNN(Rnn(**files.read_json(path)), agent_task(folder))
    except (TypeError, ValueError):
        raise UserError(f"{folders.shown(path)} does not describe an M: restore it") from None
    load_into(rnn, m / "rnn.weights.h5")
    return rnn


def load_into(model: keras.Model, path: Path) -> None:
    """model.load_weights, its many errors folded into one line."""
    if not path.exists():
        raise UserError(f"{folders.shown(path)} is missing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras only warns of layers it left out
            model.load_weights(path)
    except (*UNREADABLE, UserWarning) as error:
        reason = str(error).partition(". ")[0]
        raise UserError(f"{folders.shown(path)} does not fit {model.name}: {reason}") from None


# Which V, M and C belong together -----------------------------------------------------------


def agent_fingerprint(parts: AgentParts, parameters: np.ndarray) -> str:
    """By what a whole agent is known: the weights of its V and its M, and C's vector."""
    return files.fingerprint([*parts.encoder, *parts.rnn, np.float32(parameters)])


def is_of_run(config: Config, parameters: np.ndarray) -> bool:
    """Whether a run's C, as far as it is finished, is still this one: it may be trained on."""
    finished = records.output_of(config, "train_controller")
    return finished in (None, files.controller_fingerprint(parameters))


def flat_vector(values, parts: AgentParts, path: Path) -> np.ndarray:
    """C's flat vector from the values that a file has, float32; UserError if it is none."""
    try:
        flat = np.array(values, np.float32).ravel()
    except (ValueError, TypeError):
        raise UserError(f"{folders.shown(path)}: parameters are not numbers: restore it") from None
    expected = parts.controller.parameter_count
    if len(flat) != expected or not np.isfinite(flat).all():
        raise UserError(
            f"{folders.shown(path)} holds {np.isfinite(flat).sum()} finite parameters;"
            f" mode {parts.mode} on this M takes {expected}"
        )
    return flat


def changed_part(folder: Path, parts: AgentParts, known: dict[str, str]) -> str | None:
    """The stage whose weights, V's or M's, are not those of the output that it is known by."""
    vision = folders.v_folder(folder).name
    ours = {f"train_{vision}": parts.encoder, "train_rnn": parts.rnn, "rounds": parts.rnn}
    for name, weights in ours.items():
        if name in known and known[name] != files.fingerprint(weights):
            return name
    return None


def recorded_inputs(folder: Path) -> dict[str, str]:
    """Stage -> fingerprint of the V and the M that an agent's C was evolved on, where it says."""
    path = folder / "config.json"
    recorded = files.read_json(path).get("train_controller", {}) if path.exists() else {}
    prefix = "input "
    return {k.removeprefix(prefix): v for k, v in recorded.items() if k.startswith(prefix)}
