"""A filmed drive: three panels, step by step, and a dream that starts at the first frame."""

import dataclasses

from replication.config import Rnn
from replication.rnn.dream import Starts
from replication.rollouts.agent import LinearControllers, WorldModel
from replication.rollouts.filmed_drive import film
from replication.rollouts.loop import Trial, drive
from replication.runs.seeds import Purpose, generator
from replication.tf import keras
from replication.vae.vae import build_decoder, decode, to_float

import numpy as np
from agents import random_controllers, random_parts
from counting import CountingEnv, counting_task, counting_world

LENGTH, SEED = 6, 42


def test_panels_show_the_same_steps():
    envs = []

    def make_env(stock: bool, render_mode: str):
        assert (stock, render_mode) == (True, "rgb_array")
        envs.append(CountingEnv(LENGTH))
        return envs[-1]

    parts = random_parts(Rnn(hidden=8), task=counting_task())
    parts = dataclasses.replace(parts, task=dataclasses.replace(parts.task, make_env=make_env))
    keras.utils.set_random_seed(1)
    decoder, trial = build_decoder(32), Trial(SEED, random_controllers(parts, 1)[0])
    panels, episode = film(parts, decoder, trial, side=20)

    seen = []
    world = counting_world(CountingEnv(LENGTH), model=WorldModel(parts))
    watch = lambda slot, episode, now, action: seen.append(now.z[0].copy())  # noqa: E731
    ((_, expected),) = drive(world, LinearControllers(parts.controller), [trial], watch=watch)
    assert (episode.rewards, len(envs), envs[0].is_open) == (expected.rewards, 1, False)
    squares = [np.tile(np.uint8([t, SEED, 8]), (20, 20, 1)) for t in range(LENGTH)]
    np.testing.assert_array_equal(panels["environment"], squares)
    np.testing.assert_array_equal(panels["reconstruction"], decode(decoder, np.stack(seen)))

    assert panels["dream"].shape == (LENGTH, 64, 64, 3)
    first = np.tile(np.uint8([0, SEED, 7]), (1, 64, 64, 1))
    starts = Starts(*world.model.encoder(to_float(first)))
    random = generator(SEED, Purpose.VIDEO_DREAM)
    random.integers(1)  # which of the starts: there is one
    noise = random.standard_normal(32, np.float32)
    z = starts.mu[0] + np.exp(starts.logvar[0] / 2) * noise
    difference = decode(decoder, z[None])[0].astype(int) - panels["dream"][0]
    assert np.abs(difference).max() <= 1
