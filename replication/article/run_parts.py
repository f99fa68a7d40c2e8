"""What a run has for its page, and a line for each thing that it lacks."""

from pathlib import Path
from typing import NamedTuple

from replication.article import recordings
from replication.article.recordings import Recording
from replication.config import Config, Dream
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts
from replication.rollouts.agent_files import load_agent, load_decoder, load_encoder, load_rnn
from replication.runs import folders, records
from replication.tasks.games import task_of
from replication.tasks.task import Task
from replication.tf import keras

import numpy as np


class RunParts(NamedTuple):
    """V, M, C and recordings; None or empty where the run has none."""

    task: Task
    dream: Dream  # how the run's dreams go
    encoder: keras.Model | None
    decoder: keras.Model | None
    rnn: MDNRNN | None
    agent: tuple[AgentParts, np.ndarray] | None  # with C's flat vector
    recordings: list[Recording]
    missing: dict[str, str]  # "V", "M", "C" or "frames" -> what to do


def read_parts(config: Config, vision: str | None = None) -> RunParts:
    """Load what is there. UserError for what is there and damaged, or does not fit together."""
    run = folders.run_folder(config.run)
    missing = missing_files(config, folders.v_folder(run, vision))
    has_v, has_m, has_c = (name not in missing for name in "VMC")
    encoder = load_encoder(run, vision) if has_v else None
    agent = load_agent(run, vision) if has_v and has_m and has_c else None
    found: list[Recording] = []
    if agent:
        found = recordings.drives(*agent, encoder)
    elif has_v and "frames" not in missing:
        found = recordings.rollouts(config, encoder)
    return RunParts(
        task=task_of(config.task),
        dream=config.dream,
        encoder=encoder,
        decoder=load_decoder(run, vision) if has_v else None,
        rnn=load_rnn(run) if has_m else None,
        agent=agent,
        recordings=found,
        missing={name: line for name, line in missing.items() if name != "frames" or not agent},
    )


def missing_files(config: Config, v_folder: Path) -> dict[str, str]:
    """For each of V, M, C and recorded frames that is not there: what is missing, and a command."""
    run, record = folders.run_folder(config.run), folders.record_folder(config)
    files = {
        "V": (f"train_{v_folder.name}", [v_folder / f"{name}.weights.h5" for name in V_FILES]),
        "M": ("train_rnn", [folders.m_folder(run) / name for name in M_FILES]),
        "C": ("train_controller", [run / "controller" / "best.json"]),
        "frames": ("extract", [] if any(record.glob("[!.]*.npz")) else [record]),
    }
    return {
        name: f"{folders.shown(absent[0])} is missing: run python replication/"
        + records.command(config, stage)
        for name, (stage, paths) in files.items()
        if (absent := [path for path in paths if path == record or not path.exists()])
    }


V_FILES = ("encoder", "decoder")
M_FILES = ("rnn.json", "rnn.weights.h5")
