"""How a run's C came about: its own generations, and those of the agents that it started from."""

from pathlib import Path

from replication import runs


def read_history(folder: Path) -> list[dict]:
    """The log of a controller/, after what start.json keeps of the search that it started from.

    Generations and seconds are counted on from there; earlier lines lack the candidates' returns.
    """
    start, log = folder / "start.json", runs.read_log(folder / "log.jsonl")
    earlier = runs.read_json(start, "log")["log"] if start.exists() else []
    if not earlier:
        return log
    last = earlier[-1]
    return earlier + [
        line | {"step": last["step"] + line["step"], "seconds": last["seconds"] + line["seconds"]}
        for line in log
    ]
