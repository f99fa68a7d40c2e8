"""The paper's own environment goes through every stage; an agent of v3 can be scored in it."""

import functools
import json
import shutil

from replication.config import Env
from replication.rollouts.agent_files import load_agent
from replication.rollouts.workers import make_real_world
from replication.tasks.car_frames import to_stretched_frame
from replication.tasks.car_racing import CAR_RACING_V0

import numpy as np
import pytest
import tiny

GAME = ("--task", "car_racing_v0", "--frames", "stretched")
# A preset of v3, so that v0 is the run's own.
SCHEDULE = ["one_pass", *tiny.FIELDS.replace("--task car_racing_v3", "").split()]
STAGES = ("extract", "train_vae", "series", "train_rnn", "train_controller")
FRAMES = 12  # of an evaluated episode here


def run_stage(name: str, *argv: str, home, before=None) -> tiny.Ended:
    ended = tiny.stage(name, *argv, home=home, before=before)
    assert ended.status == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny run up to C; its first stage alone is given the game and the frames."""
    home = tmp_path_factory.mktemp("v0")
    run_stage("extract", *SCHEDULE, *GAME, home=home)
    for name in STAGES[1:]:
        run_stage(name, *SCHEDULE, home=home)
    return home


def test_recordings_are_stretched_frames_of_v0(trained):
    for seed in range(2):
        env = CAR_RACING_V0.make_env()
        first = to_stretched_frame(env.reset(seed=seed)[0])
        with np.load(trained / f"data/t/record/{seed:010d}.npz") as episode:
            np.testing.assert_array_equal(episode["obs"][0], first)
            action = episode["action"][0]
            np.testing.assert_array_equal(
                episode["obs"][1], to_stretched_frame(env.step(action)[0])
            )


def test_every_stage_records_the_game_and_the_frames(trained):
    run = json.loads((trained / "checkpoints/t/config.json").read_text())
    recorded = run | json.loads((trained / "data/t/config.json").read_text())
    for name in ("run", "extract", "train_vae", "train_rnn", "train_controller"):
        facts = recorded[name]["task"], recorded[name]["frames"]
        assert facts == ("car_racing_v0", "stretched"), name


def test_c_sees_what_v_was_trained_on(trained):
    parts, _ = load_agent(trained / "checkpoints/t")
    world = make_real_world(parts, Env(), width=1)
    assert (parts.task, world.to_frame) == (CAR_RACING_V0, to_stretched_frame)
    assert type(world.envs[0]).__name__ == "CarRacingV0"


def test_it_is_evaluated_dreamt_related_to_events_and_drawn(trained):
    before = functools.partial(tiny.shorten, FRAMES)
    argv = ("quick", "--run", "t", "--episodes", "1")
    run_stage("evaluate", *argv, home=trained, before=before)
    path = trained / "checkpoints/t/evaluation/1_tracks_seed_0.json"
    (score,) = json.loads(path.read_text())["returns"]
    assert found_tiles(score) == pytest.approx(round(found_tiles(score)), abs=1e-6)
    run_stage("dream", "quick", "--run", "t", "--seconds", "0.4", home=trained)
    with np.load(trained / "checkpoints/t/dream/rollout.npz") as rollout:
        assert (rollout["environment"][0] == 255).any()  # black, after the stretch
    run_stage("events", *SCHEDULE, home=trained, before=before)
    with np.load(trained / "checkpoints/t/events/events.npz") as events:
        assert events["during"].shape == (1, 6, 5)  # drives, events, components
    run_stage("figures", *SCHEDULE, home=trained)
    page = (trained / "checkpoints/t/report.html").read_text()
    assert "CarRacing-v0" in page
    assert (trained / "checkpoints/t/figures/figure_08_events.png").exists()


def found_tiles(score: dict) -> float:
    """The tiles of v0's track of this seed that the return of an evaluated episode pays for."""
    env = CAR_RACING_V0.make_env()
    env.reset(seed=score["seed"])
    return (score["return"] + 0.1 * score["frames"]) * len(env.track) / 1000


def test_other_frames_are_refused(trained, tmp_path):
    for name in STAGES:
        refused = tiny.stage(name, *SCHEDULE, "--frames", "plain", home=trained)
        where = f"{name}.py: --frames plain: checkpoints/t and its rollouts are of stretched"
        assert refused.complaint.startswith(where)
    refused = tiny.stage("extract", "quick", "--frames", "sharp", home=tmp_path)
    assert "frames" in refused.complaint and "sharp" in refused.complaint
    assert list(tmp_path.iterdir()) == []


def test_v3s_agent_is_scored_on_v0(tmp_path):
    """The score has a name of its own, is of v0's track, and is no score of the run's."""
    folder = tmp_path / "checkpoints/pretrained"
    shutil.copytree(tiny.ROOT / "checkpoints/pretrained", folder)
    done = (folder / "evaluation/done.json").read_bytes()
    argv = ("--agent", str(folder), "--task", "car_racing_v0", "--episodes", "1", "--seed", "3")
    before = functools.partial(tiny.shorten, FRAMES)
    run_stage("evaluate", *argv, home=tmp_path, before=before)
    path = folder / "evaluation/1_tracks_seed_3_car_racing_v0.json"
    (score,) = json.loads(path.read_text())["returns"]
    assert score["frames"] == FRAMES
    assert found_tiles(score) == pytest.approx(round(found_tiles(score)), abs=1e-6)
    assert (folder / "evaluation/done.json").read_bytes() == done
