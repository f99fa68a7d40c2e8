"""Run folders: what stands in them, who may write, what a stage made and from what.

checkpoints/RUN/config.json    the effective configuration, a section for each stage to C
checkpoints/RUN/versions.json  Python, packages and git commit of the last of these
checkpoints/RUN/STAGE/done.json  a finished stage: its schedule, its inputs, what it reached
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from replication.config import VISIONS, Config, UserError, default_run
from replication.stages import FREE, STAGES, check_names, differing, needs_of, stages_of, visions_in
from replication.versions import versions

import numpy as np

HOME = Path(os.environ.get("REPLICATION_HOME", Path(__file__).resolve().parents[1]))
RECORD = ("identity", "output", "reached", "seconds")  # what a done.json holds


def run_script(main: Callable[[], None]) -> None:
    """Call a script's main; what the user can put right becomes one line and exit status 2."""
    name = Path(sys.argv[0]).name
    try:
        main()
    except UserError as error:
        sys.exit(_complain(f"{name}: {error}"))
    except KeyboardInterrupt:
        sys.exit(_complain(f"{name}: stopped; the same command goes on from what is saved", 130))
    except OSError as error:  # a full disk, a folder that may not be written, a missing file
        said = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
        sys.exit(_complain(f"{name}: {said or error}; nothing that was saved is lost"))


def _complain(line: str, status: int = 2) -> int:
    print(" ".join(line.split()), file=sys.stderr, flush=True)
    return status


# Folders -----------------------------------------------------------------------------------


def run_folder(run: str) -> Path:
    return HOME / "checkpoints" / run


def record_folder(config: Config) -> Path:
    return HOME / "data" / config.rollouts / "record"


def series_folder(config: Config) -> Path:
    return HOME / "data" / config.run / "series"


def stage_folder(config: Config, name: str) -> Path:
    """The folder that a stage writes."""
    if name == "extract":
        return record_folder(config)
    if name == "series":
        return series_folder(config)
    return run_folder(config.run) / STAGES[name].folder


def v_folder(run: Path, vision: str | None = None) -> Path:
    """The folder of a run's V: of this kind, or else of the kind that is there.

    Raises UserError if the run has a V of the other kind.
    """
    found = visions_in(run)
    if vision and found and vision not in found:
        raise UserError(
            f"{shown(run)} has another V, made by train_{found[0]}.py:"
            f" give --vision {found[0]}, or another run"
        )
    return run / (vision or next(iter(found), VISIONS[0]))


def check_vision(config: Config, name: str) -> None:
    """Raise UserError if a stage would give a run a second V, or work on one that is not asked."""
    ours = f"train_{config.vision}"
    if name not in stages_of(config.vision):
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
    _record_config(config, name)


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the folder; the kernel lets go of it when the process ends, however it ends."""
    with open(folder / ".lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another process is writing {shown(folder)}") from None
        yield


def shown(path: Path) -> str:
    """A path as the user knows it: relative to the repository where it lies in it."""
    return str(path.relative_to(HOME)) if path.is_relative_to(HOME) else str(path)


# Configurations ----------------------------------------------------------------------------


def identity(config: Config, name: str) -> dict:
    """What a stage's result depends on: {"vae.epochs": 9, ..., "input series": "5f3a..."}."""
    flat = {}
    for section in STAGES[name].sections:
        value = config.rollouts if section == "data" else getattr(config, section)
        if dataclasses.is_dataclass(value):
            flat |= {f"{section}.{key}": v for key, v in dataclasses.asdict(value).items()}
        else:
            flat[section] = value
    flat = {key: value for key, value in flat.items() if key not in FREE}
    return flat | {f"input {need}": output for need, output in inputs_of(config, name).items()}


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


def _record_config(config: Config, name: str) -> None:
    owner = _owner(config, name)
    path = owner / "config.json"
    recorded = read_json(path) if path.exists() else {}
    write_json(path, recorded | {name: identity(config, name)})
    write_json(owner / "versions.json", versions())


# Finished stages ---------------------------------------------------------------------------


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
    path = stage_folder(config, name) / "done.json"
    return read_json(path, *RECORD)["output"] if path.exists() else None


def inputs_of(config: Config, name: str) -> dict[str, str | None]:
    """The stages that a stage reads, and the outputs by which it knows them."""
    return {need: output_of(config, need) for need in needs_of(name, config.vision)}


def check_inputs(config: Config, name: str) -> None:
    """Raise UserError naming the stage to run if something that this one reads is missing."""
    for need, output in inputs_of(config, name).items():
        if output is None:
            where = shown(stage_folder(config, need))
            raise UserError(f"{where} is missing: run python replication/{command(config, need)}")


def command(config: Config, name: str) -> str:
    """The command line that makes a stage of this run."""
    vision = "" if config.vision == VISIONS[0] else f" --vision {config.vision}"
    usual = config.run == default_run(config.preset, config.vision)
    run = "" if usual else f" --run {config.run}"
    same = config.preset if usual else config.run
    data = "" if config.data in ("", same) else f" --data {config.data}"
    return f"{name}.py {config.preset}{vision}{run}{data}"


def fingerprint(arrays) -> str:
    """A short hash of arrays: the weights of a model, say."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


# Files -------------------------------------------------------------------------------------


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; the file gets its own name when it is whole."""
    temporary = path.with_name(f".tmp-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n")


def read_json(path: Path, *keys: str) -> dict:
    """The object in a file; UserError if it is not one, or lacks one of the keys."""
    try:
        value = json.loads(path.read_text())
    except ValueError:
        raise UserError(f"{shown(path)} is not JSON: delete it, or restore it") from None
    if not isinstance(value, dict) or not all(key in value for key in keys):
        needed = f" with {', '.join(keys)}" if keys else ""
        raise UserError(f"{shown(path)} is not an object{needed}: delete it, or restore it")
    return value


class Log:
    """A log.jsonl that resumes: one line an interval, no step twice, no torn line."""

    def __init__(self, path: Path, resume_at: int = 0):
        """Keep the lines up to step `resume_at` and append from there."""
        self.path = path
        kept = [line for line in read_log(path) if line["step"] <= resume_at]
        with replacing(path) as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self.start = time.monotonic() - (kept[-1]["seconds"] if kept else 0.0)

    @property
    def seconds(self) -> float:
        """Seconds of work since the run's first start, without the time that it stood still."""
        return time.monotonic() - self.start

    def write(self, step: int, **values) -> dict:
        line = {"step": step, "seconds": round(self.seconds, 2), **values}
        with open(self.path, "a") as file:
            file.write(json.dumps(line) + "\n")
        return line


def read_log(path: Path) -> list[dict]:
    """The lines of a log; a last line that a killed process left torn is not one."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    try:
        values = [json.loads(line) for line in lines if line.endswith(b"\n")]
        if all(line["step"] >= 0 and line["seconds"] >= 0 for line in values):
            return values
    except (ValueError, TypeError, KeyError):
        pass
    raise UserError(f"{shown(path)} has lines that are not a log's: delete them, or restore it")


# Randomness --------------------------------------------------------------------------------


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow: a stage's first act."""
    from replication.quiet import keras  # here: stages without networks do not wait for it

    keras.utils.set_random_seed(seed)


def derive_seed(seed: int, *keys: int) -> int:
    """A seed below 2**32 from the run's seed and the place where it is used."""
    return int(np.random.SeedSequence([seed, *keys]).generate_state(1)[0])
