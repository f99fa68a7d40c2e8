"""The stages that led to a run's C: the rows of the page's table and of figure 15."""

from typing import NamedTuple

from replication.report.computing_time import TimeSpent, time_of
from replication.report.run_record import Run, read_run
from replication.runs import folders, records

LOST_ROUNDS = "rounds of a run that is not here"


class StageRow(NamedTuple):
    """What a stage took and reached."""

    stage: str
    spent: TimeSpent | None  # None if it has not begun
    reached: str  # or the command that makes it
    run: str = ""  # the earlier run that it belongs to, if it is not the run's own

    @property
    def label(self) -> str:
        return f"{self.run}: {self.stage}" if self.run else self.stage


def stage_rows(run: Run) -> list[StageRow]:
    """A row for each stage of a run, after those of the runs that its C goes back to.

    The searches of the earlier runs are in C's own row.
    """
    rows = _earlier_rows(run)
    here = run.logs["rounds"] or any(row.stage == "rounds" for row in rows)
    if run.rounds_before and not here:
        rows.append(StageRow(LOST_ROUNDS, time_of(run.rounds_before), "in its start.json"))
    return rows + [StageRow(stage, run.spent(stage), _reached(run, stage)) for stage in run.stages]


def _earlier_rows(run: Run) -> list[StageRow]:
    """The finished stages, up to their C's, of the runs that C goes back to; shared ones once."""
    made = {(stage, record.get("output")) for stage, record in run.records.items()}
    rows = []
    for before in runs_behind(run):
        for stage in before.stages[: before.stages.index("train_controller")]:
            record = before.records[stage]
            work = (stage, record.get("output"))
            if record and work not in made:
                rows.append(StageRow(stage, before.spent(stage), record["reached"], before.name))
            made.add(work)
    return rows


def _reached(run: Run, stage: str) -> str:
    record, log = run.records[stage], run.logs[stage]
    if record:
        return record["reached"]
    if log:
        return f"at step {log[-1]['step']}, not finished: {run.command(stage)}"
    return f"not run: {run.command(stage)}"


def runs_behind(run: Run) -> list[Run]:
    """The runs that stand here and whose agents a run's C goes back to, the first first."""
    found: list[Run] = []
    while (name := _started_from(run)) and name not in {other.name for other in [run, *found]}:
        run = read_run(records.load_config(name))
        found.insert(0, run)
    return found


def _started_from(run: Run) -> str:
    """The name of the run whose agent C started from; "" if there is none, or not here any more."""
    start = run.settings.get("controller.start", "")
    name = start.removeprefix("checkpoints/")
    here = name != start and (folders.run_folder(name) / "config.json").exists()
    return name if here else ""
