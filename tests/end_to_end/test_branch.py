"""A run that shares another's V and M: its search in the dream gives what the first one's would."""

import json

import made_up_game
import numpy as np
import pytest
import tiny

FIELDS = """
    --task catch --env.max_steps 40 --extract.episodes 4 --extract.policy brownian
    --vae.epochs 1 --vae.iterations 4 --vae.batch_size 8 --vae.log_every 2
    --rnn.epochs 1 --rnn.iterations 4 --rnn.batch_size 2 --rnn.sequence 10 --rnn.hidden 8
    --rnn.heads end --rnn.log_every 2 --controller.world dream --controller.judge dream
    --controller.population 6 --controller.episodes 2 --controller.generations 2
    --controller.patience 0 --controller.eval_every 2 --controller.eval_episodes 2
    --controller.game_episodes 2 --controller.inputs raw
"""
SCHEDULE = ["quick", *FIELDS.split()]


def run_stage(name: str, *argv: str, home) -> tiny.Ended:
    ended = tiny.stage(name, *argv, home=home, before=made_up_game.register)
    assert ended.status == 0, ended.err
    return ended


def log_of(home, run: str) -> list[dict]:
    lines = (home / "checkpoints" / run / "controller/log.jsonl").read_text().splitlines()
    may_differ = {"seconds", "processes"}
    return [{k: v for k, v in json.loads(line).items() if k not in may_differ} for line in lines]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    home = tmp_path_factory.mktemp("branch")
    for name in ("extract", "train_vae", "series", "train_rnn", "train_controller"):
        run_stage(name, *SCHEDULE, "--run", "t", home=home)
    return home


def test_c_is_judged_in_the_dream_and_games_stand_beside(trained):
    first, last = log_of(trained, "t")
    assert "eval_mean" not in first
    assert last["eval_episodes"] == last["game_episodes"] == 2
    assert 1 <= last["game_mean"] <= 40
    best = json.loads((trained / "checkpoints/t/controller/best.json").read_text())
    assert best["eval_mean"] == last["eval_mean"]
    done = json.loads((trained / "checkpoints/t/controller/done.json").read_text())
    assert "over 2 dreams" in done["reached"]


def test_a_branch_searches_as_the_run_would_and_at_other_temperatures(trained):
    ended = run_stage("branch", "t", "same", home=trained)
    assert ended.last == "branch: checkpoints/same has the V and the M of t"
    run_stage("train_controller", *SCHEDULE, "--run", "same", "--data", "t", home=trained)
    assert log_of(trained, "same") == log_of(trained, "t")
    for name in ("terminated", "seed", "offset"):
        arrays = [np.load(trained / f"data/{run}/series/{name}.npy") for run in ("t", "same")]
        np.testing.assert_array_equal(*arrays)
    run_stage("branch", "t", "cold", home=trained)
    cold = ("--run", "cold", "--data", "t", "--dream.temperature", "0.1")
    run_stage("train_controller", *SCHEDULE, *cold, home=trained)
    recorded = json.loads((trained / "checkpoints/cold/config.json").read_text())
    assert recorded["train_controller"]["dream.temperature"] == 0.1
    assert len(log_of(trained, "cold")) == 2
    run_stage("evaluate", "--run", "cold", "--episodes", "2", home=trained)


def test_a_score_stands_beside_policies_that_do_not_look(trained):
    ended = run_stage("evaluate", "--run", "t", "--episodes", "3", home=trained)
    assert "brownian, which does not look: " in ended.out
    path = trained / "checkpoints/t/evaluation/3_tracks_seed_0.json"
    blind = json.loads(path.read_text())["controls"]["brownian"]
    assert len(blind["returns"]) == 3
    assert blind["mean"] == pytest.approx(sum(blind["returns"]) / 3)


def test_a_name_that_is_taken_is_refused(trained):
    refused = tiny.stage("branch", "t", "t", home=trained, before=made_up_game.register)
    assert refused.complaint == "branch.py: checkpoints/t is there already: another name"
    refused = tiny.stage("branch", "t", home=trained, before=made_up_game.register)
    assert refused.complaint.startswith("branch.py: give the name of a run")
