"""World Models (Ha & Schmidhuber 2018) on CarRacing: V, M and C in Keras and TensorFlow 2."""

import importlib.util
import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _refuse_another_clones_script() -> None:
    """End a script of another clone, which Python would run with this clone's modules."""
    script = Path(getattr(sys.modules["__main__"], "__file__", None) or __file__).resolve()
    clone = script.parent.parent
    if script.parent == PACKAGE or not (script.parent / "parallel" / "mpi.py").exists():
        return
    if {os.environ.get("PMI_RANK", "0"), os.environ.get("OMPI_COMM_WORLD_RANK", "0")} == {"0"}:
        print(
            f"{script.name}: {script} would run the code of {PACKAGE}, which this Python has"
            f" installed; call {clone}/.venv/bin/python (bash run_all.sh makes it), or set"
            f" PYTHONPATH={clone}",
            file=sys.stderr,
        )
    sys.exit(2)


_refuse_another_clones_script()

# NumPy, OpenBLAS, TensorFlow and Numba read these as they load, so they are set before any of them
# is imported. What changes our numbers does not follow the user's environment; replication/tf.py
# does the same for what only TensorFlow and Keras read.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # other kernels; on AMD the default is off, V far slower
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # CMA-ES alike on 2 cores and on 64
for _name in (  # other instructions, which round in other ways; plain Python, which takes for ever
    *("NPY_ENABLE_CPU_FEATURES", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX"),
    *("NUMBA_OPT", "NUMBA_DISABLE_JIT"),
):
    os.environ.pop(_name, None)
# The instructions that AMD's and Intel's CPUs have in common: all add up in the same order, and an
# agent drives alike on either, to the last bit. With AVX-512 it is some 10% faster, and drives
# differently. Another choice is the user's: ONEDNN_MAX_CPU_ISA=DEFAULT takes what the CPU has.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"  # NumPy's names of AVX-512
# These change no number.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no start-up noise
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
# A notebook gives its backend to the commands that are typed in it; matplotlib refuses one that is
# not installed here.
_backend = os.environ.get("MPLBACKEND", "").removeprefix("module://").partition(".")[0]
if _backend == "matplotlib_inline" and importlib.util.find_spec(_backend) is None:
    del os.environ["MPLBACKEND"]

from replication import envs  # noqa: E402, F401  registers the environments
