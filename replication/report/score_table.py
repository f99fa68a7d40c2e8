"""The table of scores: the published ones, then one of each run that has been evaluated."""

from replication.report.published import published_scores
from replication.report.run_record import Run

KEYS = ("who", "environment", "mean_return", "std", "episodes", "note", "source")


def score_table(runs: list[Run]) -> list[dict]:
    """Rows of KEYS; a std that nobody states is None."""
    return published_scores(runs[0].task.published) + our_scores(runs)


def our_scores(runs: list[Run]) -> list[dict]:
    """A row of the table of scores for each run that has been evaluated."""
    return [
        {
            "who": f"Ours, run {run.name}",
            "environment": run.environment,
            "mean_return": round(run.evaluation["mean"], 2),
            "std": round(run.evaluation["std"], 2),
            "episodes": run.evaluation["episodes"],
            "note": _note(run),
            "source": run.evaluation["path"],
        }
        for run in runs
        if run.evaluation
    ]


def _note(run: Run) -> str:
    mode = run.settings.get("controller.mode", "z_h")
    mean = " on the mean of z" if run.settings.get("controller.z") == "mean" else ""
    parts = {"rounds": len(run.rounds_before), "generations": len(run.logs["train_controller"])}
    work = " and ".join(f"{count} {name}" for name, count in parts.items() if count)
    return f"C in mode {mode}{mean}{f', after {work}' if work else ''}"
