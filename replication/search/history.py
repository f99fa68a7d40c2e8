"""How a run's C came about: its own search and rounds, and those of the agents before it."""

from pathlib import Path

from replication.config import UserError
from replication.runs import files, folders
from replication.runs.logs import read_log

ROUND = ("step", "seconds", "processes", "mean")  # what start.json keeps of a round


def read_history(folder: Path) -> list[dict]:
    """The log of a controller/, after what start.json keeps of the searches before it.

    Generations and seconds are counted on from there; earlier lines lack the candidates' returns.
    Raises UserError for what is not such a log.
    """
    start, log = folder / "start.json", read_log(folder / "log.jsonl")
    earlier = files.read_json(start, "log")["log"] if start.exists() else []
    return _counted_on(start, earlier, log)


def read_rounds(run: Path) -> list[dict]:
    """The rounds of a run, after those that start.json keeps of the agents before it.

    run: its folder. Lines have ROUND's keys: `mean` is the return of a round's best C in the game.
    Rounds and seconds are counted on. Raises UserError for what is not such a log.
    """
    log = read_log(run / "rounds" / "log.jsonl")
    start = run / ("rounds" if log else "controller") / "start.json"
    earlier = files.read_json(start).get("rounds", []) if start.exists() else []
    return _counted_on(start, earlier, [{key: line[key] for key in ROUND} for line in log])


def _counted_on(start: Path, earlier: list[dict], log: list[dict]) -> list[dict]:
    """Lines that start.json keeps, and the lines of a log after them."""
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
