"""Kernels compile where numba can write nowhere, and are cached where it can."""

import os
import subprocess
import sys
from pathlib import Path

from replication.envs.rendering import compile as compiling

import pytest

KERNEL = """
from kernels.compile import compiled

@compiled(nogil=True)
def double(x):
    return 2 * x
"""


@pytest.fixture
def kernels(tmp_path):
    """A package of one kernel beside a copy of compile.py."""
    package = tmp_path / "kernels"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "kernel.py").write_text(KERNEL)
    (package / "compile.py").write_bytes(Path(compiling.__file__).read_bytes())
    return package


def run(kernels: Path, code: str, home: str) -> subprocess.CompletedProcess:
    """Run code in a process whose home and caches are in `home`."""
    hidden = {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    variables |= {"HOME": home, "PYTHONPATH": str(kernels.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True)


def test_without_a_place_to_write(kernels):
    (kernels / "__pycache__").touch()  # a file: numba can make no folder of that name
    plain = KERNEL.replace("from kernels.compile import compiled", "from numba import njit")
    (kernels / "plain.py").write_text(plain.replace("compiled(", "njit(cache=True, "))
    raises = run(kernels, "import kernels.plain", home="/dev/null")
    assert "no locator available" in raises.stderr
    works = run(kernels, "from kernels.kernel import double; print(double(21))", home="/dev/null")
    assert (works.stdout, works.stderr) == ("42\n", "")


def test_with_one_it_is_cached(kernels):
    code = "from kernels.kernel import double; double(21); print(len(double.stats.cache_hits))"
    hits = [run(kernels, code, home=str(kernels.parent)).stdout for _ in range(2)]
    assert hits == ["0\n", "1\n"]


def test_other_errors_are_raised(monkeypatch):
    def fails(**options):
        raise RuntimeError("something else")

    monkeypatch.setattr(compiling, "njit", fails)
    with pytest.raises(RuntimeError, match="something else"):
        compiling.compiled()(abs)
