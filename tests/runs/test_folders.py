"""Homes, links and locks: whatever the user's file system brings."""

import errno
import fcntl
import threading
from pathlib import Path

from replication.config import UserError
from replication.runs import folders

import pytest


@pytest.mark.parametrize("wanted", [None, ""])
def test_without_a_home_it_is_the_repository(wanted):
    assert folders.home_folder(wanted) == Path(__file__).resolve().parents[2]


def test_a_quoted_tilde_is_the_users_home(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert folders.home_folder("~/runs") == Path("/somewhere/runs")


def test_a_run_on_another_disk_is_known_by_its_links_name(home, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    (home / "checkpoints" / "laptop").mkdir(parents=True)
    for name in ("mine", "laptop/far"):
        target = scratch / name.replace("/", "_")
        target.mkdir()
        link = home / "checkpoints" / name
        link.symlink_to(target)
        assert folders.run_in(link) == folders.run_in(target) == name
    assert folders.run_in(scratch) is None


def test_two_names_of_a_lock_do_not_wait_for_each_other(tmp_path):
    def lock_both(first: str, second: str) -> None:
        with folders.lock(tmp_path, first), folders.lock(tmp_path, second):
            pass

    lock_both(".lock_a", ".lock_b")
    with pytest.raises(UserError, match="another process is writing"):
        lock_both(".lock_a", ".lock_a")


def test_who_waits_for_a_lock_gets_it_when_it_is_free(tmp_path):
    order = []

    def wait() -> None:
        with folders.lock(tmp_path, wait=True):
            order.append("second")

    with folders.lock(tmp_path):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_file_system_without_flock_is_named_with_the_remedy(tmp_path, monkeypatch):
    def flock(file, operation):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    expected = r"\.lock cannot be locked \(Function not implemented\).* REPLICATION_HOME"
    with pytest.raises(UserError, match=expected), folders.lock(tmp_path):
        pass
