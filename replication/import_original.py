"""Turn an original's published agent into a run: its V, M and C, to evaluate, dream and draw.

    python replication/import_original.py ~/WorldModelsExperiments/carracing --run original
    mpirun -n 3 python replication/evaluate.py --run original

FOLDER is your own copy of `carracing/` or `doomrnn/` of github.com/hardmaru/WorldModelsExperiments.
The script reads vae/vae.json, rnn/rnn.json and log/*.cma.16.64.best.json there, and doomrnn's
initial_z/initial_z.json. It writes checkpoints/RUN/: vae/, rnn/, controller/ and config.json. The
car's dreams start from recorded frames, Doom's from its initial z, which becomes data/RUN/series/:
see docs/original-agent.md.
"""

import dataclasses
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

from replication import training
from replication.config import Config, UserError, check
from replication.controller.controller import LinearPolicy
from replication.dataset.series import write_starts
from replication.presets import PRESETS
from replication.rnn.rnn import MDNRNN
from replication.rollouts.original_files import read_controller, read_starts, set_rnn, set_vae
from replication.runs import files, folders, records
from replication.runs.command_line import parse_dataclass
from replication.runs.script import run_script
from replication.runs.stages import STAGES, check_names
from replication.tasks.games import task_of
from replication.tf import keras
from replication.vae.vae import build_decoder, build_encoder

import numpy as np
import tyro

STARTS_FILE = "initial_z/initial_z.json"


class Published(NamedTuple):
    """An agent that was published."""

    c_file: str
    preset: str  # whose sizes and game it has
    generation: int  # of its search, at which the log has this C as the best


CAR = Published("log/carracing.cma.16.64.best.json", "paper", 1800)
DOOM = Published("log/doomrnn.cma.16.64.best.json", "doom", 1575)


@dataclass(frozen=True)
class Options:
    """Import an agent that the original published."""

    folder: Annotated[str, tyro.conf.Positional]  # Your copy of its carracing/ or doomrnn/.
    run: str = "original"  # Name of the run to make: checkpoints/RUN.
    overwrite: bool = False  # Replace a run of that name, with all that was made of it.


class OriginalAgent(NamedTuple):
    """The original's agent, as this package's networks."""

    encoder: keras.Model
    decoder: keras.Model
    rnn: MDNRNN
    parameters: np.ndarray  # C's flat vector, float32 (P,)
    score: float  # what its authors logged for that C
    starts: tuple[np.ndarray, np.ndarray] | None  # mu, logvar (N, Z) that dreams start from


def parse_options(argv: list[str]) -> Options:
    """`FOLDER [--run NAME] [--overwrite]`; UserError for what cannot be read."""
    if not argv:
        raise UserError(
            "give the folder of the original's carracing/ or doomrnn/; --help says more"
        )
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


def published_in(source: Path) -> Published:
    """Whose folder it is: Doom's if its C is there. UserError if there is no such folder."""
    if not source.is_dir():
        raise UserError(f"{source}: no such folder; the original's carracing/ was expected")
    return DOOM if (source / DOOM.c_file).exists() else CAR


def read_agent(config: Config, source: Path, published: Published) -> OriginalAgent:
    """The original's V, M and C; UserError names the first file that is missing or unfit."""
    task, mode = task_of(config.task), config.controller.mode
    encoder, decoder = build_encoder(task.z_size), build_decoder(task.z_size)
    rnn, controller = MDNRNN(config.rnn, task), LinearPolicy(mode, task, config.rnn.hidden)
    parameters, score = read_controller(controller, source / published.c_file)
    set_rnn(rnn, source / "rnn" / "rnn.json")
    set_vae(encoder, decoder, source / "vae" / "vae.json")
    starts = read_starts(task.z_size, source / STARTS_FILE) if published is DOOM else None
    return OriginalAgent(encoder, decoder, rnn, parameters, score, starts)


def clear(folder: Path) -> None:
    """Throw away the run that stood here: first the file without which it is no run."""
    (folder / "config.json").unlink(missing_ok=True)
    for stage in STAGES.values():
        shutil.rmtree(folder / stage.folder, ignore_errors=True)


def write_agent(config: Config, agent: OriginalAgent, published: Published, folder: Path) -> None:
    """V, M and C as the stages of this package leave them."""
    for name in ("vae", "rnn", "controller"):
        (folder / name).mkdir()
    training.save_weights(agent.encoder, folder / "vae" / "encoder.weights.h5")
    training.save_weights(agent.decoder, folder / "vae" / "decoder.weights.h5")
    training.save_weights(agent.rnn, folder / "rnn" / "rnn.weights.h5")
    files.write_json(folder / "rnn" / "rnn.json", dataclasses.asdict(config.rnn))
    best = {"generation": published.generation, "mode": config.controller.mode, "z": "sample"}
    best |= {"eval_mean": agent.score, "parameters": agent.parameters.tolist()}
    files.write_json(folder / "controller" / "best.json", best)


def write_records(config: Config, agent: OriginalAgent) -> None:
    """What later stages ask of a run: its game, and the fingerprints of its V, M and C."""
    vae = files.fingerprint(agent.encoder.get_weights())
    outputs = {"train_vae": vae}
    if agent.starts:
        mu, logvar = agent.starts
        folder = folders.series_folder(config)
        folder.mkdir(parents=True, exist_ok=True)
        write_starts(mu, logvar, task_of(config.task), folder)
        files.write_json(folder / "series.json", {"vae": vae, "episodes": len(mu)})
        outputs["series"] = files.fingerprint([mu, logvar])
    outputs["train_rnn"] = files.fingerprint(agent.rnn.get_weights())
    outputs["train_controller"] = files.controller_fingerprint(agent.parameters)
    for name, output in outputs.items():
        records.finish(config, name, output, "the original's, imported", 0.0, processes=0)
    for name in outputs:  # last: a folder without config.json is no run
        records.record_config(config, name)


def main(options: Options) -> None:
    source = Path(options.folder).expanduser()
    published = published_in(source)
    config = dataclasses.replace(
        PRESETS[published.preset], run=options.run, frames="stretched", data=""
    )
    check_names(config)
    folder = folders.run_folder(options.run)
    check_free(folder, options.overwrite)
    agent = read_agent(config, source, published)
    folder.mkdir(parents=True, exist_ok=True)
    with folders.lock(folder):
        clear(folder)
        write_agent(config, agent, published, folder)
        write_records(config, agent)
    print(f"imported into {folders.shown(folder)}; its authors logged {agent.score:.1f} for it")


if __name__ == "__main__":
    run_script(lambda: main(parse_options(sys.argv[1:])))
