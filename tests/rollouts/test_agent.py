"""The agent: DESIGN's timeline with real networks, and numbers that depend on the seed alone."""

import dataclasses
import zlib

from replication.config import Rnn, UserError
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import (
    WIDTH,
    Agent,
    Weights,
    load_agent,
    load_encoder,
    load_rnn,
    load_weights,
    run_in,
)
from replication.rollouts.loop import Task, drive
from replication.runs import files, folders
from replication.tf import keras
from replication.vae.vae import build_encoder, sample_z, to_float

import numpy as np
import pytest


@pytest.fixture(scope="module")
def weights() -> Weights:
    """Random V and M of realistic scale: z of some units, h well away from 0."""
    keras.utils.set_random_seed(0)
    encoder, rnn = build_encoder(), MDNRNN()
    scaled = [1.3 * array for array in encoder.get_weights()]
    return Weights(scaled, rnn.get_weights(), rnn.config, "z_h")


@pytest.fixture(scope="module")
def agent(weights) -> Agent:
    return Agent(weights)


def some_controllers(count: int) -> np.ndarray:
    return np.float32(0.1 * np.random.default_rng(5).standard_normal((count, 867)))


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


@dataclasses.dataclass
class Watched:
    """An agent, and for each call what it was shown, what it knew and what it made of it."""

    agent: Agent
    seen: list[dict]

    def begin(self, slot: int, task: Task) -> None:
        self.agent.begin(slot, task)

    def act(self, frames: np.ndarray) -> np.ndarray:
        before = {"frame": frames.copy(), "h": self.agent.h.copy(), "c": self.agent.c.copy()}
        action = self.agent.act(frames)
        after = {"next_h": self.agent.h.copy(), "next_c": self.agent.c.copy()}
        self.seen.append(before | after | {"z": np.array(self.agent.z), "action": action})
        return action


def numpy_act(flat: np.ndarray, z: np.ndarray, h: np.ndarray) -> np.ndarray:
    u = np.tanh(np.concatenate([z, h]) @ flat[3:].reshape(288, 3) + flat[:3])
    return np.array([u[0], (u[1] + 1) / 2, max(u[2], 0)])


def test_timeline(weights, agent, counting_env):
    """z_t of x_t; a_t = C(z_t, h_t), not of h_{t+1}; h_{t+1} = LSTM([z_t, a_t], h_t)."""
    policy, seed, (flat,) = Watched(agent, []), 9, some_controllers(1)
    ((_, episode),) = drive([counting_env(length=6)], policy, [Task(seed, flat)])
    encoder, rnn = agent.encoder, agent.rnn
    random = np.random.default_rng([seed, 1])
    h = c = np.zeros((1, 256), np.float32)  # h_0 = c_0 = 0
    for t, step in enumerate(policy.seen):
        assert (step["frame"][0] == (t, seed, 7)).all()  # x_t
        mu, logvar = encoder(to_float(step["frame"][:1]))
        noise = random.standard_normal((1, 32), np.float32)
        z = sample_z(mu, logvar, noise).numpy()
        np.testing.assert_allclose(step["z"][:1], z, atol=1e-5)
        np.testing.assert_allclose(step["h"][:1], h, atol=1e-5)
        a = numpy_act(flat, z[0], h[0])
        np.testing.assert_allclose(step["action"][0], a, atol=1e-5)
        assert np.abs(a - numpy_act(flat, z[0], step["next_h"][0])).max() > 1e-3
        h, c = (x.numpy() for x in rnn.step(z, np.float32(a[None]), h, c))
        np.testing.assert_allclose(step["next_h"][:1], h, atol=1e-5)
        np.testing.assert_allclose(step["next_c"][:1], c, atol=1e-5)
        assert episode.actions[t].tolist() == step["action"][0].tolist()
    assert len(policy.seen) == 6


def test_z_can_be_vs_mean(weights, counting_env):
    quiet = Agent(dataclasses.replace(weights, z="mean"))
    policy, (flat,) = Watched(quiet, []), some_controllers(1)
    list(drive([counting_env(length=4)], policy, [Task(9, flat)]))
    for step in policy.seen:
        mu, logvar = quiet.encoder(to_float(step["frame"][:1]))
        np.testing.assert_allclose(step["z"][:1], mu, atol=1e-5)
        assert np.exp(logvar / 2).max() > 0.1  # a sample would be elsewhere


def test_actions_lie_in_the_action_space(agent):
    ((_, episode),) = drive([ChaoticEnv()], agent, [Task(6, 20 * some_controllers(1)[0])])
    actions = np.stack(episode.actions)
    assert (actions >= [-1, 0, 0]).all()
    assert (actions <= 1).all()


def returns_of(agent: Agent, tasks: list[Task], slots: int) -> list[tuple[list, bytes]]:
    """Every reward and every bit of every action, in the order of the tasks."""
    found = dict(drive([ChaoticEnv() for _ in range(slots)], agent, tasks))
    episodes = [found[place] for place in range(len(tasks))]
    return [(episode.rewards, np.stack(episode.actions).tobytes()) for episode in episodes]


@pytest.fixture(scope="module")
def twenty(agent):
    """Twenty episodes of C's of their own on all sixteen slots."""
    tasks = [Task(100 + 3 * i, flat) for i, flat in enumerate(some_controllers(20))]
    return tasks, returns_of(agent, tasks, WIDTH)


def test_an_episode_does_not_depend_on_its_slot(agent, twenty):
    tasks, expected = twenty
    assert len({rewards[-1] for rewards, _ in expected}) == 20  # they do differ
    assert returns_of(agent, tasks[::-1], WIDTH)[::-1] == expected
    order = np.random.default_rng(0).permutation(20)
    assert returns_of(agent, [tasks[i] for i in order], WIDTH) == [expected[i] for i in order]


@pytest.mark.parametrize("slots", [1, 3, 11])
def test_an_episode_does_not_depend_on_how_many_share_the_batch(agent, twenty, slots):
    tasks, expected = twenty
    assert returns_of(agent, tasks[:6], slots) == expected[:6]


def test_an_episode_does_not_depend_on_its_neighbours(agent, twenty):
    tasks, expected = twenty
    others = [Task(7000 + i, 9 * flat) for i, flat in enumerate(some_controllers(15))]
    assert returns_of(agent, [*others, tasks[4]], WIDTH)[-1] == expected[4]
    assert returns_of(agent, [tasks[4], *others], WIDTH)[0] == expected[4]


def test_a_new_agent_drives_the_same(weights, twenty):
    """Nothing of an agent's past, nor of the process it lives in, enters."""
    tasks, expected = twenty
    assert returns_of(Agent(weights), tasks[7:10], WIDTH) == expected[7:10]


def test_noise_follows_from_the_seed_alone(agent):
    frames = np.full((3, 64, 64, 3), 90, np.uint8)
    draws = []
    for flats in (np.zeros((3, 867)), some_controllers(3)):
        for slot, seed in enumerate((5, 6, 5)):
            agent.begin(slot, Task(seed, flats[slot]))
        draws.append([(agent.act(frames), np.array(agent.z[:3]))[1] for _ in range(3)])
    first, second = np.array(draws)  # (call, slot, Z)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[:, 0], first[:, 2])
    assert (np.abs(first[:, 0] - first[:, 1]).max(axis=1) > 0.1).all()
    assert np.abs(first[0, 0] - first[1, 0]).max() > 0.1  # drawn anew for each frame


def test_c_sees_z_c_and_h_in_the_originals_order(weights):
    """The largest mode, at the second frame, when c and h are no longer 0."""
    agent = Agent(dataclasses.replace(weights, mode="z_c_h"), width=2)
    flat = np.float32(0.1 * np.random.default_rng(3).standard_normal(1635))
    agent.begin(0, Task(0, flat))
    frames = np.full((1, 64, 64, 3), 120, np.uint8)
    agent.act(frames)
    h, c = agent.h[0].copy(), agent.c[0].copy()
    action = agent.act(frames)
    u = np.tanh(np.concatenate([agent.z[0], c, h]) @ flat[3:].reshape(544, 3) + flat[:3])
    np.testing.assert_allclose(action, [[u[0], (u[1] + 1) / 2, max(u[2], 0)]], atol=1e-5)


# What a run's folder may hold ---------------------------------------------------------------


@pytest.fixture
def folder(home):
    """V and a small M, as the stages leave them."""
    keras.utils.set_random_seed(1)
    folder, config = folders.run_folder("mine"), Rnn(hidden=16)
    for name in ("vae", "rnn"):
        (folder / name).mkdir(parents=True)
    build_encoder().save_weights(folder / "vae" / "encoder.weights.h5")
    MDNRNN(config).save_weights(folder / "rnn" / "rnn.weights.h5")
    files.write_json(folder / "rnn" / "rnn.json", dataclasses.asdict(config))
    return folder


def complaint(folder) -> str:
    with pytest.raises(UserError) as error:
        load_weights(folder, "z_h")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_weights_come_back_as_they_were_saved(folder):
    keras.utils.set_random_seed(1)
    encoder, rnn = build_encoder(), MDNRNN(Rnn(hidden=16))
    loaded = load_weights(folder, "z_c_h")
    for saved, found in (
        (encoder.get_weights(), loaded.encoder),
        (rnn.get_weights(), loaded.rnn),
    ):
        for one, other in zip(saved, found, strict=True):
            np.testing.assert_array_equal(one, other)
    assert loaded.rnn_config == Rnn(hidden=16)
    assert loaded.parameters == (32 + 16 + 16 + 1) * 3


@pytest.mark.parametrize("name", ["vae/encoder.weights.h5", "rnn/rnn.weights.h5", "rnn/rnn.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert complaint(folder).startswith(f"checkpoints/mine/{name} is missing")


@pytest.mark.parametrize("name", ["vae/encoder.weights.h5", "rnn/rnn.weights.h5", "rnn/rnn.json"])
def test_a_torn_file_is_named(folder, name):
    whole = (folder / name).read_bytes()
    for length in (0, len(whole) // 2):
        (folder / name).write_bytes(whole[:length])
        assert f"checkpoints/mine/{name}" in complaint(folder)


def test_an_m_of_another_size_is_named(folder):
    MDNRNN(Rnn(hidden=24)).save_weights(folder / "rnn" / "rnn.weights.h5")
    assert "rnn.weights.h5 does not fit mdn_rnn" in complaint(folder)


def test_a_v_of_another_z_size_is_named(folder, monkeypatch):
    monkeypatch.setattr("replication.vae.vae.Z_SIZE", 16)
    other = build_encoder()
    monkeypatch.undo()
    monkeypatch.setattr(folders, "HOME", folder.parents[1])
    other.save_weights(folder / "vae" / "encoder.weights.h5")
    assert "encoder.weights.h5 does not fit encoder" in complaint(folder)


def test_sizes_of_another_program_are_named(folder):
    (folder / "rnn" / "rnn.json").write_text('{"units": 256}')
    assert "checkpoints/mine/rnn/rnn.json" in complaint(folder)


def test_a_v_that_c_was_not_evolved_on_is_named(folder):
    parameters = np.zeros((32 + 16 + 1) * 3).tolist()
    (folder / "controller").mkdir()
    files.write_json(folder / "controller/best.json", {"mode": "z_h", "parameters": parameters})
    made = load_weights(folder, "z_h")
    evolved_on = {
        "input train_vae": files.fingerprint(made.encoder),
        "input train_rnn": files.fingerprint(made.rnn),
    }
    files.write_json(folder / "config.json", {"train_controller": evolved_on})
    load_agent(folder)
    for name, part in (("vae", "encoder"), ("rnn", "rnn")):
        weights = folder / name / f"{part}.weights.h5"
        kept = weights.read_bytes()
        model = load_encoder(folder) if name == "vae" else load_rnn(folder)
        model.set_weights([1.01 * each for each in model.get_weights()])
        model.save_weights(weights)  # as a training that goes on
        with pytest.raises(UserError, match=f"mine/controller was evolved on another {name}/"):
            load_agent(folder)
        weights.write_bytes(kept)


def test_a_folder_of_a_run_is_told_from_an_agent_from_elsewhere(home):
    for name in ("mine", "report/two_cores"):
        assert run_in(folders.run_folder(name).resolve()) == name
    assert run_in(home.resolve()) is None
    assert run_in(folders.run_folder("").resolve()) is None
