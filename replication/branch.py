"""Another search on the V and M of a run: a new run that shares them, as for another temperature.

    python replication/branch.py doom doom-cold
    mpirun -n 3 python replication/train_controller.py doom --run doom-cold --data doom
        --dream.temperature 0.5

Copies V, M and what dreams start from into checkpoints/NAME and data/NAME: the first frames of the
series, or all of it where the run's dreams start from recorded frames. The paper's table of
temperatures is made so.
"""

import dataclasses
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from replication.config import Config, UserError, check
from replication.dataset.series import first_frames, load_series, write_starts
from replication.runs import files, folders, records
from replication.runs.command_line import parse_dataclass
from replication.runs.script import run_script
from replication.runs.stages import models_of
from replication.tasks.games import task_of

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


def copy_models(config: Config, new: Config) -> list[str]:
    """Copy V's and M's folders; returns the names of their stages."""
    names = list(dict.fromkeys((*models_of(config), "train_rnn")))  # rounds' M has both
    for name in names:
        target = folders.stage_folder(new, name)
        shutil.copytree(folders.stage_folder(config, name), target, ignore=LEFT)
    return names


def copy_starts(config: Config, new: Config) -> None:
    """The series that dreams start from, with the records by which the first run knows its own."""
    series, folder = load_series(config), folders.series_folder(new)
    if config.dream.starts == "recorded":
        shutil.copytree(folders.series_folder(config), folder, ignore=LEFT)
        return
    folder.mkdir(parents=True)
    write_starts(*first_frames(series), task_of(config.task), folder)
    for name in ("series.json", "done.json"):
        shutil.copy(folders.series_folder(config) / name, folder / name)


def main(options: Options) -> None:
    config = records.load_config(options.source)
    new = dataclasses.replace(config, run=options.run, data=config.rollouts)
    folder = folders.run_folder(new.run)
    for place in (folder, folders.series_folder(new)):
        if place.exists():
            raise UserError(f"{folders.shown(place)} is there already: another name")
    records.check_inputs(config, "train_controller")
    folder.mkdir(parents=True)
    copy_starts(config, new)
    copied = copy_models(config, new)
    recorded = files.read_json(folders.run_folder(config.run) / "config.json")
    kept = {name: recorded[name] for name in (*copied, "series") if name in recorded}
    run = recorded["run"] | {"data": new.rollouts}
    files.write_json(folder / "config.json", kept | {"run": run})  # last: what makes it a run
    print(f"branch: {folders.shown(folder)} has the V and the M of {options.source}")


if __name__ == "__main__":
    run_script(lambda: main(parse_options(sys.argv[1:])))
