"""The games that there are, by the name that --task takes."""

from replication.config import UserError
from replication.tasks.car_racing import CAR_RACING_V0, CAR_RACING_V3
from replication.tasks.take_cover import TAKE_COVER
from replication.tasks.task import Task

TASKS = {task.name: task for task in (CAR_RACING_V0, CAR_RACING_V3, TAKE_COVER)}


def task_of(name: str) -> Task:
    """The task of this name; UserError lists those that there are."""
    if name not in TASKS:
        raise UserError(f"--task {name}: no such game; there are {', '.join(sorted(TASKS))}")
    return TASKS[name]
