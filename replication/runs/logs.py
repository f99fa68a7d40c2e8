"""The log of a stage: one JSON object a line."""

import json
import time
from pathlib import Path

from replication.config import UserError
from replication.runs.files import replacing
from replication.runs.folders import shown


class Log:
    """A log.jsonl that resumes: one line an interval, no step twice, no torn line."""

    def __init__(self, path: Path, resume_at: int = 0, seconds: float = 0.0):
        """Keep the lines up to step `resume_at` and append from there.

        seconds: of work that is done and stands in none of these lines.
        """
        self.path = path
        kept = [line for line in read_log(path) if line["step"] <= resume_at]
        with replacing(path) as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self.start = time.monotonic() - seconds_of(kept) - seconds

    @property
    def seconds(self) -> float:
        """Seconds of work since the run's first start, without the time that it stood still."""
        return time.monotonic() - self.start

    def write(self, step: int, **values) -> dict:
        line = {"step": step, "seconds": round(self.seconds, 2), **values}
        with open(self.path, "a") as file:
            file.write(json.dumps(line) + "\n")
        return line


def seconds_of(lines: list[dict]) -> float:
    """The seconds of work that a log's lines tell of."""
    return lines[-1]["seconds"] if lines else 0.0


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
