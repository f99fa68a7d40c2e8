"""Which versions a result was made with: it stands in every run's versions.json."""

import contextlib
import importlib.metadata
import platform
import subprocess
from pathlib import Path

PACKAGES = (
    "tensorflow keras tensorflow-probability tf-keras gymnasium Box2D pygame-ce cma mpi4py numpy"
    " numba pillow"
)


def versions() -> dict[str, str]:
    """Python, the packages that results depend on, and the commit of this repository."""
    found = {"python": platform.python_version()}
    for package in PACKAGES.split():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        found["git"] = subprocess.check_output(git, text=True, stderr=subprocess.DEVNULL).strip()
    return found
