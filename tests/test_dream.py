"""The script dream.py: C or the keyboard drives in M, figure 3's rollout, and bad input."""

import dataclasses
import resource
import signal

from replication import dream
from replication.config import UserError
from replication.report import video
from replication.runs import folders, records, script
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.games import TASKS

import imageio.v2 as imageio
import numpy as np
import pytest
from dream_run import CONFIG, files_of, finish, run, write_episode
from dreaming import HEADS, random_rnn
from PIL import Image


def test_a_run_dreams(tiny_run, tmp_path, capsys):
    run("--temperature", "0.7", "--video", str(tmp_path / "dream.gif"))
    printed = capsys.readouterr().out
    assert "dream: 20 frames at temperature 0.7, M predicts" in printed
    assert str(tmp_path / "dream.gif") in printed
    with Image.open(tmp_path / "dream.gif") as gif:
        assert gif.size == (256, 256) and gif.n_frames > 1
    films = imageio.mimread(tiny_run / "dream" / "fig3.mp4", memtest=False)
    assert len(films) == 20 and films[0].shape == (256 + 24, 3 * 256, 3)
    with np.load(tiny_run / "dream" / "rollout.npz", allow_pickle=False) as arrays:
        rollout = dict(arrays)
    assert rollout["seconds"][[0, -1]].tolist() == [0, 0.38] and len(rollout["seconds"]) == 9
    assert rollout["temperature"] == 0.7
    with np.load(folders.record_folder(CONFIG) / "0000000020.npz") as recorded:
        shown = (rollout["seconds"] * 50).round().astype(int)
        np.testing.assert_array_equal(rollout["environment"], recorded["obs"][shown])
    assert rollout["reconstruction"].shape == rollout["dream"].shape == (9, 64, 64, 3)
    with Image.open(tiny_run / "dream" / "fig3.gif") as gif:
        assert gif.size == (3 * 128, 128 + 24) and gif.info["duration"] == 100
    before = files_of(tiny_run / "dream")
    run("--temperature", "0.7", "--video", str(tmp_path / "again.gif"))
    assert files_of(tiny_run / "dream") == before
    assert (tmp_path / "again.gif").read_bytes() == (tmp_path / "dream.gif").read_bytes()


def test_a_component_alone_gives_a_video_and_leaves_figure_3(tiny_run):
    run()
    before = files_of(tiny_run / "dream")
    run("--component", "2")
    after = files_of(tiny_run / "dream")
    assert after.keys() - before.keys() == {"component_2.mp4"}
    assert before.items() <= after.items() and after["component_2.mp4"] != after["dream.mp4"]
    for wrong in ("6", "-1"):
        with pytest.raises(UserError, match=f"--component {wrong}: this M has 1..5"):
            run("--component", wrong)


def test_a_dream_is_a_stage_with_a_record(tiny_run):
    run("--overwrite")
    record = records.done(CONFIG, "dream")
    assert record["reached"] == "20 frames at temperature 1"
    finish("series", "others")
    assert records.done(CONFIG, "dream") is None
    finish("series", "s")


def test_the_video_stands_in_the_run_by_default(tiny_run):
    run()
    films = imageio.mimread(tiny_run / "dream" / "dream.mp4", memtest=False)
    assert len(films) == 20 and films[0].shape == (256, 256, 3)


def test_a_dream_may_last_longer_than_an_episode_of_the_game(tiny_run, monkeypatch, capsys):
    """M without an end is not begun anew at the game's own limit."""
    task = dataclasses.replace(CAR_RACING_V3, max_steps=5)
    monkeypatch.setitem(TASKS, "car_racing_v3", task)
    quiet = dataclasses.replace(HEADS, heads="reward")
    load_agent = dream.load_agent

    def load_endless(*args):
        parts, parameters = load_agent(*args)
        rnn = random_rnn(quiet)
        return dataclasses.replace(
            parts, task=task, rnn=rnn.get_weights(), rnn_config=quiet
        ), parameters

    monkeypatch.setattr(dream, "load_agent", load_endless)
    run()
    printed = capsys.readouterr().out
    assert "dream: 20 frames" in printed and "anew" not in printed


def test_figure_3s_dream_starts_at_the_recorded_frame_and_takes_its_actions(tiny_run):
    """Other actions or another first frame make another dream; the same ones, the same."""
    options, decoder = dream.parse_options(["--run", "mine"]), dream.load_decoder(tiny_run)
    rollout = dream.make_rollout(options, CONFIG, decoder)
    assert {name: len(frames) for name, frames in rollout.items()} == dict.fromkeys(
        ("environment", "reconstruction", "dream"), 60
    )
    path = folders.record_folder(CONFIG) / "0000000020.npz"
    whole = path.read_bytes()
    obs, action = dream.recorded_episode(CONFIG, 0)
    try:
        write_episode(20, obs, np.vstack([action[:30], action[30:] + 0.1]))
        other = dream.make_rollout(options, CONFIG, decoder)["dream"]
        np.testing.assert_array_equal(other[:31], rollout["dream"][:31])
        assert (other[31] != rollout["dream"][31]).any()
        write_episode(20, obs[::-1], action)
        other = dream.make_rollout(options, CONFIG, decoder)["dream"]
        assert (other[0] != rollout["dream"][0]).any()
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["--temperature", "0"], "--temperature 0.0: must be positive"),
        (["--temperature", "nan"], "--temperature nan: must be positive"),
        (["--temperature", "hot"], "hot"),
        (["--seconds", "0"], "--seconds 0.0: must lie in"),
        (["--seconds", "-3"], "--seconds -3.0: must lie in"),
        (["--seed", "-1"], "--seed -1: must not be negative"),
        (["--video", "dream.avi"], "must end in .mp4 or .gif"),
        (["--video", "dream"], "must end in .mp4 or .gif"),
        (["--video", "/no/such/dream.mp4"], "there is no folder /no/such"),
        (["--video", "/proc/dream.mp4"], "cannot be written"),
        (["--run", "../mine"], "letters, digits"),
        (["fast"], "fast"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(argv, complaint):
    with pytest.raises(UserError, match=complaint) as error:
        dream.parse_options(argv)
    assert "\n" not in str(error.value)


def test_a_presets_name_stands_for_its_run():
    assert dream.parse_options([]).run == "quick"
    assert dream.parse_options(["laptop"]).run == "laptop"
    assert dream.parse_options(["laptop", "--run", "mine"]).run == "mine"


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("config.json", "checkpoints/mine is no run"),
        ("vae/decoder.weights.h5", "decoder.weights.h5 is missing"),
        ("rnn/rnn.json", "checkpoints/mine/rnn/rnn.json is missing: run python replication/train_"),
        ("controller/best.json", "best.json is missing: run python replication/train_controller"),
        ("../../data/mine/series/done.json", "run python replication/series.py quick --run mine"),
        ("../../data/mine/record/0000000020.npz", "run python replication/extract.py quick --run"),
    ],
)
def test_what_is_missing_is_named(tiny_run, missing, complaint):
    path = tiny_run / missing
    aside = path.rename(path.with_name(".aside"))
    try:
        with pytest.raises(UserError, match=complaint):
            run("--overwrite")
    finally:
        aside.rename(path)


def test_an_unknown_run_is_one_line_and_status_2(home, capsys):
    with pytest.raises(SystemExit) as stop:
        script.run_script(run)
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1 and "checkpoints/mine is no run: it has no config" in printed


def test_moments_of_figure_3():
    assert dream.moments(1000).tolist() == [0, 12, 49, 111, 197, 308, 444, 604, 789, 999]
    assert dream.moments(3).tolist() == [0, 1, 2]


def test_panels_stand_side_by_side_under_their_names():
    panels = {name: np.full((2, 64, 64, 3), i, np.uint8) for i, name in enumerate("ab", 1)}
    first, second = video.side_by_side(panels)
    assert first.shape == (256 + 24, 512, 3) and (first == second).all()
    assert (first[24:, :256] == 1).all() and (first[24:, 256:] == 2).all()
    assert first[:24, :256].max() == 255 and first[:24, 256:].max() == 255


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_a_video_that_finds_no_space_is_an_error_and_no_file(tmp_path, ending):
    frames = np.random.default_rng(0).integers(0, 256, (50, 64, 64, 3), np.uint8)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limit[1]))
    try:
        with pytest.raises(OSError):
            video.write(tmp_path / f"drive{ending}", frames, 50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []
