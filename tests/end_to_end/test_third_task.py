"""Take Cover through every stage, on a made-up game: recordings, dream, gate, C, score, figures."""

import json

from replication.dataset.episodes import list_episodes
from replication.runs import folders, records

import made_up_doom
import numpy as np
import pytest
import tiny

FIELDS = """
    --run t --extract.episodes 4 --env.max_steps 400
    --vae.epochs 1 --vae.iterations 4 --vae.batch_size 8 --vae.log_every 2
    --rnn.epochs 1 --rnn.iterations 4 --rnn.batch_size 2 --rnn.sequence 50 --rnn.hidden 8
    --rnn.log_every 2 --gate.episodes 3 --controller.population 6 --controller.episodes 2
    --controller.generations 2 --controller.eval_every 1 --controller.eval_episodes 4
    --controller.game_episodes 2 --evaluate.episodes 3 --events.episodes 2
"""
SCHEDULE = ["doom_quick", *FIELDS.split()]
STAGES = ("extract", "train_vae", "series", "train_rnn", "gate", "train_controller")


def run_stage(name: str, *argv: str, home) -> tiny.Ended:
    ended = tiny.stage(name, *argv, home=home, before=made_up_doom.install)
    assert ended.status == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    home = tmp_path_factory.mktemp("doom")
    for name in STAGES:
        run_stage(name, *SCHEDULE, home=home)
    return home


def test_recordings_end_with_the_player(trained):
    for path in sorted((trained / "data/t/record").glob("[!.]*.npz")):
        with np.load(path) as episode:
            assert episode["action"].shape[1:] == (1,)
            assert not episode["terminated"][:-1].any()
            assert episode["terminated"][-1] or len(episode["obs"]) == 400
            assert (episode["reward"] == 1).all()
    assert np.load(trained / "data/t/series/mu.npy").shape[1] == 64


def test_episodes_that_are_too_short_are_left_out(trained, monkeypatch, write_episode):
    monkeypatch.setattr(folders, "HOME", trained)
    config = records.load_config("t")
    before = list_episodes(config)
    one = {"action": np.zeros((101, 1), np.float32)}
    added = [
        write_episode(trained / "data/t/record", 900, 100, action=one["action"][:100]),
        write_episode(trained / "data/t/record", 901, 101, **one),
    ]
    assert [episode.seed for episode in list_episodes(config)[len(before) :]] == [901]
    for path in added:
        path.unlink()


def test_c_learns_in_the_dream_and_games_stand_beside(trained):
    lines = (trained / "checkpoints/t/controller/log.jsonl").read_text().splitlines()
    for line in map(json.loads, lines):
        assert all(1 <= fitness <= 400 for fitness in line["returns"])
        assert (line["eval_episodes"], line["game_episodes"]) == (4, 2)
        assert 120 <= line["game_mean"] <= 400  # the made-up game kills nobody before
    best = json.loads((trained / "checkpoints/t/controller/best.json").read_text())
    assert len(best["parameters"]) == 64 + 2 * 8
    assert best["eval_mean"] == max(json.loads(line)["eval_mean"] for line in lines)


def test_the_gate_has_every_policy(trained):
    gate = json.loads((trained / "checkpoints/t/gate/gate.json").read_text())
    assert list(gate["lives"]) == ["stay", "random", "left", "original", "sweep"]
    assert all(len(lives["game"]) == 3 for lives in gate["lives"].values())


def test_it_is_scored_dreamt_and_drawn(trained):
    score = run_stage("evaluate", "--run", "t", "--episodes", "3", home=trained)
    assert "sweep, which does not look: " in score.out
    run_stage("dream", "--run", "t", "--seconds", "1", home=trained)
    run_stage("events", *SCHEDULE, home=trained)
    run_stage("figures", *SCHEDULE, home=trained)
    page = (trained / "checkpoints/t/report.html").read_text()
    for title in ("The gate", "in the dream and in the game", "Figure 8", "do not look"):
        assert title in page
    assert "CarRacing-v0" not in page


def test_without_vizdoom_a_stage_says_what_to_install(tmp_path):
    refused = tiny.stage("extract", "doom_quick", home=tmp_path, before=hide_vizdoom)
    assert refused.complaint == (
        "extract.py: Take Cover needs ViZDoom: python -m pip install -e .[doom]"
    )


def hide_vizdoom() -> None:
    import sys

    sys.modules["vizdoom"] = None
