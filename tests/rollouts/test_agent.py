"""The agent: DESIGN's timeline with real networks, and numbers that depend on the seed alone."""

import dataclasses
import zlib

from replication.config import Rnn
from replication.rollouts.agent import WIDTH, AgentParts, LinearControllers, WorldModel
from replication.rollouts.loop import Seen, Trial, drive
from replication.vae.vae import sample_z, to_float

import numpy as np
import pytest
from agents import numpy_act, random_controllers, random_parts
from counting import CountingEnv, counting_world


@pytest.fixture(scope="module")
def parts() -> AgentParts:
    """Random V and M of realistic scale: z of some units, h well away from 0."""
    parts = random_parts(Rnn())
    return dataclasses.replace(parts, encoder=[1.3 * array for array in parts.encoder])


@pytest.fixture(scope="module")
def model(parts) -> WorldModel:
    return WorldModel(parts)


@pytest.fixture(scope="module")
def controllers(parts) -> LinearControllers:
    return LinearControllers(parts.controller)


class ChaoticEnv:
    """A picture of coloured blocks that follows from the seed and every bit of every action."""

    def reset(self, seed: int):
        self.key, self.left = seed, 4 + seed % 7
        return self.picture(), {}

    def step(self, action):
        self.key = zlib.crc32(action.tobytes(), self.key % 2**32)
        self.left -= 1
        return self.picture(), float(self.key), self.left == 0, False, {}

    def picture(self) -> np.ndarray:
        blocks = np.random.default_rng(self.key).integers(0, 256, (6, 6, 3), np.uint8)
        return blocks.repeat(16, axis=0).repeat(16, axis=1)


def watched_steps(model, controllers, trial: Trial, length: int) -> list[dict]:
    """x_t, z_t, h_t, c_t and a_t of each step of an episode of counting frames."""
    world, steps = counting_world(CountingEnv(length), model=model), []

    def watch(slot, episode, seen: Seen, action) -> None:
        step = {"frame": world.frames[:1], "z": seen.z[:1], "h": seen.h[:1], "c": seen.c[:1]}
        steps.append({k: v.copy() for k, v in step.items()} | {"action": action.copy()})

    ((_, episode),) = drive(world, controllers, [trial], watch=watch)
    np.testing.assert_array_equal(episode.actions, [step["action"] for step in steps])
    return steps


def test_timeline(parts, model, controllers):
    """z_t of x_t; a_t = C(z_t, h_t), not of h_{t+1}; h_{t+1} = LSTM([z_t, a_t], h_t)."""
    seed, (flat,) = 9, random_controllers(parts, 1)
    steps = watched_steps(model, controllers, Trial(seed, flat), length=6)
    random = np.random.default_rng([seed, 1])
    h = c = np.zeros((1, 256), np.float32)  # h_0 = c_0 = 0
    for t, step in enumerate(steps):
        assert (step["frame"][0] == (t, seed, 7)).all()  # x_t
        mu, logvar = model.encoder(to_float(step["frame"]))
        z = sample_z(mu, logvar, random.standard_normal((1, 32), np.float32)).numpy()
        for name, value in (("z", z), ("h", h), ("c", c)):
            np.testing.assert_allclose(step[name], value, atol=1e-5)
        action = numpy_act(flat, np.concatenate([z[0], h[0]]))
        np.testing.assert_allclose(step["action"], action, atol=1e-5)
        h, c = (x.numpy() for x in model.rnn.step(z, np.float32(action[None]), h, c))
        later = numpy_act(flat, np.concatenate([z[0], h[0]]))
        assert np.abs(action - later).max() > 1e-3
    assert len(steps) == 6


def test_z_can_be_vs_mean(parts, controllers):
    quiet = WorldModel(dataclasses.replace(parts, z="mean"))
    (flat,) = random_controllers(parts, 1)
    steps = watched_steps(quiet, controllers, Trial(9, flat), length=4)
    assert len(steps) == 4
    for step in steps:
        mu, logvar = quiet.encoder(to_float(step["frame"]))
        np.testing.assert_allclose(step["z"], mu, atol=1e-5)
        assert np.exp(logvar / 2).max() > 0.1  # a sample would be elsewhere


def test_actions_lie_in_the_action_space(parts, model, controllers):
    trial = Trial(6, 20 * random_controllers(parts, 1)[0])
    ((_, episode),) = drive(counting_world(ChaoticEnv(), model=model), controllers, [trial])
    actions = np.stack(episode.actions)
    assert (actions >= [-1, 0, 0]).all()
    assert (actions <= 1).all()


def test_a_row_that_begins_anew_forgets_and_the_others_go_on(parts):
    frames = np.random.default_rng(0).integers(0, 256, (5, 2, 64, 64, 3), np.uint8)
    action = np.full((2, 3), 0.5, np.float32)
    parts = dataclasses.replace(parts, z="mean")
    ours, undisturbed = WorldModel(parts, 2), WorldModel(parts, 2)
    for model in (ours, undisturbed):
        model.begin(0, seed=1)
        model.begin(1, seed=2)
    for t, x in enumerate(frames):
        if t == 3:  # after a_2, as the loop refills a slot
            ours.begin(0, seed=3)
        seen, expected = ours.see(x), undisturbed.see(x)
        np.testing.assert_array_equal(seen.h[1], expected.h[1])
        np.testing.assert_array_equal(seen.c[1], expected.c[1])
        assert seen.h[0].any() == seen.c[0].any() == (t not in (0, 3))
        ours.act(action)
        undisturbed.act(action)


# To the last bit -----------------------------------------------------------------------------


def episodes_of(model, controllers, trials: list[Trial], slots: int) -> list[tuple[list, bytes]]:
    """Every reward and every bit of every action, in the order of the trials."""
    world = counting_world(*(ChaoticEnv() for _ in range(slots)), model=model)
    by_place = dict(drive(world, controllers, trials))
    episodes = [by_place[place] for place in range(len(trials))]
    return [(episode.rewards, np.stack(episode.actions).tobytes()) for episode in episodes]


@pytest.fixture(scope="module")
def twenty(parts, model, controllers):
    """Twenty episodes of C's of their own on all sixteen slots."""
    trials = [Trial(100 + 3 * i, flat) for i, flat in enumerate(random_controllers(parts, 20))]
    return trials, episodes_of(model, controllers, trials, WIDTH)


def test_an_episode_does_not_depend_on_its_slot(model, controllers, twenty):
    trials, expected = twenty
    assert len({rewards[-1] for rewards, _ in expected}) == 20  # they do differ
    assert episodes_of(model, controllers, trials[::-1], WIDTH)[::-1] == expected
    order = np.random.default_rng(0).permutation(20)
    shuffled = episodes_of(model, controllers, [trials[i] for i in order], WIDTH)
    assert shuffled == [expected[i] for i in order]


@pytest.mark.parametrize("slots", [1, 3, 11])
def test_an_episode_does_not_depend_on_how_many_share_the_batch(model, controllers, twenty, slots):
    trials, expected = twenty
    assert episodes_of(model, controllers, trials[:6], slots) == expected[:6]


def test_an_episode_does_not_depend_on_its_neighbours(parts, model, controllers, twenty):
    trials, expected = twenty
    wild = 9 * random_controllers(parts, 15)
    others = [Trial(7000 + i, flat) for i, flat in enumerate(wild)]
    last = episodes_of(model, controllers, [*others, trials[4]], WIDTH)[-1]
    first = episodes_of(model, controllers, [trials[4], *others], WIDTH)[0]
    assert last == first == expected[4]


def test_a_new_agent_drives_the_same(parts, twenty):
    """Nothing of an agent's past, nor of the process it lives in, enters."""
    trials, expected = twenty
    model, controllers = WorldModel(parts), LinearControllers(parts.controller)
    assert episodes_of(model, controllers, trials[7:10], WIDTH) == expected[7:10]


def test_noise_follows_from_the_seed_alone(parts):
    frames, model = np.full((3, 64, 64, 3), 90, np.uint8), WorldModel(parts, 3)
    draws = []
    for action in (0.0, 0.7):
        for row, seed in enumerate((5, 6, 5)):
            model.begin(row, seed)
        draws.append([])
        for _ in range(3):
            draws[-1].append(model.see(frames).z)
            model.act(np.full((3, 3), action))
    first, second = np.array(draws)  # (call, row, Z)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[:, 0], first[:, 2])
    assert (np.abs(first[:, 0] - first[:, 1]).max(axis=1) > 0.1).all()
    assert np.abs(first[0, 0] - first[1, 0]).max() > 0.1  # drawn anew for each frame


# What C sees ---------------------------------------------------------------------------------


def test_c_sees_z_c_and_h_in_the_originals_order(parts):
    """The largest mode, when c and h are not 0."""
    parts = dataclasses.replace(parts, mode="z_c_h")
    controllers = LinearControllers(parts.controller, width=2)
    (flat,) = random_controllers(parts, 1)
    controllers.begin(0, Trial(0, flat))
    random = np.random.default_rng(3)
    seen = Seen(*(random.standard_normal((2, n), np.float32) for n in (32, 256, 256)))
    expected = numpy_act(flat, np.concatenate([seen.z[0], seen.c[0], seen.h[0]]))
    action = controllers.act(seen)
    np.testing.assert_allclose(action[0], expected, atol=1e-5)
    np.testing.assert_array_equal(action[1], np.float32([0, 0.5, 0]))  # a C of zeros


def test_each_slot_has_a_c_of_its_own(parts):
    controllers, flats = LinearControllers(parts.controller, 3), random_controllers(parts, 4)
    random = np.random.default_rng(3)
    seen = Seen(*(random.standard_normal((3, n), np.float32) for n in (32, 256, 256)))
    for slot, flat in enumerate(flats[:3]):
        controllers.begin(slot, Trial(0, flat))
    controllers.begin(1, Trial(0, flats[3]))  # another episode
    x = np.hstack([seen.z, seen.h])
    expected = [numpy_act(flats[i], row) for i, row in zip((0, 3, 2), x, strict=True)]
    np.testing.assert_allclose(controllers.act(seen), expected, atol=1e-5)
