"""Turn the original's published agent into a run: its V, M and C, to evaluate, dream and draw.

    python replication/import_original.py ~/WorldModelsExperiments/carracing --run original
    mpirun -n 3 python replication/evaluate.py --run original

FOLDER is your own copy of `carracing/` of github.com/hardmaru/WorldModelsExperiments. Of it are
read vae/vae.json, rnn/rnn.json and log/carracing.cma.16.64.best.json. Writes checkpoints/RUN/:
vae/, rnn/, controller/ and config.json. To dream, or to draw figure 3, record a few episodes of the
agent and encode them first:

    python replication/extract.py paper --run original --extract.policy agent
        --extract.agent checkpoints/original --extract.episodes 20
    python replication/series.py paper --run original --extract.policy agent
        --extract.agent checkpoints/original --extract.episodes 20
"""

import dataclasses
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from replication import training
from replication.config import PRESETS, Config, UserError, check, parse_dataclass
from replication.controller.controller import LinearPolicy
from replication.rnn.rnn import MDNRNN
from replication.rollouts.original_files import read_controller, set_rnn, set_vae
from replication.runs import files, folders, records
from replication.runs.script import run_script
from replication.tasks.games import task_of
from replication.vae.vae import build_decoder, build_encoder

import tyro

C_FILE = "log/carracing.cma.16.64.best.json"
GENERATIONS = 1800  # of the original's search, at which this C is the best (its own log)


@dataclass(frozen=True)
class Options:
    """Import the original's published agent."""

    folder: Annotated[str, tyro.conf.Positional]  # Your copy of the original's carracing/.
    run: str = "original"  # Name of the run to make: checkpoints/RUN.
    overwrite: bool = False  # Replace a run of that name.


def parse_options(argv: list[str]) -> Options:
    if not argv:
        raise UserError("give the folder of the original's carracing/; --help says more")
    options = parse_dataclass(Options, Options(folder=""), argv, __doc__)
    check(Config(run=options.run))
    if not Path(options.folder).expanduser().is_dir():
        raise UserError(f"{options.folder}: no such folder")
    return options


def write_agent(config: Config, source: Path, folder: Path) -> float:
    """Read everything, then write V, M and C with their records; returns C's logged score."""
    task = task_of(config.task)
    encoder, decoder = build_encoder(task.z_size), build_decoder(task.z_size)
    rnn, controller = MDNRNN(config.rnn, task), LinearPolicy("z_h", task, config.rnn.hidden)
    set_vae(encoder, decoder, source / "vae" / "vae.json")
    set_rnn(rnn, source / "rnn" / "rnn.json")
    flat, score = read_controller(controller, source / C_FILE)

    shutil.rmtree(folder, ignore_errors=True)
    for name in ("vae", "rnn", "controller"):
        (folder / name).mkdir(parents=True)
    training.save_weights(encoder, folder / "vae" / "encoder.weights.h5")
    training.save_weights(decoder, folder / "vae" / "decoder.weights.h5")
    training.save_weights(rnn, folder / "rnn" / "rnn.weights.h5")
    files.write_json(folder / "rnn" / "rnn.json", dataclasses.asdict(config.rnn))
    facts = {"generation": GENERATIONS, "mode": "z_h", "z": "sample", "eval_mean": score}
    files.write_json(folder / "controller" / "best.json", facts | {"parameters": flat.tolist()})
    write_records(config, encoder, rnn, flat)
    return score


def write_records(config: Config, encoder, rnn: MDNRNN, flat) -> None:
    """What later stages ask of a run: its game, and the fingerprints of its V, M and C."""
    outputs = {
        "train_vae": files.fingerprint(encoder.get_weights()),
        "train_rnn": files.fingerprint(rnn.get_weights()),
        "train_controller": files.controller_fingerprint(flat),
    }
    for name, output in outputs.items():
        records.finish(config, name, output, "the original's, imported", 0.0, processes=0)
    for name in outputs:  # last: without config.json a folder is no agent's
        records.record_config(config, name)


def main(options: Options) -> None:
    config = dataclasses.replace(
        PRESETS["paper"], run=options.run, task="car_racing_v0", frames="stretched"
    )
    folder = folders.run_folder(options.run)
    if (folder / "config.json").exists() and not options.overwrite:
        raise UserError(f"{folders.shown(folder)} is there already: another --run, or --overwrite")
    score = write_agent(config, Path(options.folder).expanduser(), folder)
    print(f"imported into {folders.shown(folder)}; its C's own log has {score:.1f}")


if __name__ == "__main__":
    run_script(lambda: main(parse_options(sys.argv[1:])))
