"""Drives that are watched, the stretch that is shown, and the stage's files."""

import dataclasses
import functools

from replication import events
from replication.config import Env, Events, UserError
from replication.presets import PRESETS
from replication.report.run_record import read_run
from replication.rollouts.agent_files import load_agent
from replication.runs import folders, records
from replication.tasks.car_facts import EVENTS
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.games import TASKS
from replication.tasks.take_cover import TAKE_COVER
from replication.tf import keras
from replication.vae.vae import build_decoder, decode

import numpy as np
import pytest
from agents import write_agent
from dreaming import random_rnn

CONFIG = dataclasses.replace(
    PRESETS["one_pass"], run="mine", env=Env(stock=True, max_steps=35), events=Events(episodes=2)
)


def test_the_stretch_has_the_most_kinds_of_events_behind_the_zoom():
    first, second = np.zeros((2, 300, 6), bool)
    first[:, 0] = second[:, 0] = True
    first[20, 1] = True  # in the zoom
    second[170, 1] = True
    choose = functools.partial(events.choose_stretch, watched=CAR_RACING_V3.events)
    assert choose([first, second]) == (1, 80)  # the first that holds step 170
    assert choose([first, first]) == (0, 50)
    assert choose([first[:120]]) == (0, 20)
    assert choose([first[:35]]) == (0, 0)


def test_a_stretch_on_the_road_is_preferred_to_one_on_grass():
    on, off = np.zeros((2, 300, 6), bool)
    on[:, 0] = on[:, 3] = True  # straight, with a kerb
    off[:, 0] = off[:, 1] = off[:, 4] = True  # the grass beside a straight and a curve
    choose = functools.partial(events.choose_stretch, watched=CAR_RACING_V3.events)
    assert choose([off, on]) == (1, 50)
    off[200:, 4] = False
    assert choose([off, on]) == (0, 110)  # some of both, from step 200 on


def test_where_no_event_hides_others_all_count():
    first, second = np.zeros((2, 300, 6), bool)
    first[:, 0] = second[:, 5] = True
    second[170, 1] = True
    watched = TAKE_COVER.events
    assert events.choose_stretch([first, second], watched) == (1, 80)
    assert events.choose_stretch([first, first], watched) == (0, 40)  # behind the first second


# The stage -----------------------------------------------------------------------------------


@pytest.fixture
def agent_run(home):
    """A run of random weights."""
    folder = folders.run_folder("mine")
    write_agent(folder, random_rnn())
    for name in ("train_rnn", "train_controller"):
        records.finish(CONFIG, name, name, "", 1.0)
    return folder


def test_a_watched_drive_is_on_the_timeline_of_m(agent_run):
    """h_t has seen everything before z_t; the weights are those of the prediction of z_{t+1}."""
    parts, parameters = load_agent(agent_run)
    first, second = events.watch_drives(CONFIG, parts, parameters)
    assert (first.seed, second.seed) == (2**32, 2**32 + 1)
    rnn = random_rnn()
    h, (_, c) = rnn(first.z[None], first.action[None])  # h_1 .. h_T (1, T, H), c_T (1, H)
    assert not first.h[0].any() and not first.c[0].any()
    np.testing.assert_allclose(first.h[1:], h[0, :-1], rtol=1e-3, atol=1e-4)
    last = [array[-1:] for array in (first.z, first.action, first.h, first.c)]
    np.testing.assert_allclose(rnn.step(*last)[1], c, rtol=1e-3, atol=1e-4)
    weights = events.weights_of(rnn, first)
    expected = rnn.predict_z(h[0]).mixture_distribution.probs_parameter()
    np.testing.assert_allclose(weights, expected, rtol=1e-3, atol=1e-4)
    assert first.z.shape == (35, 32) and first.happening.shape == (35, len(EVENTS))
    assert len(first.frames) == 4  # at 0, 10, 20, 30
    assert first.happening[0].tolist() == second.happening[0].tolist()  # both stand at the start
    assert first.happening[0, list(EVENTS).index("standing")]


def made_up_drive(steps: int) -> events.WatchedEpisode:
    random = np.random.default_rng(0)
    action = np.float32(random.uniform((-1, 0, 0), 1, (steps, 3)))
    z, h, c = (random.standard_normal((steps, size), np.float32) for size in (32, 16, 16))
    nothing = np.zeros((steps, len(EVENTS)), bool)
    return events.WatchedEpisode(7, action, z, h, c, nothing, np.zeros((0, 64, 64, 3), np.uint8))


def test_forced_dreams_branch_off_the_drive():
    """Each begins at z_start with M's memory there, and goes on under the actions taken."""
    rnn, drive, start = random_rnn(), made_up_drive(150), 20
    keras.utils.set_random_seed(1)
    decoder = build_decoder(32)
    strips = events.forced_dreams(rnn, decoder, drive, start)
    assert strips.shape == (1 + 5, 10, 64, 64, 3)
    beginning = decode(decoder, drive.z[start : start + 1])[0].astype(int)
    assert np.abs(strips[:, 0] - beginning).max() <= 1
    assert len({strip[1].tobytes() for strip in strips}) == 6
    no_memory = dataclasses.replace(drive, h=0 * drive.h, c=0 * drive.c)
    assert (events.forced_dreams(rnn, decoder, no_memory, start)[:, 1] != strips[:, 1]).any()
    shifted = dataclasses.replace(drive, action=np.roll(drive.action, 1, axis=0))
    assert (events.forced_dreams(rnn, decoder, shifted, start)[:, 1] != strips[:, 1]).any()
    assert len(events.forced_dreams(rnn, decoder, drive, 120)[0]) == 3  # 30 steps are left


def test_the_stage_saves_what_figure_8_needs(agent_run, capsys):
    events.main(CONFIG)
    assert "events: 2 episodes; " in capsys.readouterr().out
    saved = read_run(CONFIG)
    arrays = saved.events
    assert arrays["weights"].shape == arrays["mean_weights"].shape == (35, 5)
    assert arrays["forced"].shape == (6, 4, 64, 64, 3) and len(arrays["frames"]) == 4
    assert arrays["dimension"] == arrays["switching"].argmax()
    assert arrays["during"].shape == (2, 6, 5)
    assert len(saved.tests) == 30 and saved.tests[5]["event"] == "left"
    assert (arrays["forced"][:, 0] == arrays["forced"][0, 0]).all()  # they start alike
    assert len({strip[-1].tobytes() for strip in arrays["forced"]}) == 6  # and then do not
    assert records.done(CONFIG, "events")
    names = ("events.npz", "tests.csv")
    before = [(agent_run / "events" / name).read_bytes() for name in names]
    assert sum(map(len, before)) < 3e6
    events.main(CONFIG)
    assert [(agent_run / "events" / name).read_bytes() for name in names] == before


def test_a_game_without_the_stage_is_named(agent_run, monkeypatch):
    task = dataclasses.replace(TASKS["car_racing_v3"], extra_stages=frozenset())
    monkeypatch.setitem(TASKS, "car_racing_v3", task)
    with pytest.raises(UserError, match="car_racing_v3 has no stage events"):
        events.main(CONFIG)
    assert not (agent_run / "events").exists()


def test_what_is_missing_is_named(agent_run):
    (agent_run / "controller" / "done.json").unlink()
    with pytest.raises(
        UserError, match="run python replication/train_controller.py one_pass --run"
    ):
        events.main(CONFIG)
