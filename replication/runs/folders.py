"""Where things stand: run folders, sets of rollouts, a stage's folder; and who may write there."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from replication.config import VISIONS, Config, UserError
from replication.runs.stages import STAGES, visions_in

HOME = Path(os.environ.get("REPLICATION_HOME", Path(__file__).resolve().parents[2]))


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


def shown(path: Path) -> str:
    """A path as the user knows it: relative to the repository where it lies in it."""
    return str(path.relative_to(HOME)) if path.is_relative_to(HOME) else str(path)


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the folder; the kernel lets go of it when the process ends, however it ends."""
    with open(folder / ".lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another process is writing {shown(folder)}") from None
        yield
