"""The script dream.py: C or the keyboard drives in M, figure 3's rollout, and bad input."""

import dataclasses
import resource
import signal
from pathlib import Path

from replication import dream
from replication.config import UserError
from replication.dataset.episodes import list_episodes
from replication.dataset.series import write_series
from replication.envs.dream import DreamEnv
from replication.presets import PRESETS
from replication.report import video
from replication.rollouts.agent_files import load_encoder
from replication.runs import files, folders, records, script
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.games import TASKS
from replication.vae.vae import to_float

import imageio.v2 as imageio
import numpy as np
import pytest
from agents import write_agent
from dreaming import HEADS, random_rnn
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


def test_a_run_dreams(tiny_run, tmp_path, capsys):
    run("--temperature", "0.7", "--video", str(tmp_path / "dream.gif"))
    printed = capsys.readouterr().out
    assert "dream: 20 frames at temperature 0.7, M's rewards sum to" in printed
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


class WatchedEnv(DreamEnv):
    """Keeps what is done in it: where dreams began, actions, and frames that were seen."""

    def __init__(self, *args):
        super().__init__(*args)
        WatchedEnv.last = self
        self.starts, self.actions, self.seen, self.ends = [], [], [], []

    def reset(self, **options):
        obs, facts = super().reset(**options)
        self.starts.append(self.dreams.z[0].copy())
        return obs, facts

    def step(self, action):
        obs, reward, ended, *rest = super().step(action)
        self.actions.append(action.tolist())
        self.seen.append(obs)
        self.ends.append(ended)
        return obs, reward, ended, *rest


@pytest.fixture
def press(monkeypatch, tiny_run):
    """press(*frames, argv): run --keys with these keys pressed and let go, and then Esc."""
    import matplotlib
    import pygame

    # gymnasium's play chooses a windowed backend for this whole process.
    monkeypatch.setattr(matplotlib, "use", lambda *args, **options: None)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(dream, "DreamEnv", WatchedEnv)

    def press_keys(*frames: dict[str, bool], argv: tuple[str, ...] = ()) -> WatchedEnv:
        events = iter(
            [
                pygame.event.Event(
                    pygame.KEYDOWN if down else pygame.KEYUP, key=getattr(pygame, f"K_{name}")
                )
                for name, down in keys.items()
            ]
            for keys in (*frames, {"ESCAPE": True})
        )
        monkeypatch.setattr(pygame.event, "get", lambda: next(events))
        run("--keys", *argv)
        assert next(events, None) is None  # every frame was shown, and none after Esc
        return WatchedEnv.last

    return press_keys


def keep_dreaming(monkeypatch) -> None:
    """M ends no dream."""
    endless = random_rnn(HEADS)
    endless.heads["termination"].bias.assign([-100.0])
    monkeypatch.setattr(dream, "load_rnn", lambda folder: endless)


STILL, LEFT, BRAKED_LEFT, BRAKED, RIGHT_GAS = (
    [0, 0, 0],
    [-1, 0, 0],
    [-1, 0, np.float32(0.8)],
    [0, 0, np.float32(0.8)],
    [1, 1, 0],
)


def test_arrow_keys_drive_and_esc_ends(press, tiny_run, monkeypatch, capsys):
    """The window opens on z_0, before any action; keys act as long as they are held."""
    keep_dreaming(monkeypatch)
    before = files_of(tiny_run / "dream")
    env = press(
        {"LEFT": True},
        {"DOWN": True},
        {},
        {"LEFT": False},
        {"DOWN": False},
        {"RIGHT": True, "UP": True},
        {"LEFT": True},
    )
    both = [0, 1, 0]  # left and right at once cancel each other, and the gas goes on
    assert env.actions == [LEFT, BRAKED_LEFT, BRAKED_LEFT, BRAKED, STILL, RIGHT_GAS, both]
    assert "dream: 7 frames at temperature 1\n" in capsys.readouterr().out
    assert files_of(tiny_run / "dream") == before  # no video but with --video


def test_what_was_seen_is_a_video(press, monkeypatch, tmp_path):
    keep_dreaming(monkeypatch)
    path = tmp_path / "keys.gif"
    env = press(*({"UP": True} for _ in range(11)), argv=("--video", str(path)))
    assert len(env.seen) == 11
    with Image.open(path) as gif:
        assert gif.size == (256, 256) and gif.n_frames == 3  # of 0, 5 and 10
    mp4 = tmp_path / "keys.mp4"
    press(*({"UP": True} for _ in range(11)), argv=("--video", str(mp4)))
    films = imageio.mimread(mp4, memtest=False)
    assert len(films) == 11 and films[0].shape == (256, 256, 3)
    for film, frame in zip(films, env.seen, strict=True):  # compressed, with loss
        assert np.abs(film.astype(float) - video.enlarge(frame)).mean() < 10


def test_esc_at_once_ends_without_a_video(press, tmp_path, capsys):
    path = tmp_path / "keys.mp4"
    env = press(argv=("--video", str(path)))
    assert env.actions == [] and not path.exists()
    assert "dream: 0 frames" in capsys.readouterr().out


def test_a_dream_that_ends_is_followed_by_another(press):
    """M says of about every second step that it ends; the seed settles all of them."""
    env = press(*({} for _ in range(25)))
    assert sum(env.ends) > 3 and len(env.starts) == len(set(map(bytes, env.starts)))
    again = press(*({} for _ in range(25)))
    np.testing.assert_array_equal(again.starts, env.starts)
    np.testing.assert_array_equal(again.seen, env.seen)
    other = press(*({} for _ in range(25)), argv=("--seed", "1"))
    assert (other.starts[0] != env.starts[0]).any()


def test_a_window_shows_the_component_and_temperature_that_are_asked_for(press):
    env = press(argv=("--component", "2", "--temperature", "0.7"))
    assert (env.dreams.component, env.dreams.temperature) == (1, 0.7)


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
