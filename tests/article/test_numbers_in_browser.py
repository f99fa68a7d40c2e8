"""The page's arithmetic, in Chromium, is Keras': frames, memory, draws, heads and C's actions."""

import json
from pathlib import Path
from typing import NamedTuple

from replication.article.packing import unpack
from replication.article.page import Page, make_page, render
from replication.article.run_parts import RunParts
from replication.config import Rnn
from replication.report.run_record import read_run
from replication.rnn.rnn import MDNRNN
from replication.rnn.rnn import mixture as mixture_of
from replication.runs import folders
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.take_cover import TAKE_COVER

import numpy as np
import pytest
import saved_run
from browser import Tab, browsing, needs_browser
from made_up_article import make_parts
from made_up_game import CATCH

pytestmark = needs_browser

GAMES = {
    "car": (CAR_RACING_V3, Rnn(hidden=32, heads="reward,tiles,termination"), "z_h", "drawn"),
    "catch": (CATCH, Rnn(hidden=16, heads="points,end"), "z_hidden", "likely"),
    "doom": (TAKE_COVER, Rnn(hidden=512, heads="end"), "z_c_h", "likely"),  # M partly as bytes
}
# Numbers of the page's answer, arrays as lists, so that they can leave the browser.
PLAIN = """(answer) => Object.fromEntries(Object.entries(answer).map(
    ([name, value]) => [name, ArrayBuffer.isView(value) ? [...value] : value]))"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run, made up, as figures read it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "HOME", tmp_path_factory.mktemp("home"))
        saved_run.write_run()
        yield read_run(saved_run.CONFIG)


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as tab:
        yield tab


class Opened(NamedTuple):
    """A game, and a tab that shows its page."""

    tab: Tab
    parts: RunParts
    rounded: MDNRNN  # M with the weights that the page has


@pytest.fixture(scope="module", params=GAMES)
def opened(request, tab, run, tmp_path_factory):
    parts = make_parts(*GAMES[request.param])
    facts = show(tab, make_page(run, parts), tmp_path_factory.mktemp(request.param))
    return Opened(tab, parts, rounded_m(parts.rnn, facts["memory"]))


def show(tab: Tab, page: Page, folder: Path) -> dict:
    """Open a page, and return the facts that it has."""
    (folder / "demo.html").write_text(render(page), encoding="utf-8")
    tab.open(folder / "demo.html")
    return json.loads(page.facts)


def rounded_m(rnn: MDNRNN, memory: dict) -> MDNRNN:
    """M with the weights that the page has of it."""
    rounded = MDNRNN(rnn.config, rnn.task)
    rounded.lstm.set_weights([unpack(memory[name]) for name in ("kernel", "recurrent", "bias")])
    layers = [(rounded.head, memory["mixture"])]
    layers += [(rounded.heads[name], packed) for name, packed in memory["heads"].items()]
    for layer, packed in layers:
        layer.set_weights([unpack(packed["weight"]), unpack(packed["bias"])])
    return rounded


def ask(tab, kind: str, **question) -> dict:
    """The worker's answer, with arrays as lists of numbers."""
    words = json.dumps(question)
    return tab.run(f"article.then(({{ask}}) => ask('{kind}', {words})).then({PLAIN})")


def question_for(parts, seed: int = 0) -> dict[str, np.ndarray]:
    """Random numbers that a step of a dream takes, float32."""
    random, task, hidden = np.random.default_rng(seed), parts.task, parts.rnn.config.hidden
    arrays = {
        "z": random.normal(0, 1, task.z_size),
        "h": np.tanh(random.normal(0, 1, hidden)),
        "c": random.normal(0, 1, hidden),
        "action": random.uniform(task.action_low, task.action_high),
        "uniform": random.random(task.z_size + 1),
        "noise": random.normal(0, 1, task.z_size),
    }
    return {name: np.float32(array) for name, array in arrays.items()}


def asked(tab, question: dict, **more) -> dict:
    plain = {name: array.tolist() for name, array in question.items()}
    return ask(tab, "compute", isFirst=False, **plain, **more)


def draw_by_hand(mixture, weights, uniform, noise) -> np.ndarray:
    """z (Z,): uniform (Z,) chooses each Gaussian, by inversion; noise (Z,) the value."""
    below = weights.cumsum(axis=1)[:, :-1]  # (Z, K - 1)
    chosen = np.arange(len(noise)), (below <= uniform[:, None]).sum(axis=1)
    normal = mixture.components_distribution
    return normal.loc.numpy()[0][chosen] + normal.scale.numpy()[0][chosen] * noise


@pytest.mark.parametrize("temperature", [0.4, 1.0, 1.7])
def test_a_step_of_the_dream_is_keras(opened, temperature):
    tab, parts, rounded = opened
    question = question_for(parts)
    z, h, c, action = (question[name][None] for name in ("z", "h", "c", "action"))
    exact_h, _ = parts.rnn.step(z, action, h, c)
    h, c = rounded.step(z, action, h, c)
    mixture = mixture_of(rounded.head(h), rounded.task.z_size, temperature)
    weights = mixture.mixture_distribution.probs_parameter().numpy()
    got = asked(tab, question, temperature=temperature)
    np.testing.assert_allclose(got["h"], h[0], atol=2e-5)
    np.testing.assert_allclose(got["c"], c[0], atol=2e-5)
    np.testing.assert_allclose(got["weights"], weights.ravel(), atol=2e-4)
    next_z = draw_by_hand(mixture, weights[0], question["uniform"][:-1], question["noise"])
    np.testing.assert_allclose(got["z"], next_z, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(got["h"], exact_h[0], atol=0.05)  # what the rounding does


def test_heads_and_the_end_are_the_games(opened):
    tab, parts, rounded = opened
    ends = set()
    for seed in range(6):
        question = question_for(parts, seed)
        state = (question[name][None] for name in ("z", "action", "h", "c"))
        said = rounded.predict_heads(rounded.step(*state)[0])
        heads = {name: prediction.mean().numpy() for name, prediction in said.items()}
        end = parts.task.dream_outcome(heads, 1).end[0]
        limit = 0.5 if parts.dream.ends == "likely" else question["uniform"][-1]
        got = asked(tab, question, temperature=1)
        assert got["ended"] == (end > limit)
        ends.add(got["ended"])
        assert got["heads"] == pytest.approx({k: float(v[0]) for k, v in heads.items()}, abs=1e-3)
    assert ends == {True, False}


def test_pictures_are_keras(opened):
    tab, parts, _ = opened
    question = question_for(parts)
    pixels = np.reshape(asked(tab, question, temperature=1)["pixels"], (64, 64, 4))
    exact = parts.decoder(question["z"][None])[0].numpy() * 255
    apart = np.abs(pixels[..., :3] - exact)
    assert exact.std() > 20  # a picture of something
    assert apart.max() < 6 and apart.mean() < 0.5
    assert (pixels[..., 3] == 255).all()


def test_c_acts_as_in_keras(opened):
    tab, parts, _ = opened
    question = question_for(parts)
    agent, flat = parts.agent
    state = (question[name][None] for name in ("z", "h", "c"))
    expected = agent.controller.act(flat[None], *state)[0]
    assert np.abs(expected).max() > 0.05
    got = asked(tab, question, temperature=1)["chosen"]
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_memory_along_a_recording_is_keras(opened):
    tab, parts, rounded = opened
    recording, time = parts.recordings[1], 20
    z, action = np.float32(recording.mu)[None, :time], recording.action[None, :time]
    restart = np.float32(np.arange(time) == 0)[None]
    _, (h, c) = rounded(z, action, restart)
    got = ask(tab, "recall", recording=1, time=time)
    np.testing.assert_allclose(got["h"], h[0], atol=1e-4)
    np.testing.assert_allclose(got["c"], c[0], atol=1e-4)
    assert not np.any(ask(tab, "recall", recording=1, time=0)["h"])
    first = ask(tab, "recall", recording=1, time=1)["h"]
    _, (unheard, _) = rounded(z[:, :1], action[:, :1])
    assert (np.abs(first - unheard[0]).max() > 0.01) == parts.task.tells_restart


def test_random_numbers_are_uniform_and_normal(opened):
    """z of N(0, I), by the worker's own generator: its moments, and another sample a seed."""
    asking = "Promise.all(Array.from({length: 200}, (_, seed) => ask('picture', {seed})))"
    taking = "answers => answers.map(({z}) => [...z])"
    z = np.array(opened.tab.run(f"article.then(({{ask}}) => {asking}).then({taking})"))  # (200, Z)
    assert abs(z.mean()) < 0.1 and abs(z.std() - 1) < 0.1
    assert np.abs(np.corrcoef(z.T) - np.eye(z.shape[1])).max() < 0.35
    assert len(np.unique(z)) == z.size
    assert ask(opened.tab, "picture", seed=3)["z"] == z[3].tolist()
