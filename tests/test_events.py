"""What happens to the car, by the simulator; and M's weights meanwhile, on one timeline."""

import dataclasses

from replication import events, training
from replication.config import PRESETS, Env, Events, UserError
from replication.controller import controller
from replication.evaluate import load_agent
from replication.report.run_record import read_run
from replication.runs import files, folders, records
from replication.tf import keras
from replication.vae.vae import build_decoder, build_encoder

import gymnasium
import numpy as np
import pytest
from dreaming import SMALL, made
from made_up_world import world

CONFIG = dataclasses.replace(
    PRESETS["quick"], run="mine", env=Env(stock=True, max_steps=35), events=Events(episodes=2)
)


def happening(env) -> set[str]:
    now = events.events_now(env, events.read_track(env))
    assert now.dtype == bool
    return {name for name, happens in zip(events.EVENTS, now, strict=True) if happens}


def at(tile: int, backwards: bool = False, **state) -> set[str]:
    _, heading, x, y = world(0, 0).track[tile]
    return happening(world(x, y, heading + np.pi * backwards, **state))


def test_a_curve_is_what_lies_ahead():
    assert at(5) == {"straight"}
    assert at(16) == {"straight"}  # five tiles on it has turned by 0.2 rad
    assert at(17) == {"left"}  # by 0.3
    assert at(22) == {"left", "kerb"}
    assert at(29) == {"straight", "kerb"}
    assert at(33) == {"straight"}


def test_who_faces_the_other_way_meets_the_curve_from_the_other_side():
    assert at(33, backwards=True) == {"straight"}
    assert at(27, backwards=True) == {"right", "kerb"}
    assert at(17, backwards=True) == {"straight"}


def test_heading_jumps_by_a_turn_at_the_seam():
    env = world(0, 0)
    env.track = [(0.0, h + 2 * np.pi * (i < 20), x, y) for i, (_, h, x, y) in enumerate(env.track)]
    _, heading, x, y = env.track[18]
    env.car = world(x, y, heading).car
    assert happening(env) == {"left"}


def test_grass_and_standing():
    assert at(5, off=1) == {"straight"}
    assert at(5, off=2) == {"straight", "grass"}
    assert at(5, speed=0.5) == {"straight", "standing"}
    assert at(5, speed=1.0) == {"straight"}


def test_a_real_track_has_its_kerbs_and_the_car_starts_on_the_road():
    env = gymnasium.make("CarRacing-v3").unwrapped
    env.reset(seed=3)
    track = events.read_track(env)
    red_and_white = [quad for quad, colour in env.road_poly if isinstance(colour, tuple)]
    assert 0 < track.kerb.sum() == len(red_and_white) < len(env.track)
    for place, quad in zip(track.place[track.kerb], red_and_white, strict=True):
        assert np.linalg.norm(np.mean(quad, axis=0) - place) < 10  # half of the road is 6.7 m
    now = dict(zip(events.EVENTS, events.events_now(env, track), strict=True))
    assert now["standing"] and not now["grass"]


def test_the_stretch_has_the_most_kinds_of_events_behind_the_zoom():
    first, second = np.zeros((2, 300, 6), bool)
    first[:, 0] = second[:, 0] = True
    first[20, 1] = True  # in the zoom
    second[170, 1] = True
    assert events.choose_stretch([first, second]) == (1, 80)  # the first that holds step 170
    assert events.choose_stretch([first, first]) == (0, 50)
    assert events.choose_stretch([first[:120]]) == (0, 20)
    assert events.choose_stretch([first[:35]]) == (0, 0)


def test_a_stretch_on_the_road_is_preferred_to_one_on_grass():
    on, off = np.zeros((2, 300, 6), bool)
    on[:, 0] = on[:, 3] = True  # straight, with a kerb
    off[:, 0] = off[:, 1] = off[:, 4] = True  # the grass beside a straight and a curve
    assert events.choose_stretch([off, on]) == (1, 50)
    off[200:, 4] = False
    assert events.choose_stretch([off, on]) == (0, 110)  # some of both, from step 200 on


# The stage -----------------------------------------------------------------------------------


@pytest.fixture
def agent_run(home):
    """A run of random weights."""
    folder = folders.run_folder("mine")
    for name in ("vae", "rnn", "controller"):
        (folder / name).mkdir(parents=True)
    keras.utils.set_random_seed(0)
    training.save_weights(build_encoder(), folder / "vae" / "encoder.weights.h5")
    training.save_weights(build_decoder(), folder / "vae" / "decoder.weights.h5")
    training.save_weights(made(), folder / "rnn" / "rnn.weights.h5")
    files.write_json(folder / "rnn" / "rnn.json", dataclasses.asdict(SMALL))
    random = np.random.default_rng(0)
    parameters = random.normal(0, 0.1, controller.parameter_count("z_h", 16)).tolist()
    files.write_json(folder / "controller" / "best.json", {"mode": "z_h", "parameters": parameters})
    for name in ("train_rnn", "train_controller"):
        records.finish(CONFIG, name, name, "", 1.0)
    return folder


def test_h_has_seen_what_m_saw_and_predicts_the_next_z(agent_run):
    weights, parameters = load_agent(agent_run)
    first, second = events.drive_all(CONFIG, weights, parameters)
    assert (first.seed, second.seed) == (2**32, 2**32 + 1)
    rnn = made()
    h, (last, c) = rnn(first.z[None], first.action[None])  # (1, T, H)
    np.testing.assert_allclose(first.h, h[0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(first.c[-1], c[0], rtol=1e-3, atol=1e-4)
    assert first.z.shape == (35, 32) and first.happening.shape == (35, 6)
    assert len(first.frames) == 4  # at 0, 10, 20, 30
    np.testing.assert_allclose(events.weights_of(rnn, first.h).sum(axis=-1), 1, rtol=1e-5)


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


def test_what_is_missing_is_named(agent_run):
    (agent_run / "controller" / "done.json").unlink()
    with pytest.raises(UserError, match="run python replication/train_controller.py quick --run"):
        events.main(CONFIG)
