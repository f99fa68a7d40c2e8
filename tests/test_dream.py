"""The script dream.py: C or the keyboard drives in M, figure 3's rollout, and bad input."""

import dataclasses
import resource
import signal
from pathlib import Path

from replication import dream, training
from replication.config import PRESETS, UserError
from replication.controller import controller
from replication.dataset.episodes import list_episodes
from replication.envs.dream import Dreams
from replication.report import video
from replication.runs import files, folders, records, script
from replication.series import write_series
from replication.tf import keras
from replication.vae.vae import build_decoder, build_encoder

import imageio.v2 as imageio
import numpy as np
import pytest
from dreaming import ACTIONS, HEADS, STARTS, by_hand, made
from PIL import Image

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine")


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
        for name in ("vae", "rnn", "controller"):
            (folder / name).mkdir(parents=True)
        series = folders.series_folder(CONFIG)
        series.mkdir(parents=True)
        for seed in (20, 21):  # 20 is held out
            obs = random.integers(0, 256, (60, 64, 64, 3), np.uint8)
            write_episode(seed, obs, random.uniform(0, 1, (60, 3)))
        keras.utils.set_random_seed(0)
        encoder, rnn = build_encoder(), made(HEADS)
        training.save_weights(encoder, folder / "vae" / "encoder.weights.h5")
        training.save_weights(build_decoder(), folder / "vae" / "decoder.weights.h5")
        training.save_weights(rnn, folder / "rnn" / "rnn.weights.h5")
        files.write_json(folder / "rnn" / "rnn.json", dataclasses.asdict(HEADS))
        write_series(encoder, list_episodes(folders.record_folder(CONFIG)), series)
        files.write_json(series / "series.json", {"vae": "v"})
        finish("train_vae", "v")
        finish("series", "s")
        parameters = random.normal(0, 0.1, controller.parameter_count("z_h", 16)).tolist()
        best = {"mode": "z_h", "parameters": parameters}
        files.write_json(folder / "controller" / "best.json", best)
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


def test_a_run_dreams(tiny_run, tmp_path, capsys):
    run("--temperature", "0.7", "--video", str(tmp_path / "dream.gif"))
    said = capsys.readouterr().out
    assert "dream: 20 frames at temperature 0.7, M's rewards sum to" in said
    assert str(tmp_path / "dream.gif") in said
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
    run()
    record = records.done(CONFIG, "dream")
    assert record["reached"] == "20 frames at temperature 1"
    finish("series", "others")
    assert records.done(CONFIG, "dream") is None
    finish("series", "s")


def test_the_video_stands_in_the_run_by_default(tiny_run):
    run()
    films = imageio.mimread(tiny_run / "dream" / "dream.mp4", memtest=False)
    assert len(films) == 20 and films[0].shape == (256, 256, 3)


def test_the_figures_dream_starts_at_the_first_frame_and_takes_its_actions():
    """z_0 of that frame; a_t leads from frame t to frame t + 1; the last action is not taken."""
    rnn, (mu, logvar) = made(), STARTS
    given = (mu[2], logvar[2], ACTIONS, 0.7)
    path = dream.dream_along(rnn, *given, np.random.default_rng(3))
    expected = by_hand(rnn, (mu[2:3], logvar[2:3]), ACTIONS[:-1], 3, 0.7)
    assert len(path) == len(ACTIONS)
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)


def test_c_acts_on_z_and_h_as_in_the_real_environment():
    rnn = made()
    flat = np.random.default_rng(5).normal(0, 0.3, (1, 147)).astype(np.float32)
    random = np.random.default_rng(3)
    path, total, ends = dream.dream_of_agent(Dreams(rnn, *STARTS), "z_h", flat[0], random, 6)
    h = c = np.zeros((1, 16), np.float32)
    taken = []
    for z in path[:-1, None]:
        taken.append(controller.act("z_h", flat, z, h, c).numpy())
        h, c = rnn.step(z, taken[-1], h, c)
    expected = by_hand(rnn, STARTS, np.concatenate(taken), 3)
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)
    assert (total, ends) == (0, 0)


def test_a_dream_that_ends_begins_anew():
    rnn = made(HEADS)
    rnn.end_head.bias.assign([100.0])
    mu, logvar = STARTS[0], np.full_like(STARTS[1], -200)
    flat = np.zeros(147, np.float32)
    given = (Dreams(rnn, mu, logvar), "z_h", flat, np.random.default_rng(0), 5)
    path, _, ends = dream.dream_of_agent(*given)
    assert ends == 4 and all((mu == z).all(axis=1).any() for z in path)


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
            run()
    finally:
        aside.rename(path)


def test_an_unknown_run_is_one_line_and_status_2(home, capsys):
    with pytest.raises(SystemExit) as stop:
        script.run_script(run)
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "checkpoints/mine is missing: run python" in said


def test_keys_need_a_display(tiny_run, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    for display in ("", ":77"):  # none, and one that is gone
        monkeypatch.setenv("DISPLAY", display)
        with pytest.raises(UserError, match="--keys needs a display"):
            run("--keys")
    monkeypatch.setenv("SDL_VIDEODRIVER", "no such driver")
    with pytest.raises(UserError, match="no window can be opened"):
        run("--keys")


def test_keys_drive_begin_anew_and_end(monkeypatch):
    import pygame

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    key = lambda code: pygame.event.Event(pygame.KEYDOWN, key=code)  # noqa: E731
    events = iter([[], [], [key(pygame.K_RETURN)], [], [key(pygame.K_ESCAPE)]])
    held = {pygame.K_LEFT, pygame.K_DOWN}
    keys = (pygame.K_LEFT, pygame.K_RIGHT, pygame.K_UP, pygame.K_DOWN)
    monkeypatch.setattr(pygame.event, "get", lambda: next(events))
    monkeypatch.setattr(pygame.key, "get_pressed", lambda: {each: each in held for each in keys})
    rnn, (mu, logvar) = made(), (STARTS[0], np.full_like(STARTS[1], -200))
    path = dream.dream_by_keys(Dreams(rnn, mu, logvar), build_decoder(), np.random.default_rng(3))
    assert len(path) == 4
    braking = np.float32([[-1, 0, 0.8]])
    np.testing.assert_allclose(
        path[:2], by_hand(rnn, (mu, logvar), braking, 3), rtol=1e-3, atol=1e-4
    )
    is_start = [(mu == z).all(axis=1).any() for z in path]
    assert is_start == [True, False, True, False]


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
