"""Master and workers over MPI: rank 0 hands out jobs, the other ranks do them.

Without mpirun the one process is both. Workers read no file of the run: the master sends them what
they need, and each calls `start(*payload)` once before its first job.
"""

import collections
import contextlib
import functools
import itertools
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

from replication.config import UserError
from replication.runs.script import run_script

from mpi4py import MPI
from mpi4py.futures import MPICommExecutor

AHEAD = 4  # jobs under way for each worker: no worker waits, and few results wait for the master
# The state of this process. failure: the exception that start() raised; busy: whether a signal
# may interrupt it, as it does a job or is the master; stopped: whether Ctrl-C was pressed.
WORKER: dict = {"failure": None, "busy": False, "stopped": False}


def _stop(*_) -> None:
    """Handle Ctrl-C under mpirun: end the job, refuse the next ones, wait for the pool to close."""
    WORKER["stopped"] = True
    if WORKER["busy"]:
        raise KeyboardInterrupt


if MPI.COMM_WORLD.size > 1:  # a rank that exits on its own leaves the others waiting for ever
    signal.signal(signal.SIGINT, _stop)


def is_master() -> bool:
    return MPI.COMM_WORLD.rank == 0


def workers() -> int:
    """The number of processes that do jobs: all but the master, or 1 if it is alone."""
    return max(1, MPI.COMM_WORLD.size - 1)


def job_size(tasks: int, largest: int, workers: int) -> int:
    """The number of tasks in a job, at most `largest`, so that all workers get as many jobs."""
    rounds = -(-tasks // (workers * largest))
    return -(-tasks // (workers * rounds)) if tasks else 1


def run_parallel(main: Callable[[], None]) -> None:
    """Call a script's main on rank 0; the other ranks are the workers of the pool it opens."""
    run_script(_serving(main) if is_master() else _serve)


def _serve() -> None:
    with MPICommExecutor():
        pass  # a worker does its jobs in here, until the master closes the pool


def _serving(main: Callable[[], None]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            WORKER["busy"] = True
            if WORKER["stopped"]:
                raise KeyboardInterrupt
            main()
        finally:
            WORKER["busy"] = False
            if not Pool.opened:  # main ended without it: open one, so that the workers can leave
                with MPICommExecutor():
                    pass

    return guarded


class Pool:
    """Workers that are ready for jobs; `opened` says whether this process ever had one."""

    opened = False

    def __init__(self, executor):
        self.executor = executor  # None: this process does the jobs itself
        self.ahead = AHEAD * workers() if executor is not None else 1
        self.witness = Witness()

    def map(self, job: Callable, jobs: Iterable, name: Callable[[object], str]) -> Iterator:
        """Yield job(j) for each j, in order; a job that fails raises a UserError with its name.

        mpi4py's own map(buffersize=...) bounds the jobs under way, too, but does not tell which
        they are: errors and the witness need their names.
        """
        queue, under_way = iter(jobs), collections.deque()
        while True:
            for item in itertools.islice(queue, self.ahead - len(under_way)):
                future = self._submit(job, item)
                under_way.append((name(item), future))
                future.add_done_callback(lambda _: self._report(under_way))
            self._report(under_way)
            if not under_way:
                return
            label, future = under_way[0]
            try:
                result = future.result()
            except UserError:
                raise
            except Exception as error:
                raise UserError(f"{label} failed: {type(error).__name__}: {error}") from error
            under_way.popleft()
            yield result

    def _submit(self, job: Callable, item) -> Future:
        """Start a job; alone, it is done when its result is asked for."""
        if self.executor is None:
            return _Own(functools.partial(_run_job, job, item))
        return self.executor.submit(_run_job, job, item)

    def _report(self, under_way: collections.deque) -> None:
        """Tell the witness which jobs the workers have: the first ones that are not done."""
        names = [label for label, future in list(under_way) if not future.done()]
        self.witness.report(names[: workers()])


class _Own(Future):
    """A job that the master does itself, when its result is asked for."""

    def __init__(self, job: Callable):
        super().__init__()
        self.job = job

    def result(self, timeout=None):
        return self.job()


@contextlib.contextmanager
def pool(start: Callable | None = None, payload: tuple = ()) -> Iterator[Pool]:
    """Open the pool on rank 0; every worker calls start(*payload) before its first job."""
    Pool.opened = True
    with _executor(start, payload) as executor:
        opened = Pool(executor)
        try:
            yield opened
        finally:
            opened.witness.dismiss()


@contextlib.contextmanager
def _executor(start: Callable | None, payload: tuple) -> Iterator:
    """Yield mpi4py's executor over the workers, or None where the master is alone."""
    if MPI.COMM_WORLD.size == 1:
        _start(start, payload)
        yield None
        return
    with MPICommExecutor(initializer=_start, initargs=(start, payload)) as executor:
        try:
            yield executor
        except BaseException:
            WORKER["busy"] = False  # a second Ctrl-C must not interrupt the closing of the pool
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _start(start: Callable | None, payload: tuple) -> None:
    """Prepare a worker; its first job raises what went wrong here, as mpi4py hides it."""
    WORKER["failure"] = None
    try:
        if start:
            start(*payload)
    except Exception as error:
        WORKER["failure"] = error


def _run_job(job: Callable, item):
    """Run one job in a worker; an exception's message gets the worker's rank and host."""
    try:
        if WORKER["failure"]:
            raise WORKER["failure"]
        WORKER["busy"] = True
        if WORKER["stopped"]:
            raise KeyboardInterrupt
        return job(item)
    except KeyboardInterrupt:
        if is_master():
            raise
        raise UserError("stopped") from None
    except UserError:
        raise
    except Exception as error:
        where = f"rank {MPI.COMM_WORLD.rank} on {socket.gethostname()}"
        raise RuntimeError(f"{where}: {type(error).__name__}: {error}") from error
    finally:
        WORKER["busy"] = is_master()


class Witness:
    """A child process of the master that names the lost jobs if the master is killed.

    mpirun kills all ranks as soon as one of them dies, so no rank could print it.
    """

    def __init__(self):
        self.lock = threading.Lock()
        read_end, self.pipe = os.pipe()
        if os.fork() == 0:
            try:
                # Close the master's other files: its lock on the run must end with the master.
                os.closerange(3, read_end)
                os.closerange(read_end + 1, os.sysconf("SC_OPEN_MAX"))
                os.setsid()
                _name_lost_jobs(read_end)
            finally:
                os._exit(0)  # whatever happens, the child must not go on as a second master
        os.close(read_end)

    def report(self, jobs: list[str]) -> None:
        """Send the child the names of the jobs that are under way now; from any thread."""
        with self.lock:
            if self.pipe is not None:
                os.write(self.pipe, (", ".join(jobs) + "\n").encode())

    def dismiss(self) -> None:
        self.report([])
        with self.lock:
            os.close(self.pipe)
            self.pipe = None


def _name_lost_jobs(pipe: int) -> None:
    """Read reports until the master is gone, then print the jobs of the last one, if any."""
    reports = b""
    while part := os.read(pipe, 65536):
        reports = (reports + part)[-65536:]
    jobs = reports.decode().split("\n")[-2] if b"\n" in reports else ""
    if jobs:
        line = f"a process was killed; lost: {jobs}. The same command goes on from there\n"
        os.write(2, line.encode())
