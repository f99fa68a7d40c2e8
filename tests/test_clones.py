"""A script runs the code of its own clone, or says that it cannot."""

import shutil
import sys
from pathlib import Path

import pytest
import tiny


@pytest.fixture
def clone(tmp_path) -> Path:
    """A second clone's scripts; Python imports the first clone's modules, as if installed."""
    return Path(shutil.copytree(tiny.ROOT / "replication", tmp_path / "clone" / "replication"))


def run_clone(clone: Path, *start: str, pythonpath: Path = tiny.ROOT) -> tiny.Ended:
    words = [*start, sys.executable, str(clone / "train_vae.py"), "--no-such-option"]
    return tiny.command(words, clone.parent, cwd=clone.parent.parent, PYTHONPATH=str(pythonpath))


@pytest.mark.parametrize("start", [(), (tiny.MPIRUN, "-launcher", "fork", "-n", "2")])
def test_a_script_of_another_clone_is_refused_in_one_line(clone, start):
    complaint = run_clone(clone, *start).complaint
    assert complaint.startswith(f"train_vae.py: {clone}/train_vae.py would run the code of ")
    assert str(tiny.ROOT / "replication") in complaint
    assert f"PYTHONPATH={clone.parent}" in complaint


def test_the_remedy_works(clone):
    ended = run_clone(clone, pythonpath=clone.parent)
    assert ended.status == 2
    assert "would run the code of" not in ended.err
    assert "no-such-option" in ended.err + ended.out


def test_a_link_to_a_script_is_no_other_clone(tmp_path):
    link = tmp_path / "linked"
    link.symlink_to(tiny.ROOT / "replication")
    ended = tiny.command([sys.executable, str(link / "pipeline.py"), "--help"], tmp_path)
    assert ended.status == 0, ended.err
