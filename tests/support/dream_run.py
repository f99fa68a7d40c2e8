"""A run of random weights that dream.py works on, and the two episodes of its series."""

import dataclasses
from pathlib import Path

from replication import dream
from replication.dataset.episodes import list_episodes
from replication.dataset.series import write_series
from replication.presets import PRESETS
from replication.rollouts.agent_files import load_encoder
from replication.runs import files, folders
from replication.tasks.car_racing import CAR_RACING_V3
from replication.vae.vae import to_float

import numpy as np
import pytest
from agents import write_agent
from dreaming import HEADS, random_rnn

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")


def finish(name: str, output: str) -> None:
    record = {"identity": {}, "output": output, "reached": "", "seconds": 1.0}
    files.write_json(folders.stage_folder(CONFIG, name) / "done.json", record)


def write_episode(seed: int, obs: np.ndarray, action: np.ndarray) -> None:
    folder = folders.record_folder(CONFIG)
    folder.mkdir(parents=True, exist_ok=True)
    zeros = np.zeros(len(obs), np.float32)
    arrays = {"obs": obs, "action": np.float32(action), "reward": zeros}
    np.savez(folder / f"{seed:010d}.npz", **arrays, terminated=zeros > 0)


@pytest.fixture(scope="module")
def tiny_home(tmp_path_factory):
    """A run of random weights, and the two episodes that its series are made of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "HOME", tmp_path_factory.mktemp("home"))
        folder, random = folders.run_folder("mine"), np.random.default_rng(0)
        write_agent(folder, random_rnn(HEADS))
        series = folders.series_folder(CONFIG)
        series.mkdir(parents=True)
        for seed in (20, 21):  # 20 is held out
            obs = random.integers(0, 256, (60, 64, 64, 3), np.uint8)
            write_episode(seed, obs, random.uniform(0, 1, (60, 3)))
        encoder = load_encoder(folder)
        see = lambda obs: encoder(to_float(obs))  # noqa: E731
        write_series(see, list_episodes(CONFIG), CAR_RACING_V3, series)
        files.write_json(series / "series.json", {"vae": "v"})
        finish("train_vae", "v")
        finish("series", "s")
        yield folders.HOME


@pytest.fixture
def tiny_run(tiny_home, monkeypatch):
    monkeypatch.setattr(folders, "HOME", tiny_home)
    return tiny_home / "checkpoints" / "mine"


def run(*argv: str) -> None:
    dream.main(dream.parse_options(["--run", "mine", "--seconds", "0.4", *argv]))


def files_of(folder: Path) -> dict[str, bytes]:
    """All but the record, which holds the time that it took."""
    paths = sorted(folder.glob("*.*"))
    return {path.name: path.read_bytes() for path in paths if path.name != "done.json"}
