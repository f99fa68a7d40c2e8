"""How a run's C came about: its own search and rounds, and those of the agents before it."""

from pathlib import Path

from replication.config import UserError
from replication.runs import files, folders
from replication.runs.logs import read_log

ROUND = ("step", "seconds", "processes", "mean")  # what start.json keeps of a round


def read_history(folder: Path) -> list[dict]:
    """The log of a run's controller/, after the searches before it.

    Generations and seconds are counted on from there; earlier lines lack the candidates' returns.
    Raises UserError for what is not such a log.
    """
    return _counted_on(folder, earlier_searches(folder), read_log(folder / "log.jsonl"))


def earlier_searches(folder: Path) -> list[dict]:
    """The searches before that of a controller/, as start.json keeps them: its own or its rounds'.

    Raises UserError for what is not such a file.
    """
    return _kept(folder, "log")


def read_rounds(run: Path) -> list[dict]:
    """The rounds of a run, after those that start.json keeps of the agents before it.

    run: its folder. Lines have ROUND's keys: `mean` is the return of a round's best C in the game.
    Rounds and seconds are counted on. Raises UserError for what is not such a log.
    """
    path, folder = run / "rounds" / "log.jsonl", run / "controller"
    try:
        log = [{key: line[key] for key in ROUND} for line in read_log(path)]
    except KeyError as error:
        raise UserError(f"{folders.shown(path)} lacks {error}: restore it") from None
    return _counted_on(folder, _kept(folder, "rounds"), log)


def _start(folder: Path) -> Path:
    """The start.json of a search, or of the rounds that it goes on from."""
    own, of_rounds = folder / "start.json", folder.parent / "rounds" / "start.json"
    return own if own.exists() else of_rounds


def _kept(folder: Path, key: str) -> list[dict]:
    """What start.json keeps, empty where there is none or where an older one lacks it."""
    start = _start(folder)
    return files.read_json(start).get(key, []) if start.exists() else []


def _counted_on(folder: Path, earlier: list[dict], log: list[dict]) -> list[dict]:
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
        shown = folders.shown(_start(folder))
        raise UserError(f"{shown}: its log is not one: restore it") from None
