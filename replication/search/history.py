"""How a run's C came about: its own generations, and those of the agents that it started from."""

from pathlib import Path

from replication.config import UserError
from replication.runs import files, folders
from replication.runs.logs import read_log


def read_history(folder: Path) -> list[dict]:
    """The log of a controller/, after what start.json keeps of the searches before it.

    Generations and seconds are counted on from there; earlier lines lack the candidates' returns.
    Raises UserError for what is not such a log.
    """
    start, log = folder / "start.json", read_log(folder / "log.jsonl")
    earlier = files.read_json(start, "log")["log"] if start.exists() else []
    if not earlier:
        return log
    try:
        step, seconds = earlier[-1]["step"], earlier[-1]["seconds"]
        return earlier + [
            line | {"step": step + line["step"], "seconds": seconds + line["seconds"]}
            for line in log
        ]
    except (TypeError, KeyError):
        raise UserError(f"{folders.shown(start)}: its log is not one: restore it") from None
