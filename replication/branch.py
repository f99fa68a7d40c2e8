"""Another search on the V and M of a run: a new run that has them, as for another temperature.

    python replication/branch.py doom doom-cold
    mpirun -n 3 python replication/train_controller.py doom --run doom-cold --data doom
        --dream.temperature 0.5

Writes V and M into checkpoints/NAME, and the series, which dreams start from, into data/NAME. M is
the one that the run's C sees: after rounds, theirs. The new run has no rounds (--rounds.count 0
with a preset that has some), and its C starts where --controller.start says, 0 by default. The
paper's table of temperatures is made so.
"""

import dataclasses
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from replication.config import Config, UserError, check
from replication.dataset.series import load_series
from replication.runs import files, folders, records
from replication.runs.command_line import parse_dataclass
from replication.runs.script import run_script
from replication.runs.stages import models_of

import tyro

LEFT = shutil.ignore_patterns("state.npz", ".*")  # what only more training needs


@dataclass(frozen=True)
class Options:
    """A new run on another's V and M."""

    source: Annotated[str, tyro.conf.Positional] = ""  # Name of the run that has them.
    run: Annotated[str, tyro.conf.Positional] = ""  # Name of the new run.


def parse_options(argv: Sequence[str]) -> Options:
    options = parse_dataclass(Options, Options(), argv, __doc__.partition("\n")[0])
    if not options.source or not options.run:
        raise UserError("give the name of a run, and the name of the new one")
    check(Config(run=options.source))
    check(Config(run=options.run))
    return options


def link(source: str, target: str) -> None:
    """A second name of a file that nobody writes into; a copy where there can be none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def copy_models(config: Config, new: Config) -> None:
    """V's folder, and M's: logs among them, into which more training writes."""
    v, m = models_of(config)[0], folders.m_folder(folders.run_folder(config.run))
    shutil.copytree(folders.stage_folder(config, v), folders.stage_folder(new, v), ignore=LEFT)
    shutil.copytree(m, folders.stage_folder(new, "train_rnn"), ignore=LEFT)


def copy_series(config: Config, new: Config) -> None:
    load_series(config)  # they are there, and of this V
    source, target = folders.series_folder(config), folders.series_folder(new)
    shutil.copytree(source, target, ignore=LEFT, copy_function=link)


def record(config: Config, new: Config) -> None:
    """Write what makes the folders a run, the last file last: where V, series and M are from."""
    vision, maker = models_of(config)
    m = files.read_json(folders.stage_folder(config, maker) / "done.json", *records.RECORD)
    facts = {key: m[key] for key in ("output", "reached", "seconds")}
    records.finish(new, "train_rnn", **facts, processes=m.get("processes", 1))
    recorded = files.read_json(folders.run_folder(config.run) / "config.json")
    kept = {name: recorded[name] for name in (vision, "series", "train_rnn") if name in recorded}
    whole = {"rounds": {"rounds.count": 0}, "run": recorded["run"] | {"data": new.rollouts}}
    files.write_json(folders.run_folder(new.run) / "config.json", kept | whole)


def main(options: Options) -> None:
    config = records.load_config(options.source)
    no_rounds = dataclasses.replace(config.rounds, count=0)
    new = dataclasses.replace(config, run=options.run, data=config.rollouts, rounds=no_rounds)
    folder = folders.run_folder(new.run)
    for place in (folder, folders.series_folder(new)):
        if place.exists():
            raise UserError(f"{folders.shown(place)} is there already: another name")
    records.check_inputs(config, "train_controller")
    copy_series(config, new)
    copy_models(config, new)
    record(config, new)
    print(f"branch: {folders.shown(folder)} has the V and the M of {options.source}")


if __name__ == "__main__":
    run_script(lambda: main(parse_options(sys.argv[1:])))
