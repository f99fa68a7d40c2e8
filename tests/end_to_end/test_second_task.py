"""A game that is no car goes through every stage: real and dreamt, to the figures."""

import json

import h5py
import made_up_game
import numpy as np
import pytest
import tiny

FIELDS = """
    --run t --task catch --env.max_steps 40 --extract.episodes 4
    --vae.epochs 1 --vae.iterations 4 --vae.batch_size 8 --vae.log_every 2
    --rnn.epochs 1 --rnn.iterations 4 --rnn.batch_size 2 --rnn.sequence 10 --rnn.hidden 8
    --rnn.heads end,points --rnn.log_every 2
    --controller.population 6 --controller.episodes 2 --controller.generations 2
    --controller.patience 0 --controller.eval_every 2 --controller.eval_episodes 2
"""
SCHEDULE = ["quick", *FIELDS.split()]


def run_stage(name: str, *argv: str, home) -> tiny.Ended:
    ended = tiny.stage(name, *argv, home=home, before=made_up_game.register)
    assert ended.status == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of the made-up game up to C, evolved in the game itself."""
    home = tmp_path_factory.mktemp("catch")
    for name in ("extract", "train_vae", "series", "train_rnn", "train_controller"):
        run_stage(name, *SCHEDULE, home=home)
    return home


def test_its_sizes_are_its_own(trained):
    """Recordings end with the game; C has (6 + 8) inputs, 2 outputs and no biases."""
    lengths = set()
    for path in sorted((trained / "data/t/record").glob("[!.]*.npz")):
        with np.load(path) as episode:
            assert episode["action"].shape[1:] == (2,)
            assert not episode["terminated"][:-1].any()
            lengths.add(len(episode["reward"]))
    assert len(lengths) > 1
    assert np.load(trained / "data/t/series/mu.npy").shape[1] == 6
    best = json.loads((trained / "checkpoints/t/controller/best.json").read_text())
    assert len(best["parameters"]) == (6 + 8) * 2
    with h5py.File(trained / "checkpoints/t/vae/encoder.weights.h5") as weights:
        shapes: list[tuple] = []
        weights.visititems(lambda _, item: shapes.append(getattr(item, "shape", ())))
    assert (1024, 6) in shapes


def test_the_run_remembers_its_game(trained):
    """Later stages need no --task, and another game is refused."""
    ended = run_stage("train_rnn", *without_task(SCHEDULE), home=trained)
    assert ended.last.startswith("rnn: ")
    other = [*without_task(SCHEDULE), "--task", "car_racing_v3"]
    refused = tiny.stage("train_rnn", *other, home=trained, before=made_up_game.register)
    assert "--task car_racing_v3: checkpoints/t and its rollouts are of catch" in refused.complaint


def without_task(argv: list[str]) -> list[str]:
    place = argv.index("--task")
    return argv[:place] + argv[place + 2 :]


def test_c_is_evolved_in_its_dream(trained):
    """In a dream no episode is longer than the task's; every step alive earns 1."""
    argv = [*SCHEDULE, "--controller.world", "dream", "--overwrite"]
    run_stage("train_controller", *argv, home=trained)
    log = (trained / "checkpoints/t/controller/log.jsonl").read_text().splitlines()
    for line in map(json.loads, log):
        assert all(0 < fitness <= 40 for fitness in line["returns"])
    run_stage("train_controller", *SCHEDULE, "--overwrite", home=trained)


def test_it_is_evaluated_dreamt_and_drawn(trained):
    score = run_stage("evaluate", "quick", "--run", "t", "--episodes", "2", home=trained)
    assert "over 2 tracks" in score.last
    run_stage("dream", "quick", "--run", "t", "--seconds", "0.5", home=trained)
    with np.load(trained / "checkpoints/t/dream/rollout.npz") as rollout:
        assert rollout["dream"].shape[1:] == (64, 64, 3)
        assert rollout["seconds"][1] == pytest.approx(0.1)  # 10 frames a second
    drawn = run_stage("figures", *SCHEDULE, home=trained)
    page = (trained / "checkpoints/t/report.html").read_text()
    assert "Figure 3" in page and "Figure 14" in page and "events.py" not in page
    assert not any(text in page for text in ("CarRacing", "Wellmer", "the paper has", "867 is"))
    assert " of " in drawn.last


def test_it_has_no_patience_and_no_events(trained):
    argv = [*SCHEDULE, "--controller.patience", "5", "--overwrite"]
    refused = tiny.stage("train_controller", *argv, home=trained, before=made_up_game.register)
    assert "--controller.patience: catch has no idle steps" in refused.complaint
    refused = tiny.stage("events", *SCHEDULE, home=trained, before=made_up_game.register)
    assert refused.complaint == "events.py: catch has no stage events"


def test_frames_that_the_game_lacks_are_refused(tmp_path):
    argv = ["quick", "--task", "catch", "--frames", "stretched"]
    refused = tiny.stage("extract", *argv, home=tmp_path, before=made_up_game.register)
    assert refused.complaint == "extract.py: --frames stretched: catch has plain"
    assert not list(tmp_path.rglob("config.json"))


def test_an_unknown_game_is_named(tmp_path):
    refused = tiny.stage("extract", "quick", "--task", "chess", home=tmp_path)
    assert refused.complaint.startswith("extract.py: --task chess: no such game; there are ")
