"""Where C's search starts: its first vector, the shape of its steps, and the searches before it.

The first vector is 0, or the C of another run's agent (--controller.start). On the V and M that the
agent's C was evolved on it is that C; elsewhere it is the linear policy that acts most like it.
In a run with rounds they start there, and the search after them starts from their C.
A search that has begun goes on with what it has recorded: start.json and whitening.npz.
"""

from dataclasses import dataclass, field
from pathlib import Path

from replication.config import Config, UserError
from replication.rollouts.agent import AgentParts
from replication.rollouts.agent_files import flat_vector, load_agent, named_agent
from replication.runs import files, folders
from replication.runs.logs import read_log
from replication.search.history import earlier_searches, read_history, read_rounds
from replication.search.recorded_inputs import inputs_of_c, some_episodes
from replication.search.warm_start import act_like
from replication.search.whitening import (
    Whitening,
    load_whitening,
    save_whitening,
    whitening_of,
)

import numpy as np


@dataclass(frozen=True)
class SearchStart:
    """What a search begins with."""

    parameters: np.ndarray  # C's flat vector (P,), float64
    whitening: Whitening | None = None  # None: steps are made for C's raw inputs
    agent: str | None = None  # whose C it starts from; None: from 0
    fit: dict[str, float] | None = None  # by action: how much of that agent's outputs is explained
    log: list[dict] = field(default_factory=list)  # of the searches that led to that agent
    rounds: list[dict] = field(default_factory=list)  # of dreaming and driving that did

    def save(self, folder: Path) -> None:
        """Write start.json and whitening.npz into the search's folder, where they are missing."""
        if self.agent and not (folder / "start.json").exists():
            facts = {"agent": self.agent, "parameters": self.parameters.tolist()}
            facts |= {"fit": self.fit, "log": self.log, "rounds": self.rounds}
            files.write_json(folder / "start.json", facts)
        if self.whitening and not (folder / "whitening.npz").exists():
            save_whitening(self.whitening, folder / "whitening.npz")


def read_search_start(config: Config, parts: AgentParts) -> SearchStart:
    """The start of a run's search: as it has recorded it, or anew.

    parts: the run's V and M. Raises UserError if there is no such agent, or none that can be acted
    like; for whitened steps of a C that is not linear; or if what was recorded is gone or spoilt.
    """
    whitening = _read_whitening(config, parts)
    if config.rounds.count:
        before = earlier_searches(folders.stage_folder(config, "train_controller"))
        return SearchStart(_c_of_rounds(config, parts), whitening, log=before)
    return _first_c(config, parts, "train_controller", whitening)


def read_rounds_start(config: Config, parts: AgentParts) -> SearchStart:
    """The start of a run's rounds: as they have recorded it, or anew.

    parts: the run's V, and M before the rounds. Raises as read_search_start does.
    """
    return _first_c(config, parts, "rounds", None)


def _first_c(
    config: Config, parts: AgentParts, stage: str, whitening: Whitening | None
) -> SearchStart:
    """The C that a stage begins with: 0, the one it has recorded, or an agent's."""
    if config.controller.start == "zero":
        return SearchStart(np.zeros(parts.controller.parameter_count), whitening)
    if path := _recorded(config, stage, "start.json"):
        start = files.read_json(path, "agent", "parameters", "fit", "log")
        parameters = flat_vector(start["parameters"], parts, path).astype(np.float64)
        before = start["log"], start.get("rounds", [])
        return SearchStart(parameters, whitening, start["agent"], start["fit"], *before)
    return _start_from_agent(config, parts, whitening)


def _recorded(config: Config, stage: str, name: str) -> Path | None:
    """The file that a search has recorded, if it has begun; UserError if it is gone."""
    path = folders.stage_folder(config, stage) / name
    if config.overwrite:
        return None
    if not path.exists() and read_log(path.with_name("log.jsonl")):
        raise UserError(f"{folders.shown(path)} is missing: restore it, or --overwrite")
    return path if path.exists() else None


def _c_of_rounds(config: Config, parts: AgentParts) -> np.ndarray:
    """The C with which the rounds ended, on the M with which they did."""
    path, ours = folders.stage_folder(config, "rounds") / "controller.json", config.controller
    found = files.read_json(path, "mode", "z", "parameters")
    if (found["mode"], found["z"]) != (ours.mode, ours.z):
        raise UserError(
            f"--controller.mode {ours.mode}, --controller.z {ours.z}: C of the rounds has"
            f" {found['mode']} and {found['z']}"
        )
    return flat_vector(found["parameters"], parts, path).astype(np.float64)


def _start_from_agent(
    config: Config, parts: AgentParts, whitening: Whitening | None
) -> SearchStart:
    name = config.controller.start
    folder = named_agent(config, name)
    if folder.samefile(folders.run_folder(config.run)):
        raise UserError(f"--controller.start {name}: must be of another run")
    agent, parameters = load_agent(folder)
    if (agent.task, agent.frames) != (parts.task, parts.frames):
        raise UserError(
            f"--controller.start {name}: plays {agent.task.name} on {agent.frames} frames"
        )
    fit = None
    if not _same_models(agent, parts) or agent.mode != config.controller.mode:
        parameters, fit = act_like(agent, parameters, parts, config)
    log = [
        {key: value for key, value in line.items() if key != "returns"}
        for line in read_history(folder / "controller")
    ]
    before = log, read_rounds(folder)
    return SearchStart(parameters.astype(np.float64), whitening, name, fit, *before)


def _same_models(agent: AgentParts, ours: AgentParts) -> bool:
    weights = [*agent.encoder, *agent.rnn], [*ours.encoder, *ours.rnn]
    return len(weights[0]) == len(weights[1]) and all(map(np.array_equal, *weights))


def _read_whitening(config: Config, parts: AgentParts) -> Whitening | None:
    if config.controller.inputs == "raw":
        return None
    if config.controller.mode == "z_hidden":
        raise UserError("--controller.inputs whitened: mode z_hidden is not linear; give raw")
    if path := _recorded(config, "train_controller", "whitening.npz"):
        return load_whitening(path, parts.controller.input_size, parts.task)
    inputs = inputs_of_c(parts, some_episodes(config))
    return whitening_of(np.concatenate(inputs), parts.task)
