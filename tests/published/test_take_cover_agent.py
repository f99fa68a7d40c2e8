"""Take Cover's published agent: whole, small, without a pickle, and as the docs say it is."""

import json
import subprocess
from pathlib import Path

from replication.config import Env
from replication.dataset.episodes import HELD_OUT
from replication.dataset.series import load_series
from replication.report.run_record import read_run
from replication.rollouts.agent import LinearControllers
from replication.rollouts.agent_files import load_agent
from replication.rollouts.loop import Trial, drive
from replication.rollouts.workers import make_real_world
from replication.runs import records
from replication.runs.logs import read_log
from replication.runs.seeds import Purpose, derive_seed

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "checkpoints" / "take_cover"
DATA = ROOT / "data" / "take_cover"


def shipped() -> list[Path]:
    """What git keeps."""
    listed = subprocess.check_output(
        ["git", "-C", str(ROOT), "ls-files", str(AGENT), str(DATA)], text=True
    )
    return [ROOT / name for name in listed.splitlines()]


def evaluation() -> dict:
    return json.loads((AGENT / "evaluation" / "400_tracks_seed_0.json").read_text())


def test_it_is_small_and_holds_no_pickle():
    assert 20e6 < sum(path.stat().st_size for path in shipped()) < 30e6
    assert not [path for path in shipped() if path.suffix in (".pkl", ".pickle")]
    for path in (path for path in shipped() if path.suffix == ".npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].size for name in arrays)
    for path in (path for path in shipped() if path.suffix == ".npy"):
        assert np.load(path, allow_pickle=False).size


def test_its_score_is_that_of_its_returns_and_stands_in_the_readme():
    score = evaluation()
    returns = np.array([game["return"] for game in score["returns"]])
    assert (returns.mean(), returns.std()) == pytest.approx((score["mean"], score["std"]))
    assert [game["seed"] for game in score["returns"]] == [2**32 + i for i in range(400)]
    assert f"{score['mean']:.1f} ± {score['std']:.1f}" in (ROOT / "README.md").read_text()
    assert score["mean"] > score["controls"]["sweep"]["mean"]


def test_its_c_is_the_best_rounds_chosen_on_other_games():
    best, chosen = (
        json.loads((AGENT / name).read_text())
        for name in ("controller/best.json", "rounds/controller.json")
    )
    assert best["parameters"] == chosen["parameters"]
    assert chosen["round"] <= len(read_log(AGENT / "rounds" / "log.jsonl")) == 8
    games = [derive_seed(0, Purpose.ROUND_FINAL, place) for place in range(32)]
    assert max(games) < min(game["seed"] for game in evaluation()["returns"])


def test_its_page_can_be_drawn():
    run = read_run(records.load_config("take_cover"))
    assert all(run.records[name] for name in run.stages if name not in ("demo", "figures"))
    assert run.evaluation["episodes"] == 400 and run.rollout and run.events and run.gate


def test_its_dreams_start_from_held_out_recordings():
    series = load_series(records.load_config("take_cover"))
    assert (series["seed"] % HELD_OUT == 0).all()
    recorded = {int(path.stem) for path in (DATA / "record").glob("*.npz")}
    assert recorded == set(series["seed"].tolist())


def test_it_has_the_parameters_of_the_papers():
    parts, parameters = load_agent(AGENT)
    assert sum(weights.size for weights in parts.rnn) == 1_678_785
    assert parameters.shape == (1_088,)


def test_it_plays():
    """Eight seconds of each of four games: a player that stands has died by then, 141 ± 55."""
    pytest.importorskip("vizdoom")
    parts, parameters = load_agent(AGENT)
    world = make_real_world(parts, Env(), width=4)
    trials = [Trial(seed, parameters, max_steps=280) for seed in range(4)]
    episodes = drive(world, LinearControllers(parts.controller), trials)
    assert np.mean([episode.total for _, episode in episodes]) > 200
