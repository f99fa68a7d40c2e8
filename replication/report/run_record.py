"""What a run has saved, read without loading any model; also while its stages are still running."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

from replication.config import VISIONS, Config, UserError, default_run
from replication.dataset.episodes import UNREADABLE
from replication.presets import PRESETS
from replication.report.computing_time import TimeSpent, time_of
from replication.report.curves import Logs
from replication.report.published import CAR
from replication.report.tables import read_table
from replication.runs import files, folders, records, stages
from replication.runs.logs import read_log
from replication.runs.stages import V, stages_of
from replication.search.history import read_history, read_rounds
from replication.tasks.games import task_of
from replication.tasks.task import Task

import numpy as np

STAGES = [name for name in stages.STAGES if name != "figures"]
ROUNDED = ("rounds", "train_controller")  # must be told how many rounds there are
SAMPLES = (  # arrays of samples.npz
    *("obs", "recon", "sampled", "names"),
    *("obs_sharpness", "recon_error", "recon_SSIM", "recon_sharpness", "sampled_sharpness"),
)


@dataclass(frozen=True)
class Run:
    """What a run has saved; what it has not saved is empty.

    checkpoints/README.md describes the files.
    """

    config: Config  # with the run's own preset, game, kind of V, set of rollouts and rounds
    settings: dict  # the recorded configuration, flat: {"vae.epochs": 9, ...}
    versions: dict[str, str]  # of Python and the packages
    records: dict[str, dict]  # done.json of each stage, empty if it is not finished
    logs: dict[str, list[dict]]  # log.jsonl of each stage; C's begins with those of `earlier`
    earlier: int  # lines of C's log that are of the searches that its own search started from
    rounds_before: list[dict]  # what the rounds before C's search came to; earlier runs' too
    samples: dict[str, np.ndarray]  # samples.npz: frames, V's reconstructions, their measures
    traversal: dict[str, np.ndarray]  # traversal.npz: decoded single dimensions of z
    rollout: dict[str, np.ndarray]  # rollout.npz: a rollout, reconstructed and dreamt
    events: dict[str, np.ndarray]  # events.npz: weights of M's mixture, and events
    tests: list[dict]  # tests.csv: does a component speak more in one event than otherwise
    gate: dict  # gate.json: is the dream fit?
    evaluation: dict  # the evaluation of C over the most tracks, and its "path"

    @property
    def name(self) -> str:
        return self.config.run

    @property
    def task(self) -> Task:
        return task_of(self.config.task)

    @property
    def environment(self) -> str:
        """The environment that C was evaluated in, as gymnasium or gym name it."""
        return self.task.environment

    @property
    def world(self) -> str:
        """Where C's candidates lived: real or dream."""
        return self.settings.get("controller.world", "real")

    @property
    def judge(self) -> str:
        """Where what the search found was evaluated: real or dream."""
        return self.settings.get("controller.judge", "real")

    @property
    def is_reports(self) -> bool:
        """Whether the 2021 report is on this game: else its numbers do not stand beside ours."""
        return self.task.published == CAR

    @property
    def z_size(self) -> int:
        return self.task.z_size

    @property
    def stages(self) -> list[str]:
        """The stages that make this run, without figures: one of them trains its kind of V."""
        return [name for name in stages_of(self.config) if name in STAGES]

    def stage_of(self, stage: str) -> str:
        """The name of a stage, where V stands for the one that trains this run's kind of V."""
        return f"train_{self.config.vision}" if stage == V else stage

    def command(self, stage: str) -> str:
        """The command line that makes a stage of this run."""
        if stage == "evaluate":
            return f"python replication/evaluate.py --run {self.name}"
        if stage in ("dream", "demo"):
            return f"python replication/{stage}.py --run {self.name}"
        count = self.config.rounds.count
        told = stage in ROUNDED and count != PRESETS[self.config.preset].rounds.count
        rounds = f" --rounds.count {count}" if told else ""
        return f"python replication/{records.command(self.config, stage)}{rounds}"

    def commands(self, stage: str) -> list[str]:
        """The command lines that make the figures of a stage.

        The figures of the other kind of V need another run, which is then compared with this one.
        """
        other = stage.removeprefix("train_")
        if other not in VISIONS or other == self.config.vision:
            return [self.command(stage)]
        preset = self.config.preset
        flag = "" if other == VISIONS[0] else f" --vision {other}"
        compared = f"{self.command('figures')} --compare {default_run(preset, other)}"
        return [f"bash run_all.sh {preset}{flag}", compared]

    def spent(self, stage: str) -> TimeSpent | None:
        """The time of a stage that is finished or under way; None if it has not begun."""
        record, log = self.records.get(stage), self.logs.get(stage)
        if log and "processes" in log[-1]:
            return time_of(log)
        if record:
            return TimeSpent(record["seconds"], record["processes"])
        return TimeSpent(log[-1]["seconds"], 1) if log else None


def read_run(config: Config) -> Run:
    """Read the run `config.run`. UserError if it does not exist, or has a damaged file."""
    folder = _existing_folder(config)
    config = _as_recorded(config)
    v_folder = folder / config.vision
    places = {name: folders.stage_folder(config, name) for name in STAGES}
    finished = _of_present_c({name: _json(place / "done.json") for name, place in places.items()})
    logs = {name: read_log(place / "log.jsonl") for name, place in places.items()}
    history = read_history(places["train_controller"])
    c = _fingerprint_of_c(places["train_controller"], finished["train_controller"])
    return Run(
        config=config,
        settings=_settings(config, folder, finished),
        versions=_json(folder / "versions.json"),
        records=finished,
        logs=logs | {"train_controller": history},
        earlier=len(history) - len(logs["train_controller"]),
        rounds_before=read_rounds(folder),
        samples=_arrays(v_folder / "samples.npz", SAMPLES),
        traversal=_arrays(v_folder / "traversal.npz"),
        rollout=_arrays(folder / "dream" / "rollout.npz"),
        events=_arrays(folder / "events" / "events.npz"),
        tests=_table(folder / "events" / "tests.csv"),
        gate=_json(folder / "gate" / "gate.json"),
        evaluation=_evaluation(folder / "evaluation", c),
    )


def first_with_log(runs: list[Run], stage: str) -> Run | None:
    """The first run that has a log of a stage, if one has."""
    return next((run for run in runs if run.logs[run.stage_of(stage)]), None)


def logs_of(runs: list[Run], stage: str) -> Logs:
    """The logs of a stage by name of the run, empty if no run has one.

    The stage V stands for the one that trained each run's kind of V.
    """
    logs = {run.name: run.logs[run.stage_of(stage)] for run in runs}
    return logs if any(logs.values()) else {}


def _existing_folder(config: Config) -> Path:
    """The run's folder; UserError if there is none, or none with the folder of a stage in it."""
    folder = folders.run_folder(config.run)
    if not any((folder / stage.folder).is_dir() for stage in stages.STAGES.values()):
        first = records.command(config, "extract")
        raise UserError(f"{folders.shown(folder)} is missing: run python replication/{first} first")
    return folder


def _as_recorded(config: Config) -> Config:
    """The configuration with the run's preset, game, kind of V, set of rollouts and rounds."""
    recorded = records.run_facts(config)
    if recorded.get("data") == config.run:
        recorded["data"] = ""
    if recorded.get("preset", config.preset) != config.preset:  # the call did not name the run's
        own = PRESETS.get(recorded["preset"], config)
        config = dataclasses.replace(config, rounds=own.rounds, controller=own.controller)
    made = _json(folders.run_folder(config.run) / "config.json").get("rounds", {})
    count = made.get("rounds.count", config.rounds.count)
    rounds = dataclasses.replace(config.rounds, count=count)
    return dataclasses.replace(config, **recorded, rounds=rounds)


def _settings(config: Config, folder: Path, finished: dict[str, dict]) -> dict:
    """The recorded settings of all stages, flat.

    config.json has those of the stages that can be resumed, done.json those of the other stages.
    The settings of the rollouts are those of the stage that recorded them: later stages may have
    been called with others.
    """
    recorded = _json(folders.record_folder(config).parent / "config.json")
    recorded |= _json(folder / "config.json")
    settings = {}
    for name in STAGES:
        settings |= recorded.get(name) or finished[name].get("identity", {})
    rollouts = recorded.get("extract", {})
    return settings | {key: rollouts[key] for key in rollouts if key.startswith("extract.")}


def _of_present_c(finished: dict[str, dict]) -> dict[str, dict]:
    """The records, empty where a stage used a C that has been trained further since."""
    key, output = "input train_controller", finished["train_controller"].get("output")
    return {
        name: record if record.get("identity", {}).get(key, output) == output else {}
        for name, record in finished.items()
    }


def _fingerprint_of_c(folder: Path, record: dict) -> str | None:
    """The fingerprint of a run's best C; from its record where its parameters are not published."""
    path = folder / "best.json"
    if path.exists():
        return files.controller_fingerprint(files.read_json(path, "parameters")["parameters"])
    return record.get("output")


def _evaluation(folder: Path, c: str | None) -> dict:
    """The evaluation of this C over the most tracks of its own game; empty if there is none."""
    name = re.compile(r"\d+_tracks_seed_\d+\.json")
    paths = [path for path in sorted(folder.glob("*.json")) if name.fullmatch(path.name)]
    scores = [files.read_json(path, "returns") | {"path": folders.shown(path)} for path in paths]
    scores = [score for score in scores if score.get("controller") == c]
    return max(scores, key=lambda score: score["episodes"], default={})


def _json(path: Path) -> dict:
    return files.read_json(path) if path.exists() else {}


def _table(path: Path) -> list[dict]:
    return read_table(path) if path.exists() else []


def _arrays(path: Path, names: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """The arrays of a file; UserError if it cannot be read or lacks one of the names."""
    if not path.exists():
        return {}
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except UNREADABLE:
        raise UserError(f"{folders.shown(path)} cannot be read: delete it, or restore it") from None
    if missing := [name for name in names if name not in arrays]:
        raise UserError(
            f"{folders.shown(path)} lacks {', '.join(missing)}, as files of earlier versions do:"
            " delete it, or train V again"
        )
    return arrays
