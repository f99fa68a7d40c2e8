"""Tables as CSV files, read and written."""

import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path

from replication.runs import files

import numpy as np


def read_table(path: Path) -> list[dict]:
    """The rows of a CSV file by its header's names; numbers as numbers, empty cells as None."""
    with open(path, newline="") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def write_table(path: Path, rows: list[dict], keys: Sequence[str]) -> None:
    """Write rows that all have these keys: a CSV file that read_table reads."""
    with files.replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, keys, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _value(text: str) -> int | float | str | None:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text or None


def columns(rows: list[dict]) -> dict[str, np.ndarray]:
    """The columns of a table of numbers by name, float64 (rows,), NaN for an empty cell."""
    return {key: np.array([row[key] for row in rows], float) for key in rows[0]}
