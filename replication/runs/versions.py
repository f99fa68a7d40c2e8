"""Which versions a result was made with: it stands in every run's versions.json."""

import contextlib
import importlib.metadata
import os
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
    # A hook's or a user's GIT_DIR may name another repository.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        said = subprocess.check_output(git, text=True, stderr=subprocess.DEVNULL, env=own)
        found["git"] = said.strip()
    return found
