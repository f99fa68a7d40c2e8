"""numba's njit with a cache on disk, wherever there is a place for one.

The cache stands in NUMBA_CACHE_DIR, or the user's own (XDG_CACHE_HOME, ~/.cache), or else among the
temporary files. Without any (containers, service users) each process compiles for itself, to the
same code. Its folder is named by the sources in the kernel's room: numba itself looks only at the
file in which a kernel begins.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numba

NAME = "world-models-replication"


def cache_folder() -> Path | None:
    """A folder that only this user can write to (numba unpickles what lies there), or None."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    own_name = f"{NAME}-{os.getuid()}"
    for parent, name in ((numba.config.CACHE_DIR, NAME), (home, NAME), (None, own_name)):
        if parent == "":  # NUMBA_CACHE_DIR is not set
            continue
        try:
            folder = Path(parent or tempfile.gettempdir(), name)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            status = folder.stat(follow_symlinks=False)
        except OSError:
            continue
        if status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return folder
    return None


@cache
def sources(room: Path) -> str:
    """A name for the sources in a room as they are."""
    digest = hashlib.sha256()
    for source in sorted(room.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def compiled(**options) -> Callable[[Callable], Callable]:
    """A decorator: numba.njit(**options), cached where possible."""

    def decorate(function: Callable) -> Callable:
        folder = cache_folder()
        if folder is None:
            return numba.njit(**options)(function)
        room = Path(function.__code__.co_filename).parent
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder / sources(room))
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # no place after all
            return numba.njit(**options)(function)
        finally:
            numba.config.CACHE_DIR = before

    return decorate
