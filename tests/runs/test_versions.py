"""What versions.json says: of this repository, whatever git is told of another one."""

import subprocess

from replication.runs.versions import versions


def test_another_repository_in_the_environment_is_not_named(tmp_path, monkeypatch):
    subprocess.check_call(["git", "init", "-q", str(tmp_path)])
    before = versions()
    assert {"python", "tensorflow", "numpy", "git"} <= set(before)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert versions() == before
