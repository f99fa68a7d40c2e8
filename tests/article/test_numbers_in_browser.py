"""The page's arithmetic, in Chromium, is Keras': frames, memory, draws, heads and C's actions."""

import dataclasses
import json

from replication.article.facts import make_facts
from replication.article.packing import pack, unpack
from replication.article.page import as_script, make_page, render
from replication.config import Rnn
from replication.rnn.dream import draw
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tf import keras, tf

import numpy as np
import pytest
from browser import browsing, needs_browser
from made_up_article import make_parts
from made_up_game import CATCH

pytestmark = needs_browser

HEADS = {"reward_head": True, "termination_head": True}
# Sizes as Take Cover's: one action of both signs, z of 64, and an M of which parts are bytes.
WIDE = dataclasses.replace(
    CATCH, name="wide", z_size=64, actions=("move",), action_low=(-1.0,), action_high=(1.0,),
    squash=lambda u, xp: xp.tanh(u),
)  # fmt: skip
GAMES = {
    "car": (CAR_RACING_V3, Rnn(hidden=32, **HEADS), "z_h"),
    "catch": (CATCH, Rnn(hidden=16, **HEADS), "z_hidden"),
    "wide": (WIDE, Rnn(hidden=512, termination_head=True), "z_c_h"),
}
# Numbers of the page's answer, arrays as lists, so that they can leave the browser.
PLAIN = """(answer) => Object.fromEntries(Object.entries(answer).map(
    ([name, value]) => [name, ArrayBuffer.isView(value) ? [...value] : value]))"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as tab:
        yield tab


@pytest.fixture(params=GAMES)
def parts(request):
    task, config, mode = GAMES[request.param]
    return make_parts(task, config, mode)


def show(tab, run, parts, folder, facts=None) -> dict:
    """Open a page of these parts, and return the facts that it has."""
    page = make_page(run, parts)
    if facts:
        page = dataclasses.replace(page, facts=as_script(facts))
    (folder / "demo.html").write_text(render(page), encoding="utf-8")
    tab.open(folder / "demo.html")
    return json.loads(page.facts)


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


def round_m(parts, facts: dict) -> None:
    """Give M the weights that the page has of it."""
    memory = facts["memory"]
    rnn = parts.rnn
    weights = [unpack(memory[name]) for name in ("kernel", "recurrent", "bias")]
    rnn.lstm.set_weights(weights)
    for layer, packed in [(rnn.head, memory["mixture"])] + [
        (rnn.heads[name], packed) for name, packed in memory["heads"].items()
    ]:
        layer.set_weights([unpack(packed["weight"]), unpack(packed["bias"])])


@pytest.mark.parametrize("temperature", [0.4, 1.0, 1.7])
def test_a_step_of_the_dream_is_keras(tab, run, parts, tmp_path, temperature):
    facts = show(tab, run, parts, tmp_path)
    question = question_for(parts)
    z, h, c, action = (question[name][None] for name in ("z", "h", "c", "action"))
    exact_h, _ = parts.rnn.step(z, action, h, c)
    round_m(parts, facts)
    h, c = parts.rnn.step(z, action, h, c)
    mixture = parts.rnn.predict_z(h, temperature)
    weights = mixture.mixture_distribution.probs_parameter().numpy()
    uniform, noise = question["uniform"][None], question["noise"][None]
    got = asked(tab, question, temperature=temperature)
    np.testing.assert_allclose(got["h"], h[0], atol=2e-5)
    np.testing.assert_allclose(got["c"], c[0], atol=2e-5)
    np.testing.assert_allclose(got["weights"], weights.ravel(), atol=2e-4)
    next_z = draw(mixture, uniform[:, :-1], noise)[0]
    np.testing.assert_allclose(got["z"], next_z, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(got["h"], exact_h[0], atol=0.05)  # what the rounding does
    heads = parts.rnn.predict_heads(h)
    outcome = parts.task.dream_outcome(heads, tf.constant(uniform[:, -1]))
    assert got["ended"] == bool(outcome.ended[0])
    if "reward" in heads:
        assert got["heads"]["reward"] == pytest.approx(float(heads["reward"].mean()[0]), abs=1e-3)
    probability = float(heads["termination"].probs_parameter()[0])
    assert got["heads"]["termination"] == pytest.approx(probability, abs=1e-3)


def test_pictures_are_keras(tab, run, parts, tmp_path):
    show(tab, run, parts, tmp_path)
    question = question_for(parts)
    pixels = np.reshape(asked(tab, question, temperature=1)["pixels"], (64, 64, 4))
    exact = parts.decoder(question["z"][None])[0].numpy() * 255
    apart = np.abs(pixels[..., :3] - exact)
    assert exact.std() > 20  # a picture of something
    assert apart.max() < 6 and apart.mean() < 0.5
    assert (pixels[..., 3] == 255).all()


def test_c_acts_as_in_keras(tab, run, parts, tmp_path):
    show(tab, run, parts, tmp_path)
    question = question_for(parts)
    agent, flat = parts.agent
    state = (question[name][None] for name in ("z", "h", "c"))
    expected = agent.controller.act(flat[None], *state)[0]
    assert np.abs(expected).max() > 0.05
    got = asked(tab, question, temperature=1)["chosen"]
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_memory_along_a_recording_is_keras(tab, run, parts, tmp_path):
    round_m(parts, show(tab, run, parts, tmp_path))
    recording, time = parts.recordings[1], 20
    z, action = np.float32(recording.mu)[None, :time], recording.action[None, :time]
    _, (h, c) = parts.rnn(z, action)
    got = ask(tab, "recall", recording=1, time=time)
    np.testing.assert_allclose(got["h"], h[0], atol=1e-4)
    np.testing.assert_allclose(got["c"], c[0], atol=1e-4)
    assert not np.any(ask(tab, "recall", recording=1, time=0)["h"])


def test_an_m_with_a_restart_input_hears_of_the_first_step(tab, run, tmp_path):
    """Its kernel has a row more: 1 at the first step of an episode, else 0."""
    parts = make_parts(CATCH, Rnn(hidden=16))
    facts = make_facts(parts)
    memory, random = facts["memory"], np.random.default_rng(0)
    kernel = np.vstack([unpack(memory["kernel"]), random.normal(0, 1, 64)]).astype(np.float32)
    facts["memory"] = memory | {"kernel": pack(kernel), "restart": True}
    show(tab, run, parts, tmp_path, facts)
    cell = keras.layers.LSTMCell(16)
    cell.build((1, len(kernel)))
    cell.set_weights([kernel, unpack(memory["recurrent"]), unpack(memory["bias"])])
    z, action = np.float32(parts.recordings[0].mu), parts.recordings[0].action
    state = [np.zeros((1, 16), np.float32)] * 2
    for time in range(3):
        inputs = np.concatenate([z[time], action[time], [time == 0]])[None]
        _, state = cell(np.float32(inputs), state)
    got = ask(tab, "recall", recording=0, time=3)
    np.testing.assert_allclose(got["h"], state[0][0], atol=1e-5)
    without = cell(np.float32(np.concatenate([z[0], action[0], [0]]))[None], [state[0] * 0] * 2)[0]
    assert np.abs(ask(tab, "recall", recording=0, time=1)["h"] - without[0]).max() > 0.05


def test_random_numbers_are_uniform_and_normal(tab, run, tmp_path):
    """z of N(0, I), by the worker's own generator: its moments, and another sample a seed."""
    show(tab, run, make_parts(CATCH, Rnn(hidden=16)), tmp_path)
    z = np.array([ask(tab, "picture", seed=seed)["z"] for seed in range(200)])  # (200, 6)
    assert abs(z.mean()) < 0.1 and abs(z.std() - 1) < 0.1
    assert np.abs(np.corrcoef(z.T) - np.eye(6)).max() < 0.3
    assert len(np.unique(z)) == z.size
    assert ask(tab, "picture", seed=3)["z"] == z[3].tolist()
