"""What the page shows of the game: the agent on fresh tracks, or else the run's own rollouts."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from replication.config import Config
from replication.dataset.episodes import HELD_OUT, list_episodes, read_episode
from replication.dataset.series import encode
from replication.rollouts.agent import AgentParts, LinearControllers, WorldModel
from replication.rollouts.fresh_tracks import fresh_trials
from replication.rollouts.loop import Episode, Seen, Trial, drive
from replication.rollouts.real_world import RealWorld
from replication.tf import keras
from replication.vae.vae import kl_divergence, to_float

import numpy as np

EPISODES = 2
FRAMES = 400  # of an episode at most: eight seconds of the car's
STARTS = 8  # moments that dreams may start from


class Recording(NamedTuple):
    """The first frames of an episode, and V's posterior of each."""

    title: str
    obs: np.ndarray  # uint8 (T, 64, 64, 3)
    action: np.ndarray  # float32 (T, A)
    mu: np.ndarray  # float16 (T, Z)
    logvar: np.ndarray  # float16 (T, Z)


def drives(parts: AgentParts, parameters: np.ndarray, encoder: keras.Model) -> list[Recording]:
    """The agent in the game, on the first tracks of an evaluation."""
    model = WorldModel(parts)
    world = RealWorld(parts.task, [parts.task.make_env()], model, frames=parts.frames)
    recordings = []
    for number, trial in enumerate(fresh_trials(parameters, EPISODES), 1):
        obs, action = _frames(world, LinearControllers(parts.controller), trial)
        posterior = encode(lambda frames: encoder(to_float(frames)), obs)
        title = f"The agent, fresh episode {number}"
        recordings.append(Recording(title, obs, action, *posterior))
    world.envs[0].close()
    return recordings


def _frames(world: RealWorld, controllers, trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    """Frames uint8 (T, 64, 64, 3) and actions float32 (T, A) of one episode's first steps."""
    obs: list[np.ndarray] = []

    def watch(slot: int, episode: Episode, seen: Seen, action: np.ndarray) -> None:
        obs.append(world.frames[slot].copy())

    shorter = dataclasses.replace(trial, max_steps=FRAMES)
    ((_, episode),) = drive(world, controllers, [shorter], watch=watch)
    return np.stack(obs), np.stack(episode.actions)


def rollouts(config: Config, encoder: keras.Model) -> list[Recording]:
    """The run's recorded episodes, held-out ones first. UserError if there is none."""
    episodes = sorted(list_episodes(config), key=lambda episode: episode.seed % HELD_OUT > 0)
    recordings = []
    for episode in episodes[:EPISODES]:
        obs, action = read_episode(episode.path, "obs", "action")
        obs, action = obs[:FRAMES], action[:FRAMES]
        posterior = encode(lambda frames: encoder(to_float(frames)), obs)
        title = f"Recorded episode {episode.seed}, policy {config.extract.policy}"
        recordings.append(Recording(title, obs, action, *posterior))
    return recordings


def nats(recordings: Sequence[Recording]) -> np.ndarray:
    """What each dimension of z carries: its mean KL over all frames, float (Z,)."""
    mu, logvar = (
        np.concatenate([np.float32(getattr(recording, name)) for recording in recordings])
        for name in ("mu", "logvar")
    )
    return np.asarray(kl_divergence(mu, logvar)).mean(axis=0)


def starts(recordings: Sequence[Recording]) -> list[dict]:
    """Moments spread over the recordings, the first one an episode's first frame."""
    moments = [(number, time) for number, r in enumerate(recordings) for time in range(len(r.obs))]
    places = np.unique(np.linspace(0, len(moments), STARTS, endpoint=False).astype(int))
    return [{"recording": moments[place][0], "time": moments[place][1]} for place in places]
