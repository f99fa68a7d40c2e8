"""A game's pixels as a world model's features: for any learner (World Models, 3.3).

    parts = load_parts(folder, mode="z_h", z="mean")
    env = WorldModelFeatures(gymnasium.make("CarRacing-v3"), parts)

load_parts is of agent_files.py. What is learnt in DreamVectorEnv acts here as it did there.
"""

from replication.rollouts.agent import AgentParts, WorldModel
from replication.runs.seeds import Purpose, derive_seed

import gymnasium
import numpy as np
from gymnasium import spaces


class WorldModelFeatures(gymnasium.Wrapper):
    """Observations become z and h, float32 (Z + H,): what V sees, and what M remembers.

    The environment must show what the agent's game shows: for CarRacing uint8 (84 or 96, 96, 3).
    Where z is sampled its noise follows from the seed of `reset`, as in evaluations.
    """

    def __init__(self, env: gymnasium.Env, parts: AgentParts):
        super().__init__(env)
        task = parts.task
        if env.action_space.shape != (task.action_size,):
            raise ValueError(f"{env}: its actions are not those of {task.name}")
        self.to_frame = task.frames[parts.frames]
        self.model = WorldModel(parts, width=1)
        size = task.z_size + parts.rnn_config.hidden
        self.observation_space = spaces.Box(-np.inf, np.inf, (size,), np.float32)
        self.seed, self.episodes = 0, 0  # the last seed given; episodes since

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """seed: without one the noise of z follows from the last one and the episodes since."""
        obs, info = self.env.reset(seed=seed, options=options)
        if seed is not None:
            self.seed, self.episodes = seed, 0
        else:
            self.episodes += 1
            seed = derive_seed(self.seed, Purpose.Z_NOISE, self.episodes)
        self.model.begin(0, seed)
        return self._see(obs), info

    def step(self, action: np.ndarray):
        self.model.act(np.asarray(action)[None])
        obs, reward, terminated, truncated, info = self.env.step(action)
        return self._see(obs), reward, terminated, truncated, info

    def _see(self, obs: np.ndarray) -> np.ndarray:
        seen = self.model.see(self.to_frame(obs)[None])
        return np.concatenate([seen.z[0], seen.h[0]])
