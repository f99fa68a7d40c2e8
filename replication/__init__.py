"""World Models (Ha & Schmidhuber 2018) on CarRacing-v3: V, M and C in Keras and TensorFlow 2."""

import os

# Read by TensorFlow and OpenBLAS when they load, so they are set before anything is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no start-up noise
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # off by default on AMD: V far slower
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # CMA-ES alike on 2 cores and on 64
# The instructions that AMD's and Intel's CPUs have in common: all add up in the same order, and an
# agent drives alike on either, to the last bit. With AVX-512 it is some 10% faster, and drives
# differently.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")

from replication import envs  # noqa: F401  registers replication/FastCarRacing-v3
