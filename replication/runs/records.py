"""What a stage made and from what: it is recognised, resumed, or refused by its record.

checkpoints/RUN/config.json    the effective configuration, a section for each stage to C
checkpoints/RUN/versions.json  Python, packages and git commit of the last of these
checkpoints/RUN/STAGE/done.json  a finished stage: its schedule, its inputs, what it reached
"""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from replication.config import VISIONS, Config, UserError, is_named
from replication.presets import PRESETS
from replication.runs.files import fingerprint, read_json, write_json
from replication.runs.folders import lock, record_folder, run_folder, shown, stage_folder, v_folder
from replication.runs.logs import read_log
from replication.runs.stages import FREE, STAGES, check_names, differing, needs_of, sections_of
from replication.runs.versions import versions
from replication.tasks.games import task_of

import numpy as np

RECORD = ("identity", "output", "reached", "seconds")  # what a done.json holds
GAME_FIELDS = ("task", "frames")  # what a run was begun with holds for all its stages
RUN_FIELDS = ("preset", "task", "frames", "vision", "data")  # what config.json says of a whole run


def check_game(config: Config) -> None:
    """Raise UserError if there is no such game, or the run was begun with another one."""
    if config.frames not in (frames := task_of(config.task).frames):
        raise UserError(f"--frames {config.frames}: {config.task} has {', '.join(sorted(frames))}")
    for key, recorded in recorded_game(config).items():
        if recorded != getattr(config, key) and not config.overwrite:
            raise UserError(
                f"--{key} {getattr(config, key)}: {shown(run_folder(config.run))} and its rollouts"
                f" are of {recorded}; give another --run"
            )


def check_stage(config: Config, name: str) -> None:
    """Raise UserError if the run's task has no such stage."""
    if name not in task_of(config.task).extra_stages:
        raise UserError(f"{config.task} has no stage {name}")


def check_vision(config: Config, name: str) -> None:
    """Raise UserError if a stage would give a run a second V, or work on one that is not asked."""
    ours = f"train_{config.vision}"
    if name in {f"train_{kind}" for kind in VISIONS} - {ours}:
        raise UserError(f"--vision {config.vision} is made by {ours}.py, not by {name}.py")
    if name != "extract":
        v_folder(run_folder(config.run), config.vision)


def _owner(config: Config, name: str) -> Path:
    """The folder that is locked while a stage runs: a set of rollouts can serve several runs."""
    return record_folder(config).parent if name == "extract" else run_folder(config.run)


@contextlib.contextmanager
def open_stage(config: Config, name: str) -> Iterator[Path]:
    """Own the folder of a stage: lock it, and check that the stage can run; `begin_stage` follows.

    Raises UserError if another process works there, if the run has another V, if a stage that
    this one reads is missing, or if the folder was made with another configuration (and not
    config.overwrite).
    """
    check_names(config)
    owner, folder = _owner(config, name), stage_folder(config, name)
    owner.mkdir(parents=True, exist_ok=True)
    with lock(owner):
        check_game(config)
        check_vision(config, name)
        check_inputs(config, name)
        if not config.overwrite:
            _check_same(config, name)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def begin_stage(config: Config, name: str) -> None:
    """What the stage reads has been read: note its configuration, and with config.overwrite throw
    away what it made before.
    """
    folder = stage_folder(config, name)
    if config.overwrite:
        shutil.rmtree(folder)
        folder.mkdir()
    record_config(config, name)


def identity(config: Config, name: str) -> dict:
    """What a stage's result depends on: {"vae.epochs": 9, ..., "input series": "5f3a..."}."""
    flat = {}
    for section in sections_of(name, config):
        value = config.rollouts if section == "data" else getattr(config, section)
        if dataclasses.is_dataclass(value):
            flat |= {f"{section}.{key}": v for key, v in dataclasses.asdict(value).items()}
        else:
            flat[section] = value
    for field in STAGES[name].fields:
        section, _, key = field.partition(".")
        flat[field] = getattr(getattr(config, section), key)
    flat = {key: value for key, value in flat.items() if key not in FREE}
    return flat | {f"input {need}": output for need, output in input_outputs(config, name).items()}


def _check_same(config: Config, name: str) -> None:
    folder, path = stage_folder(config, name), _owner(config, name) / "config.json"
    begun = folder.exists() and any(file.stat().st_size for file in folder.glob("*.*"))
    recorded = read_json(path).get(name) if begun and path.exists() else None
    if recorded is None:
        return
    grows, asked, finished = STAGES[name].grows, identity(config, name), folder / "done.json"
    different = differing(recorded, asked, grows)
    made = read_json(finished, *RECORD)["identity"] if finished.exists() else {}
    if grows in made and made[grows] > asked[grows]:  # what is done is not made less
        different.append(f"{grows} {made[grows]!r} there, {asked[grows]!r} here")
    if different:
        raise UserError(
            f"{shown(folder)} was made with other settings:"
            f" {'; '.join(different)}. Give those, another --run, or --overwrite to start anew"
        )


def check_grows(config: Config, name: str) -> None:
    """Raise UserError if a stage that logs a line a generation, or a round, has more than asked."""
    folder, grows = stage_folder(config, name), STAGES[name].grows
    section, _, key = grows.partition(".")
    begun = 0 if config.overwrite else len(read_log(folder / "log.jsonl"))
    if begun > (asked := getattr(getattr(config, section), key)):
        raise UserError(
            f"--{grows} {asked}: {shown(folder)} has {begun} already; give {begun} or more, or"
            " --overwrite"
        )


def record_config(config: Config, name: str) -> None:
    owner = _owner(config, name)
    recorded = _recorded(owner) | {name: identity(config, name)}
    if name != "extract":
        recorded["run"] = {key: getattr(config, key) for key in RUN_FIELDS}
        recorded["run"]["data"] = config.rollouts
    write_json(owner / "config.json", recorded)
    write_json(owner / "versions.json", versions())


def _recorded(owner: Path) -> dict:
    """The config.json of a run or of a set of rollouts; empty where there is none."""
    path = owner / "config.json"
    return read_json(path) if path.exists() else {}


def run_facts(config: Config) -> dict:
    """What a run's config.json says of all its stages: RUN_FIELDS, or nothing yet."""
    return _recorded(run_folder(config.run)).get("run", {})


def recorded_game(config: Config) -> dict:
    """The task and the frames that a run, or else its set of rollouts, was begun with, if any."""
    game = run_facts(config) or _recorded(record_folder(config).parent).get("extract", {})
    return {key: game[key] for key in GAME_FIELDS if key in game}


def load_config(run: str) -> Config:
    """The configuration of a run, as far as its stages have recorded it; its preset's elsewhere.

    Raises UserError if there is no such run.
    """
    folder = run_folder(run)
    recorded = _recorded(folder)
    facts = recorded.pop("run", {})
    if not set(RUN_FIELDS) <= facts.keys() or facts["preset"] not in PRESETS:
        raise UserError(f"{shown(folder)} is no run: it has no config.json with a preset of today")
    if facts["data"] == run:
        facts["data"] = ""
    config = dataclasses.replace(PRESETS[facts["preset"]], **facts, run=run)
    rollouts = _recorded(record_folder(config).parent).get("extract", {})
    made = {key: value for key, value in rollouts.items() if key != "seed"}
    for settings in (made, *recorded.values()):
        config = _with_settings(config, settings)
    return config


def _with_settings(config: Config, settings: dict) -> Config:
    """A configuration with a stage's recorded settings, {"vae.epochs": 9, ...}, put in."""
    for key, value in settings.items():
        section, _, name = key.partition(".")
        if name and not key.startswith("input "):
            value = dataclasses.replace(getattr(config, section), **{name: value})
        if section in {field.name for field in dataclasses.fields(config)}:
            config = dataclasses.replace(config, **{section: value})
    return config


def done(config: Config, name: str) -> dict | None:
    """The record of a stage that is finished as far as `config` asks for, from the same inputs."""
    grows, path = STAGES[name].grows, stage_folder(config, name) / "done.json"
    if config.overwrite or not path.exists():
        return None
    record, asked = read_json(path, *RECORD), identity(config, name)
    made = record["identity"]
    enough = not grows or made.get(grows, 0) >= asked[grows]
    return record if enough and not differing(made, asked, grows) else None


def finish(config: Config, name: str, output: str, reached: str, seconds: float, **facts) -> None:
    """Mark a stage as finished: `output` is the fingerprint by which later stages know it."""
    record = {
        "identity": identity(config, name),
        "output": output,
        "reached": reached,
        "seconds": round(seconds, 1),
        **facts,
    }
    write_json(stage_folder(config, name) / "done.json", record)


def seconds_before(config: Config, name: str) -> float:
    """What a stage has taken so far, where it is called again to go on."""
    path = stage_folder(config, name) / "done.json"
    return read_json(path, *RECORD)["seconds"] if path.exists() else 0.0


def cores() -> int:
    """Cores that this process may use: V and M train on all of them."""
    return len(os.sched_getaffinity(0))


def output_of(config: Config, name: str) -> str | None:
    """The fingerprint of what a stage made; None if it has not finished."""
    path = stage_folder(config, name) / "done.json"
    if not path.exists() and name == "extract":
        return own_rollouts(config)
    return read_json(path, *RECORD)["output"] if path.exists() else None


def own_rollouts(config: Config) -> str | None:
    """The fingerprint of episodes that extract.py has not recorded; None if it has, or will."""
    folder = record_folder(config)
    if extract_has_begun(config):
        return None
    files = [(path.name, path.stat().st_size) for path in sorted(folder.glob("[!.]*.npz"))]
    return f"own {fingerprint([np.array(files)])}" if files else None


def extract_has_begun(config: Config) -> bool:
    """Whether extract.py has recorded into the run's set of rollouts."""
    return "extract" in _recorded(record_folder(config).parent)


def input_outputs(config: Config, name: str) -> dict[str, str | None]:
    """The stages that a stage reads, and the outputs by which it knows them."""
    return {need: output_of(config, need) for need in needs_of(name, config)}


def check_inputs(config: Config, name: str) -> None:
    """Raise UserError naming the stage to run if something that this one reads is missing."""
    for need, output in input_outputs(config, name).items():
        if output is None:
            where = shown(stage_folder(config, need))
            raise UserError(f"{where} is missing: run python replication/{command(config, need)}")


def command(config: Config, name: str) -> str:
    """The command line that makes a stage of this run."""
    vision = "" if config.vision == VISIONS[0] else f" --vision {config.vision}"
    named = is_named(config)
    run = f" --run {config.run}" if named else ""
    same = config.run if named else config.preset
    data = "" if config.data in ("", same) else f" --data {config.data}"
    return f"{name}.py {config.preset}{vision}{run}{data}"
