"""What several test files share: a temporary home, a tiny run, made-up episodes, a counting env."""

import dataclasses
import fcntl
import os
from pathlib import Path

from replication.runs import folders
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
import pytest
import tiny
from counting import CountingEnv
from dream_run import tiny_home, tiny_run  # noqa: F401  fixtures

SLOW_FOLDERS = {"end_to_end", "parallel", "published"}
SLOW_FILES = {
    *("test_car_racing", "test_drop_in", "test_settings", "test_clones", "test_compiled"),
    *(
        "test_train_vaegan",
        "test_train_controller",
        "test_events",
        "test_dream",
        "test_dream_keys",
        "test_figures",
    ),
    *("test_browser", "test_figures_vaegan", "test_filmed_drive", "test_car_racing_v0"),
    *("test_numbers_in_browser", "test_article_in_browser", "test_demo"),
}
SLOW_FIXTURES = {"finished", "built"}  # whole runs


def pytest_collection_modifyitems(items) -> None:
    """Mark as slow what runs whole stages, starts processes, or compares thousands of frames."""
    for item in items:
        is_slow = item.path.stem in SLOW_FILES or SLOW_FIXTURES & set(item.fixturenames)
        if is_slow or SLOW_FOLDERS & set(item.path.parts):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def together(tmp_path_factory) -> Path:
    """A folder that all workers of pytest-xdist share; without it, the session's own."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def compiled(together) -> None:
    """The fast renderer's kernels, compiled and compared with stock by one worker for all."""
    with open(together / "compiled.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        obs, _ = CAR_RACING_V3.make_env().reset(seed=0)
        CAR_RACING_V3.frames["plain"](obs)


@pytest.fixture(scope="session")
def finished(together, compiled, tmp_path_factory) -> Path:
    """The home of a tiny run that is done up to C, made once for all; copy what you change."""
    home = together / "tiny"
    with open(together / "tiny.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not home.exists():
            making = tmp_path_factory.mktemp("tiny")
            tiny.make(making)
            making.rename(home)
    return home


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A repository of this test's own: checkpoints/ and data/ are made here."""
    monkeypatch.setattr(folders, "HOME", tmp_path)
    return tmp_path


@pytest.fixture
def run(home):
    """A finished run, made up, as figures read it."""
    from replication.report.run_record import read_run

    import saved_run

    saved_run.write_run()
    return read_run(saved_run.CONFIG)


@pytest.fixture
def gan(run):
    """A run whose V is a VAE-GAN, as figures read it, beside the run `run`."""
    from replication.report.run_record import read_run

    import saved_run

    saved_run.write_vaegan()
    return read_run(dataclasses.replace(saved_run.CONFIG, run="gan", data=""))


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The folder of a finished run and its page, a VAE-GAN laid over; for tests that only look."""
    from replication import figures

    import saved_run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "HOME", tmp_path_factory.mktemp("home"))
        saved_run.write_run()
        saved_run.write_vaegan()
        # A stage at work owns the run's folder, and its curves can be drawn all the same.
        with folders.lock(folders.run_folder(saved_run.CONFIG.run)):
            figures.main(saved_run.CONFIG, ["gan"])
        return folders.run_folder(saved_run.CONFIG.run)


def _write_episode(folder: Path, seed: int, length: int = 12, **arrays) -> Path:
    """A recorded episode of DESIGN's format: frame t is (t, seed, t + seed) everywhere, mod 256.

    action[t] = (t, seed, t + seed) / 1000, reward[t] = t, terminated nowhere; `arrays` replace
    these. Returns its path.
    """
    time = np.arange(length)
    signs = np.stack([time, np.full(length, seed), time + seed], axis=1)  # (T, 3)
    made_up = {
        "obs": np.broadcast_to(np.uint8(signs % 256)[:, None, None], (length, 64, 64, 3)),
        "action": np.float32(signs / 1000),
        "reward": np.float32(time),
        "terminated": np.zeros(length, bool),
    }
    path = folder / f"{seed:010d}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **(made_up | arrays))
    return path


@pytest.fixture
def write_episode():
    return _write_episode


@pytest.fixture
def counting_env():
    return CountingEnv
