"""The gate's verdict, and the stage on a game of a few lines."""

import json

from replication import gate
from replication.rnn.ends import EndScore

import made_up_game
import pytest
import tiny

FIT = EndScore(0.01, deaths=10, found=8, steps=3000, alarms=6, early=4, approach=[0.0])


def lives(game: float, dream: float) -> dict:
    return {"stay": {"game": [game - 5, game + 5], "dream": [dream]}}


def test_a_dream_that_is_like_the_game_is_fit():
    assert gate.complaints(FIT, lives(150, 140)) == []
    assert gate.complaints(FIT, lives(150, 220)) == []


@pytest.mark.parametrize(
    ("ends", "returns", "wrong"),
    [
        (FIT._replace(loss=0.126), lives(150, 150), "the end's loss is 0.126, not below 0.05"),
        (FIT._replace(found=4, early=6), lives(150, 150), "4 of 10 ends are foreseen"),
        (FIT._replace(deaths=0, found=0, alarms=4), lives(150, 150), "no held-out recording ends"),
        (FIT._replace(alarms=44), lives(150, 150), "40 false alarms, more than ends foreseen"),
        (FIT, lives(233, 1140), "stay: 1140 in the dream, 233 in the game"),
        (FIT, lives(233, 100), "stay: 100 in the dream, 233 in the game"),
    ],
)
def test_what_is_wrong_is_said(ends, returns, wrong):
    assert gate.complaints(ends, returns) == [wrong]


FIELDS = """
    --run t --task catch --env.max_steps 40 --extract.episodes 4 --extract.policy brownian
    --vae.epochs 1 --vae.iterations 4 --vae.batch_size 8 --vae.log_every 2
    --rnn.epochs 1 --rnn.iterations 4 --rnn.batch_size 2 --rnn.sequence 10 --rnn.hidden 8
    --rnn.heads end --rnn.log_every 2 --gate.episodes 3
"""
SCHEDULE = ["quick", *FIELDS.split()]


def run_stage(name: str, *argv: str, home) -> tiny.Ended:
    return tiny.stage(name, *argv, home=home, before=made_up_game.register)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    home = tmp_path_factory.mktemp("gate")
    for name in ("extract", "train_vae", "series", "train_rnn"):
        ended = run_stage(name, *SCHEDULE, home=home)
        assert ended.status == 0, ended.err
    return home


def test_it_compares_game_and_dream_on_the_same_seeds_and_says_what_is_wrong(trained):
    ended = run_stage("gate", *SCHEDULE, home=trained)
    assert ended.status == 0, ended.err
    written = json.loads((trained / "checkpoints/t/gate/gate.json").read_text())
    returns = written["lives"]["brownian"]
    assert len(returns["game"]) == len(returns["dream"]) == 3
    assert all(1 <= value <= 40 for value in (*returns["game"], *returns["dream"]))
    assert written["ends"]["steps"] > 0
    assert ("WARNING" in ended.last) == bool(written["wrong"])
    again = run_stage("gate", *SCHEDULE, "--overwrite", home=trained)
    assert again.status == 0, again.err
    assert json.loads((trained / "checkpoints/t/gate/gate.json").read_text()) == written


def test_other_games_have_no_gate(tmp_path):
    refused = tiny.stage("gate", "quick", home=tmp_path)
    assert refused.complaint == "gate.py: car_racing_v0 has no stage gate"
