"""The environment variables that MPI reads as it starts processes, and as each of them starts."""

import os
from collections.abc import Mapping, MutableMapping

# Where SLURM, PBS, LSF, Grid Engine, Cobalt and the user name hosts: mpirun starts processes there.
HOSTS = ("SLURM_", "PBS_", "LSB_", "PE_HOSTFILE", "COBALT_", "HYDRA_HOST_FILE")
ON_THIS_MACHINE = {
    "HYDRA_LAUNCHER": "fork",  # MPICH: not by srun, ssh or the like
    "HYDRA_RMK": "user",  # MPICH: ask no scheduler
    # Open MPI 5 and 4: more processes than cores are welcome, as the master only waits.
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}


def local_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """A copy of the environment in which mpirun starts all processes on this machine.

    Inside a scheduler's allocation mpirun would start them on its hosts, by means that a container
    seldom has: MPICH's then fails and hangs.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(HOSTS)}
    return kept | ON_THIS_MACHINE


def prepare(environ: MutableMapping[str, str]) -> None:
    """Set what a process of MPICH reads as it starts, for small shared memory and under `srun`.

    MPICH takes 5.4 MB of /dev/shm for each process, and Docker gives 64 MB to all of them: of 16,
    some crash. With smaller queues, and none of UCX's own, it takes 0.14 MB and is as fast.

    An `srun` around mpirun, or around a single process, sets PMIx's variables. MPICH of PyPI has
    no PMIx and aborts when it sees them.
    """
    environ.setdefault("MPIR_CVAR_CH4_SHM_POSIX_IQUEUE_NUM_CELLS", "8")
    environ.setdefault("UCX_TLS", "^shm")
    by_mpich = "PMI_SIZE" in environ
    by_srun = environ.get("PMIX_NAMESPACE", "").startswith("slurm.")
    if by_mpich or (by_srun and environ.get("SLURM_STEP_NUM_TASKS") == "1"):
        for name in [name for name in environ if name.startswith("PMIX_")]:
            del environ[name]
