"""The script dream.py in a window: you drive in M by keys."""

from replication import dream
from replication.config import UserError
from replication.envs.dream import DreamEnv
from replication.report import video

import imageio.v2 as imageio
import numpy as np
import pytest
from dream_run import files_of, run
from dreaming import HEADS, random_rnn
from PIL import Image


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
