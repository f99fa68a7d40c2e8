"""MPI starts inside a scheduler's allocation, under srun's PMIx, and with small shared memory."""

import os
import subprocess
import sys

from replication import pipeline
from replication.parallel.environment import local_environment, prepare

import pytest
import tiny

# Rank 0 prints how many processes it can reach.
COUNT = """
from replication.parallel import mpi
count = mpi.MPI.COMM_WORLD.reduce(1)
if mpi.is_master():
    print(count)
"""
SLURM = {
    "SLURM_JOBID": "7", "SLURM_NNODES": "2", "SLURM_NODELIST": "node[01-02]",
    "SLURM_TASKS_PER_NODE": "1(x2)", "SLURM_NTASKS": "2",
    "HYDRA_BOOTSTRAP": "slurm", "HYDRA_LAUNCHER_EXTRA_ARGS": "--external-launcher",
}  # fmt: skip
PMIX = {
    "PMIX_NAMESPACE": "slurm.pmix.7.0", "PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "1",
    "PMIX_SERVER_URI2": "pmix-server.1;tcp4://127.0.0.1:1",
}  # fmt: skip
# Each variable that names a file names one with hosts that do not exist.
SCHEDULERS = {
    "SLURM": SLURM,
    "SLURM, in an srun with PMIx": SLURM | PMIX,
    "PBS": {"PBS_JOBID": "7", "PBS_NODEFILE": "node01\nnode02\n"},
    "LSF": {"LSB_JOBID": "7", "LSB_HOSTS": "node01 node02", "LSB_MCPU_HOSTS": "node01 1 node02 1"},
    "Grid Engine": {"JOB_ID": "7", "PE_HOSTFILE": "node01 1 q UNDEFINED\nnode02 1 q UNDEFINED\n"},
    "Cobalt": {"COBALT_NODEFILE": "node01\nnode02\n"},
    "MPICH's own": {"HYDRA_HOST_FILE": "node01\nnode02\n", "HYDRA_LAUNCHER": "ssh"},
}


def run(words: list[str], environment: dict[str, str]) -> str:
    """What a command prints; MPI that waits for another host fails within a minute."""
    ended = subprocess.run(
        words, env=environment, cwd=tiny.ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", SCHEDULERS)
def test_in_an_allocation_the_pipeline_starts_processes_of_this_machine(
    name, tmp_path, monkeypatch
):
    for variable, value in SCHEDULERS[name].items():
        if "\n" in value:
            path = tmp_path / variable
            path.write_text(value)
            value = str(path)
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("REPLICATION_PROCESSES", "3")
    words = [*pipeline.mpirun(), sys.executable, "-c", COUNT]
    assert run(words, local_environment()).split() == ["3"]


def test_the_pipeline_gives_its_stages_that_environment(home, monkeypatch):
    for variable, value in SLURM.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("KEPT", "as it is")
    given = []
    monkeypatch.setattr(pipeline.subprocess, "call", lambda words, env: given.append(env) or 1)
    with pytest.raises(SystemExit):
        pipeline.main(["quick"])
    slow_bars = {"TQDM_MININTERVAL": "10"}  # as nobody watches
    assert given == [slow_bars | local_environment()]
    assert given[0]["KEPT"] == "as it is"
    assert not [variable for variable in given[0] if variable.startswith("SLURM_")]


def test_under_an_srun_with_pmix_a_users_own_mpirun_and_one_process_start():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")} | PMIX
    assert run([sys.executable, "-c", COUNT], environment).split() == ["1"]
    words = [tiny.MPIRUN, "-launcher", "fork", "-n", "2", sys.executable, "-c", COUNT]
    assert run(words, environment).split() == ["2"]


@pytest.mark.parametrize(
    ("environ", "kept"),
    [
        (PMIX, []),
        ({"PMI_SIZE": "2", "PMIX_RANK": "0"}, ["PMI_SIZE"]),
        (PMIX | {"SLURM_STEP_NUM_TASKS": "2"}, ["PMIX_NAMESPACE", "PMIX_RANK", "PMIX_SERVER_URI2"]),
        ({"PMIX_NAMESPACE": "prterun-7", "PMIX_RANK": "0"}, ["PMIX_NAMESPACE", "PMIX_RANK"]),
    ],
    ids=["srun -n 1", "MPICH's mpirun", "srun -n 2", "Open MPI's mpirun"],
)
def test_pmix_is_hidden_only_where_mpich_does_not_need_it(environ, kept):
    environ = dict(environ)
    prepare(environ)
    assert sorted(name for name in environ if name.startswith("PMI")) == kept


def test_a_users_own_settings_of_mpi_stay():
    environ = {"UCX_TLS": "rc", "MPIR_CVAR_CH4_SHM_POSIX_IQUEUE_NUM_CELLS": "64"}
    prepare(kept := dict(environ))
    assert kept == environ


def in_small_shared_memory(size: str, words: list[str]) -> list[str]:
    """The words of a command that sees a /dev/shm of this size, in a mount namespace of its own."""
    mount = f'mount -t tmpfs -o size={size} tmpfs /dev/shm && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *words]


def test_small_shared_memory_is_enough(monkeypatch):
    """2 MB for three processes, as Docker's 64 MB for 96; by its own settings MPICH crashes."""
    try:
        subprocess.run(in_small_shared_memory("2m", ["true"]), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this system allows no mount namespace: {error}")
    monkeypatch.setenv("REPLICATION_PROCESSES", "3")
    words = [*pipeline.mpirun(), sys.executable, "-c", COUNT]
    assert run(in_small_shared_memory("2m", words), local_environment()).split() == ["3"]
