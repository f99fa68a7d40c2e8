"""The witness names the jobs that are lost with a worker: those under way that are not done."""

import threading
import time
from concurrent.futures import Future

from replication.parallel import mpi

import pytest


@pytest.fixture
def reports(monkeypatch) -> list[list[str]]:
    """What a witness is told, where there are two workers."""
    told: list[list[str]] = []

    class Witness:
        def report(self, jobs):
            told.append(jobs)

    monkeypatch.setattr(mpi, "Witness", Witness)
    monkeypatch.setattr(mpi, "workers", lambda: 2)
    return told


def test_a_job_that_is_done_before_its_turn_is_not_lost(reports):
    futures = [Future() for _ in range(4)]
    waiting = iter(futures)

    class Executor:
        def submit(self, *_):
            return next(waiting)

    results = mpi.Pool(Executor()).map(None, range(4), name="job {}".format)
    first: list[int] = []
    thread = threading.Thread(target=lambda: first.append(next(results)))
    thread.start()
    while len(reports) < 1:
        time.sleep(0.01)
    assert reports[-1] == ["job 0", "job 1"]
    for number, left in ((1, ["job 0", "job 2"]), (2, ["job 0", "job 3"])):
        futures[number].set_result(number)
        assert reports[-1] == left
    futures[0].set_result(0)
    thread.join()
    assert first == [0] and reports[-1] == ["job 3"]
    futures[3].set_result(3)
    assert [*results] == [1, 2, 3] and reports[-1] == []


def test_nobody_is_told_after_the_end():
    witness = mpi.Witness()
    witness.report(["job 0"])
    witness.dismiss()
    witness.report(["job 1"])  # the pipe is closed, and its number may be another file's
    assert witness.pipe is None
