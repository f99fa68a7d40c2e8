"""What a run has saved, read without any model: for figures, also while stages still run."""

import contextlib
import csv
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from replication.config import PRESETS, VISIONS, Config, UserError, default_run
from replication.dataset.episodes import UNREADABLE
from replication.report import plots
from replication.runs import files, folders, records, stages
from replication.runs.logs import read_log
from replication.runs.stages import V, stages_of, visions_in
from replication.search.history import read_history

import numpy as np

STAGES = [name for name in stages.STAGES if name != "figures"]


@dataclass(frozen=True)
class Run:
    """What a run has saved; what it has not is empty."""

    config: Config  # with the run's own name and set of rollouts
    settings: dict  # its recorded configuration, flat: {"vae.epochs": 9, ...}
    versions: dict[str, str]
    records: dict[str, dict]  # done.json of each finished stage
    logs: dict[str, list[dict]]  # log.jsonl of each stage that has one; C's with what led to it
    earlier: int  # generations of C's log that belong to the agents that it started from
    samples: dict[str, np.ndarray]  # frames beside their reconstructions
    traversal: dict[str, np.ndarray]  # frames of single dimensions of z
    rollout: dict[str, np.ndarray]  # frames of a rollout, reconstructed and dreamt
    events: dict[str, np.ndarray]  # the mixture's weights, and what happens meanwhile
    tests: list[dict]  # whether a component goes with an event
    evaluation: dict  # the one with the most episodes, and its "path"

    @property
    def name(self) -> str:
        return self.config.run

    @property
    def stages(self) -> list[str]:
        """The stages that make this run, its own kind of V among them; figures are none."""
        return [name for name in stages_of(self.config) if name in STAGES]

    def stage_of(self, stage: str) -> str:
        """V: the one of the two stages that makes this run's V; any other: itself."""
        return f"train_{self.config.vision}" if stage == V else stage

    def command(self, stage: str) -> str:
        """The command line that makes a stage of this run."""
        if stage == "evaluate":  # it takes any agent's folder
            return f"python replication/evaluate.py --agent checkpoints/{self.name}"
        if stage == "dream":
            return f"python replication/dream.py --run {self.name}"
        return f"python replication/{records.command(self.config, stage)}"

    def commands(self, stage: str) -> list[str]:
        """The command lines that make a stage's figures; another kind of V is another run's."""
        other = stage.removeprefix("train_")
        if other not in VISIONS or other == self.config.vision:
            return [self.command(stage)]
        preset = self.config.preset
        flag = "" if other == VISIONS[0] else f" --vision {other}"
        beside = f"{self.command('figures')} --compare {default_run(preset, other)}"
        return [f"bash run_all.sh {preset}{flag}", beside]

    def spent(self, stage: str) -> tuple[float, float] | None:
        """Seconds, and processes on average, of a stage that is finished or under way."""
        record, log = self.records.get(stage), self.logs.get(stage)
        if log and "processes" in log[-1]:
            seconds = log[-1]["seconds"]
            return seconds, round(plots.core_hours(log)[-1] * 3600 / seconds, 2)
        if record:
            return record["seconds"], record.get("processes", 1)
        return (log[-1]["seconds"], 1) if log else None


def read_run(config: Config) -> Run:
    """Everything that figures need of a run; UserError if there is no such run."""
    folder = folders.run_folder(config.run)
    # Other runs may stand in a folder of this name: it is one only with a stage's folder.
    if not any((folder / stage.folder).is_dir() for stage in stages.STAGES.values()):
        first = records.command(config, "extract")
        raise UserError(f"{folders.shown(folder)} is missing: run python replication/{first} first")
    recorded = _json(folder / "config.json")
    v = folders.v_folder(folder)
    vision = v.name if visions_in(folder) else config.vision
    data = recorded.get(f"train_{vision}", {}).get("data", config.rollouts)
    preset = preset_of(config.run, vision)
    data = "" if data == config.run else data
    config = dataclasses.replace(config, preset=preset or config.preset, vision=vision, data=data)
    recorded = _json(folders.record_folder(config).parent / "config.json") | recorded
    places = {name: folders.stage_folder(config, name) for name in STAGES}
    finished = _fresh({name: _json(path / "done.json") for name, path in places.items()})
    # config.json has the stages that can be resumed; the others' settings stand in their done.json
    sections = [recorded.get(name) or finished[name].get("identity", {}) for name in places]
    # Of the rollouts it counts how they were made, not how the stages that read them were called.
    made = {k: v for k, v in recorded.get("extract", {}).items() if k.startswith("extract.")}
    logs = {name: read_log(path / "log.jsonl") for name, path in places.items()}
    history = read_history(places["train_controller"])
    return Run(
        config=config,
        settings={key: value for section in sections for key, value in section.items()} | made,
        versions=_json(folder / "versions.json"),
        records=finished,
        logs=logs | {"train_controller": history},
        earlier=len(history) - len(logs["train_controller"]),
        samples=_arrays(v / "samples.npz"),
        traversal=_arrays(v / "traversal.npz"),
        rollout=_arrays(folder / "dream" / "rollout.npz"),
        events=_arrays(folder / "events" / "events.npz"),
        tests=_table(folder / "events" / "tests.csv"),
        evaluation=_evaluation(folder / "evaluation", _c_of(places["train_controller"])),
    )


def _fresh(records: dict[str, dict]) -> dict[str, dict]:
    """Without the records of what was done with a C that has since been trained on."""
    key, now = "input train_controller", records["train_controller"].get("output")
    return {
        name: {} if record.get("identity", {}).get(key) not in (None, now) else record
        for name, record in records.items()
    }


def preset_of(run: str, vision: str) -> str | None:
    """The preset that a run's name, or the folder that it stands in, says that it is of."""
    named = (
        name for name in PRESETS if run == default_run(name, vision) or run.startswith(f"{name}/")
    )
    return next(named, None)


def logs_of(overlaid: list[Run], stage: str) -> plots.Logs:
    """The logs of a stage (V: of the one that made a run's V); nothing if no run has one."""
    logs = {run.name: run.logs[run.stage_of(stage)] for run in overlaid}
    return logs if any(logs.values()) else {}


def _json(path: Path) -> dict:
    return files.read_json(path) if path.exists() else {}


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        return {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except UNREADABLE:
        raise UserError(f"{folders.shown(path)} cannot be read: delete it, or restore it") from None


def _table(path: Path) -> list[dict]:
    return read_table(path) if path.exists() else []


def _c_of(folder: Path) -> str | None:
    """The fingerprint of the C that a controller/ holds; None where it holds none."""
    path = folder / "best.json"
    return (
        files.controller_fingerprint(files.read_json(path, "parameters")["parameters"])
        if path.exists()
        else None
    )


def _evaluation(folder: Path, c: str | None) -> dict:
    """The one of most tracks, of those that say that they are of this C."""
    paths = sorted(folder.glob("[!.]*.json"))
    found = [files.read_json(path) | {"path": folders.shown(path)} for path in paths]
    found = [each for each in found if each.get("returns")]  # not done.json
    found = [each for each in found if c is None or each.get("controller", c) == c]
    return max(found, key=lambda evaluation: evaluation["episodes"], default={})


def read_table(path: Path) -> list[dict]:
    """The rows of a reference table; numbers as numbers, empty cells as None."""
    with open(path, newline="") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def write_table(path: Path, rows: list[dict]) -> None:
    """Write rows of equal keys as read_table reads them."""
    with files.replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _value(text: str) -> int | float | str | None:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text or None


def columns(rows: list[dict]) -> dict[str, np.ndarray]:
    """A table of numbers by column, NaN where a cell is empty."""
    return {key: np.array([row[key] for row in rows], float) for key in rows[0]}
