"""Where things stand: run folders, sets of rollouts, a stage's folder; and who may write there."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from replication.config import VISIONS, Config, UserError
from replication.runs.stages import STAGES, visions_in


def home_folder(wanted: str | None) -> Path:
    """Where data/ and checkpoints/ stand: REPLICATION_HOME, or else this repository.

    A `~` that no shell has replaced is the user's home; an empty value counts as none.
    """
    repository = Path(__file__).resolve().parents[2]
    return Path(wanted).expanduser().absolute() if wanted else repository


HOME = home_folder(os.environ.get("REPLICATION_HOME"))


def run_folder(run: str) -> Path:
    return HOME / "checkpoints" / run


def record_folder(config: Config) -> Path:
    return HOME / "data" / config.rollouts / "record"


def series_folder(config: Config) -> Path:
    return HOME / "data" / config.run / "series"


def driven_folder(config: Config, number: int) -> Path:
    """What was driven in a round of a run."""
    return HOME / "data" / config.run / "rounds" / f"{number:02d}"


def m_folder(run: Path) -> Path:
    """The folder of a run's M: that of its rounds, where they are over, or else of train_rnn.py."""
    after_rounds = run / "rounds" / "rnn"
    return after_rounds if (after_rounds / "rnn.weights.h5").exists() else run / "rnn"


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


def run_in(folder: Path) -> str | None:
    """The name of the run whose folder this is; None for an agent from elsewhere.

    Whether the folder, or checkpoints/ itself, is named directly or through symbolic links.
    """
    home = run_folder("")
    for checkpoints in (home.absolute(), home.resolve()):
        for path in (folder.absolute(), folder.resolve()):
            if checkpoints in path.parents:
                return str(path.relative_to(checkpoints))
    links = [path for pattern in ("*", "*/*") for path in home.glob(pattern) if path.is_symlink()]
    names = [str(link.relative_to(home)) for link in links if link.resolve() == folder.resolve()]
    return min(names, default=None)


@contextlib.contextmanager
def lock(folder: Path, name: str = ".lock", wait: bool = False) -> Iterator[None]:
    """Hold the folder; the kernel lets go of it when the process ends, however it ends.

    Processes that lock it under other names do not exclude each other. UserError if another one
    holds it, unless this one is to wait.
    """
    with open(folder / name, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another process is writing {shown(folder)}") from None
        except OSError as error:
            raise UserError(
                f"{shown(folder / name)} cannot be locked ({error.strerror}): the file system has"
                " no flock; let REPLICATION_HOME name a folder on one that has"
            ) from None
        yield
