"""Kernels are compiled and cached wherever there is a place, and without one all the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from replication import compiled

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
USE = """
import warnings; warnings.simplefilter("ignore", DeprecationWarning)  # Box2D's
import numpy as np
from replication.tasks.car_frames import to_frame
state = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
print(to_frame(state).tobytes().hex())
"""


@pytest.fixture
def package(tmp_path) -> Path:
    """A copy of the package into which nothing can be written: __pycache__ is a file."""
    folder = tmp_path / "package"
    shutil.copytree(
        ROOT / "replication", folder / "replication", ignore=shutil.ignore_patterns("__pycache__")
    )
    for directory in [folder, *folder.rglob("*")]:
        if directory.is_dir():
            (directory / "__pycache__").touch()
    return folder


def run(code: str, package: Path, temporary: Path) -> str:
    """What a process prints that has no home; /proc takes no files, whoever asks."""
    nowhere = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"}
    nowhere |= {"MPLCONFIGDIR": "/proc/nowhere", "TMPDIR": str(temporary)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=package,
        env=os.environ | nowhere | {"PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_without_a_home_the_cache_is_among_the_temporary_files(package, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    first, second = (run(USE, package, temporary) for _ in range(2))
    assert first == second
    (folder,) = temporary.glob(f"{compiled.NAME}-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.rglob("*.nbc"))


def test_the_numbers_are_the_same_without_a_cache(package, tmp_path, monkeypatch):
    code = "import tempfile; tempfile.tempdir = '/proc/nowhere'\n" + USE
    from replication.tasks.car_frames import to_frame

    state = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    assert run(code, package, tmp_path).strip() == to_frame(state).tobytes().hex()


def test_figures_can_be_drawn_without_a_home(package, tmp_path):
    run("import replication.figures, matplotlib.pyplot as p; p.figure()", package, tmp_path)


def test_stock_needs_no_place_to_write(package, tmp_path):
    code = "from replication.tasks.car_racing import make_env_v3\n"
    code += "print(make_env_v3(stock=True).reset(seed=0)[0].shape)"
    assert "(96, 96, 3)" in run(code, package, tmp_path)


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path, monkeypatch):
    shared = tmp_path / compiled.NAME
    shared.mkdir()
    shared.chmod(0o777)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert compiled.cache_folder() == temporary / f"{compiled.NAME}-{os.getuid()}"
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    assert compiled.cache_folder() is None


def test_other_sources_have_another_cache(package):
    """numba would run the old kernels: it knows only the file that a kernel begins in."""
    rendering = package / "replication" / "envs" / "rendering"
    before = compiled.sources(rendering)
    with (rendering / "surface.py").open("a") as file:
        file.write("# changed\n")
    compiled.sources.cache_clear()
    assert compiled.sources(rendering) != before
