"""Turn the original's published agent into a run: its V, M and C, to evaluate, dream and draw.

    python replication/import_original.py ~/WorldModelsExperiments/carracing --run original
    mpirun -n 3 python replication/evaluate.py --run original

FOLDER is your own copy of `carracing/` of github.com/hardmaru/WorldModelsExperiments. The script
reads vae/vae.json, rnn/rnn.json and log/carracing.cma.16.64.best.json there. It writes
checkpoints/RUN/: vae/, rnn/, controller/ and config.json. Dreams start from recorded frames: see
docs/original-agent.md.
"""

import dataclasses
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

from replication import training
from replication.command_line import parse_dataclass
from replication.config import PRESETS, Config, UserError, check
from replication.controller.controller import LinearPolicy
from replication.rnn.rnn import MDNRNN
from replication.rollouts.original_files import read_controller, set_rnn, set_vae
from replication.runs import files, folders, records
from replication.runs.script import run_script
from replication.runs.stages import STAGES, check_names
from replication.tasks.games import task_of
from replication.tf import keras
from replication.vae.vae import build_decoder, build_encoder

import numpy as np
import tyro

C_FILE = "log/carracing.cma.16.64.best.json"
GENERATIONS = 1800  # of the original's search; its log has this C as the best at that one


@dataclass(frozen=True)
class Options:
    """Import the original's published agent."""

    folder: Annotated[str, tyro.conf.Positional]  # Your copy of the original's carracing/.
    run: str = "original"  # Name of the run to make: checkpoints/RUN.
    overwrite: bool = False  # Replace a run of that name, with all that was made of it.


class OriginalAgent(NamedTuple):
    """The original's agent, as this package's networks."""

    encoder: keras.Model
    decoder: keras.Model
    rnn: MDNRNN
    parameters: np.ndarray  # C's flat vector, float32 (867,)
    score: float  # what its authors logged for that C


def parse_options(argv: list[str]) -> Options:
    """`FOLDER [--run NAME] [--overwrite]`; UserError for what cannot be read."""
    if not argv:
        raise UserError("give the folder of the original's carracing/; --help says more")
    options = parse_dataclass(Options, Options(folder=""), argv, __doc__)
    check(Config(run=options.run))
    return options


def check_free(folder: Path, overwrite: bool) -> None:
    """Raise UserError if something stands where the run is to be."""
    if any(folder.glob("*/config.json")):
        raise UserError(f"{folders.shown(folder)} holds other runs: give another --run")
    places = ("config.json", *(stage.folder for stage in STAGES.values()))
    if not overwrite and any((folder / place).exists() for place in places):
        raise UserError(f"{folders.shown(folder)} is there already: another --run, or --overwrite")


def read_agent(config: Config, source: Path) -> OriginalAgent:
    """The original's V, M and C; UserError names the first file that is missing or unfit."""
    if not source.is_dir():
        raise UserError(f"{source}: no such folder; the original's carracing/ was expected")
    task = task_of(config.task)
    encoder, decoder = build_encoder(task.z_size), build_decoder(task.z_size)
    rnn, controller = MDNRNN(config.rnn, task), LinearPolicy("z_h", task, config.rnn.hidden)
    parameters, score = read_controller(controller, source / C_FILE)
    set_rnn(rnn, source / "rnn" / "rnn.json")
    set_vae(encoder, decoder, source / "vae" / "vae.json")
    return OriginalAgent(encoder, decoder, rnn, parameters, score)


def clear(folder: Path) -> None:
    """Throw away the run that stood here: first the file without which it is no run."""
    (folder / "config.json").unlink(missing_ok=True)
    for stage in STAGES.values():
        shutil.rmtree(folder / stage.folder, ignore_errors=True)


def write_agent(config: Config, agent: OriginalAgent, folder: Path) -> None:
    """V, M and C as the stages of this package leave them."""
    for name in ("vae", "rnn", "controller"):
        (folder / name).mkdir()
    training.save_weights(agent.encoder, folder / "vae" / "encoder.weights.h5")
    training.save_weights(agent.decoder, folder / "vae" / "decoder.weights.h5")
    training.save_weights(agent.rnn, folder / "rnn" / "rnn.weights.h5")
    files.write_json(folder / "rnn" / "rnn.json", dataclasses.asdict(config.rnn))
    best = {"generation": GENERATIONS, "mode": "z_h", "z": "sample", "eval_mean": agent.score}
    best |= {"parameters": agent.parameters.tolist()}
    files.write_json(folder / "controller" / "best.json", best)


def write_records(config: Config, agent: OriginalAgent) -> None:
    """What later stages ask of a run: its game, and the fingerprints of its V, M and C."""
    outputs = {
        "train_vae": files.fingerprint(agent.encoder.get_weights()),
        "train_rnn": files.fingerprint(agent.rnn.get_weights()),
        "train_controller": files.controller_fingerprint(agent.parameters),
    }
    for name, output in outputs.items():
        records.finish(config, name, output, "the original's, imported", 0.0, processes=0)
    for name in outputs:  # last: a folder without config.json is no run
        records.record_config(config, name)


def main(options: Options) -> None:
    config = dataclasses.replace(PRESETS["paper"], run=options.run, frames="stretched")
    check_names(config)
    folder = folders.run_folder(options.run)
    check_free(folder, options.overwrite)
    agent = read_agent(config, Path(options.folder).expanduser())
    folder.mkdir(parents=True, exist_ok=True)
    with folders.lock(folder):
        clear(folder)
        write_agent(config, agent, folder)
        write_records(config, agent)
    print(f"imported into {folders.shown(folder)}; its authors logged {agent.score:.1f} for it")


if __name__ == "__main__":
    run_script(lambda: main(parse_options(sys.argv[1:])))
