"""Master and workers over MPI: rank 0 hands out jobs, the others do them; one process does both.

Workers read no file: what they need reaches them with `start(*payload)`, once, before the jobs.
"""

import collections
import contextlib
import functools
import itertools
import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator

from replication.config import UserError
from replication.runs.script import run_script

from mpi4py import MPI
from mpi4py.futures import MPICommExecutor

AHEAD = 4  # jobs handed out for each worker: it never waits, and results never pile up
# Of this process: what went wrong as it started; whether it may be interrupted; whether it was.
WORKER: dict = {"failure": None, "busy": False, "stopped": False}


def _stop(*_) -> None:
    """Ctrl-C under mpirun: leave the job, take no other, stay until the master ends the pool."""
    WORKER["stopped"] = True
    if WORKER["busy"]:
        raise KeyboardInterrupt


if MPI.COMM_WORLD.size > 1:  # from here on: a rank that left alone would let the others wait
    signal.signal(signal.SIGINT, _stop)


def is_master() -> bool:
    return MPI.COMM_WORLD.rank == 0


def workers() -> int:
    """Processes that do jobs: all but the master, which waits; alone, the master itself."""
    return max(1, MPI.COMM_WORLD.size - 1)


def job_size(tasks: int, largest: int, workers: int) -> int:
    """Tasks in a job: at most `largest`, and as many jobs of nearly one size for each worker."""
    rounds = -(-tasks // (workers * largest))
    return -(-tasks // (workers * rounds)) if tasks else 1


def run_parallel(main: Callable[[], None]) -> None:
    """Call a script's main on rank 0 while the other ranks serve the pool that it opens."""
    run_script(_serving(main) if is_master() else _serve)


def _serve() -> None:
    with MPICommExecutor():
        pass  # a worker stays in here until the master leaves its pool


def _serving(main: Callable[[], None]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            WORKER["busy"] = True
            if WORKER["stopped"]:
                raise KeyboardInterrupt
            main()
        finally:
            WORKER["busy"] = False
            if not Pool.opened:  # it failed, or had nothing to do, before it needed workers
                with MPICommExecutor():
                    pass

    return guarded


class Pool:
    """Workers that are ready for jobs."""

    opened = False

    def __init__(self, executor):
        self.executor = executor  # None: this process does the jobs itself
        self.ahead = AHEAD * workers() if executor is not None else 1
        self.witness = Witness()

    def map(self, job: Callable, jobs: Iterable, name: Callable[[object], str]) -> Iterator:
        """Yield job(j) for each j in order; a failure ends everything and says which job it was."""
        queue, under_way = iter(jobs), collections.deque()
        while True:
            for item in itertools.islice(queue, self.ahead - len(under_way)):
                under_way.append((name(item), self._submit(job, item)))
            self.witness.tell([label for label, _ in under_way][: workers()])
            if not under_way:
                return
            label, result = under_way.popleft()
            try:
                yield result()
            except UserError:
                raise
            except Exception as error:
                raise UserError(f"{label} failed: {type(error).__name__}: {error}") from error

    def _submit(self, job: Callable, item) -> Callable:
        """Hand out a job; what is returned gives its result. Alone, it is done only then."""
        if self.executor is None:
            return functools.partial(_named, job, item)
        return self.executor.submit(_named, job, item).result


@contextlib.contextmanager
def pool(start: Callable | None = None, payload: tuple = ()) -> Iterator[Pool]:
    """Open the pool on rank 0: every worker first calls start(*payload)."""
    Pool.opened = True
    with _executor(start, payload) as executor:
        opened = Pool(executor)
        try:
            yield opened
        finally:
            opened.witness.dismiss()


@contextlib.contextmanager
def _executor(start: Callable | None, payload: tuple) -> Iterator:
    """mpi4py's executor over the workers that are ready; None where there are no workers."""
    if MPI.COMM_WORLD.size == 1:
        _start(start, payload)
        yield None
        return
    with MPICommExecutor(initializer=_start, initargs=(start, payload)) as executor:
        try:
            yield executor
        except BaseException:
            WORKER["busy"] = False  # no second Ctrl-C before the workers have been let go
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _start(start: Callable | None, payload: tuple) -> None:
    """Prepare a worker; what goes wrong is kept for the first job to raise, where it is heard."""
    WORKER["failure"] = None
    try:
        if start:
            start(*payload)
    except Exception as error:
        WORKER["failure"] = error


def _named(job: Callable, item):
    """Run one job in a worker; its host and rank go into whatever it raises."""
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
    """A child of the master that outlives it: mpirun kills every rank at once when one dies, so
    only a process that is not a rank can still say which jobs were under way.
    """

    def __init__(self):
        self.told, told = os.pipe()[::-1]
        if os.fork() == 0:
            try:
                # Nothing else of the master's: the run's lock must go with it.
                os.closerange(3, told)
                os.closerange(told + 1, os.sysconf("SC_OPEN_MAX"))
                os.setsid()
                _watch(told)
            finally:
                os._exit(0)  # whatever happens it must not go on as a second master
        os.close(told)

    def tell(self, jobs: list[str]) -> None:
        """The jobs that are under way from now on; an empty list: none."""
        os.write(self.told, (", ".join(jobs) + "\n").encode())

    def dismiss(self) -> None:
        self.tell([])
        os.close(self.told)


def _watch(told: int) -> None:
    """Read what the master tells until it is gone, then name the jobs it lost, if any."""
    heard = b""
    while part := os.read(told, 65536):
        heard = (heard + part)[-65536:]
    jobs = heard.decode().split("\n")[-2] if b"\n" in heard else ""
    if jobs:
        line = f"a process was killed; lost: {jobs}. The same command goes on from there\n"
        os.write(2, line.encode())
