"""Files that appear whole or not at all, JSON that is checked as it is read, fingerprints."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from replication.config import UserError
from replication.runs.folders import shown

import numpy as np


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


def fingerprint(arrays) -> str:
    """A short hash of arrays: the weights of a model, say."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def controller_fingerprint(parameters: Sequence[float]) -> str:
    """By what a C is known: the output of train_controller."""
    return fingerprint([np.float32(parameters)])
