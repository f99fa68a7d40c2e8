"""PPO, of Stable-Baselines3, learns inside a run's dream and then plays the game.

    pip install stable-baselines3
    python docs/ppo_in_dream.py dreamt --steps 1000000 --episodes 16

The run's M must predict what the game earns: the car's needs `--rnn.heads tiles`. Nothing of the
game is seen while PPO learns, and nothing is chosen by the game. docs/dream-env.md has results.
"""

import argparse
import time
from pathlib import Path

from replication.config import Config
from replication.dataset.driven import load_driven
from replication.dataset.series import load_series
from replication.envs.dream_vector import DreamVectorEnv
from replication.rnn.batches import for_m
from replication.rnn.dream import Starts
from replication.rnn.rnn import MDNRNN
from replication.rnn.starts import recorded_starts
from replication.rollouts.agent_files import load_parts, load_rnn
from replication.rollouts.features import WorldModelFeatures
from replication.rollouts.fresh_tracks import fresh_trials
from replication.runs import folders, records
from replication.tasks.task import Task

import gymnasium
import numpy as np
import torch
from gymnasium.wrappers import TimeLimit, TransformAction
from gymnasium.wrappers.vector import TransformAction as TransformActions
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv, VecMonitor, VecNormalize


class Vectorized(VecEnv):
    """A gymnasium vector environment, in the autoreset mode SameStep, as SB3 calls it."""

    def __init__(self, envs: gymnasium.vector.VectorEnv):
        self.envs = envs
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> np.ndarray:
        obs, _ = self.envs.reset(seed=self._seeds[0])
        self._reset_seeds()
        return obs

    def step_async(self, actions: np.ndarray) -> None:
        self.actions = actions

    def step_wait(self):
        obs, rewards, terminated, truncated, final = self.envs.step(self.actions)
        over, infos = terminated | truncated, [{} for _ in rewards]
        for row in np.flatnonzero(over):
            infos[row]["terminal_observation"] = final["final_obs"][row]
            infos[row]["TimeLimit.truncated"] = bool(truncated[row] and not terminated[row])
        return obs, np.float32(rewards), over, infos

    def close(self) -> None:
        self.envs.close()

    def get_attr(self, name, indices=None):
        return [getattr(self.envs, name)] * len(self._get_indices(indices))

    # Abstract in Stable-Baselines3; PPO calls neither of the two.
    def set_attr(self, name, value, indices=None):
        raise NotImplementedError

    def env_method(self, name, *args, indices=None, **kwargs):
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * len(self._get_indices(indices))


# C's outputs as actions: a learner that knows nothing brakes as seldom as C does ------------------


def outputs(task: Task) -> gymnasium.spaces.Box:
    return gymnasium.spaces.Box(np.float32(task.output_low), np.float32(task.output_high))


def squashed_vector(envs: DreamVectorEnv, task: Task) -> TransformActions:
    """The environment, whose actions are C's outputs before they are squashed."""
    return TransformActions(
        envs, lambda u: task.squash(u, np), single_action_space=outputs(task),
        action_space=gymnasium.vector.utils.batch_space(outputs(task), envs.num_envs),
    )  # fmt: skip


def squashed(env: gymnasium.Env, task: Task) -> TransformAction:
    return TransformAction(env, lambda u: task.squash(u[None], np)[0], outputs(task))


# Dream and game -----------------------------------------------------------------------------------


def starts_of(config: Config, rnn: MDNRNN, seed: int) -> Starts:
    """States of M as it watches what the run has recorded, in its rounds too."""
    series = [load_series(config)]
    while (folder := folders.driven_folder(config, len(series))).exists():
        series.append(load_driven(rnn.task, folder))
    shares = [(for_m(part, rnn.config, rnn.task), 1.0) for part in series]
    return recorded_starts(rnn, shares, 1000, np.random.default_rng(seed))


def dreamt(model: PPO, envs: Vectorized, steps: int, seed: int) -> np.ndarray:
    """Returns (B,) of one dream in each row."""
    envs.seed(seed)
    obs, total, running = envs.reset(), np.zeros(envs.num_envs), np.ones(envs.num_envs, bool)
    for _ in range(steps):
        actions, _ = model.predict(obs, deterministic=True)
        obs, rewards, over, _ = envs.step(actions)
        total += rewards * running
        running &= ~over
    return total


def played(model: PPO, env: gymnasium.Env, seed: int) -> float:
    """The return of an episode of the game."""
    obs, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        action, _ = model.predict(obs, deterministic=True)
        obs, reward, terminated, truncated, _ = env.step(action)
        total += float(reward)
        over = terminated or truncated
    return total


def report(name: str, returns) -> None:
    returns = np.asarray(returns)
    least, most = returns.min(), returns.max()
    text = f"{returns.mean():.1f} ± {returns.std():.1f} over {len(returns)}"
    print(f"{name}: {text}, from {least:.1f} to {most:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="its folder stands in checkpoints/")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of dreams")
    parser.add_argument("--dream", type=int, default=300, help="steps of a dream")
    parser.add_argument("--temperature", type=float, help="of the dream; default: the run's")
    parser.add_argument("--cap", type=float, help="on what a step earns; default: the run's")
    parser.add_argument("--episodes", type=int, default=16, help="of the game, in the end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", help="where the policy goes; default: nowhere")
    options = parser.parse_args()

    torch.set_num_threads(1)
    config = records.load_config(options.run)
    folder = folders.run_folder(options.run)
    rnn = load_rnn(folder)
    parts = load_parts(folder, "z_h", config.vision, rnn.config.z)
    task = parts.task
    starts = starts_of(config, rnn, options.seed)

    rules = config.dream
    temperature = rules.temperature if options.temperature is None else options.temperature
    cap = rules.cap if options.cap is None else options.cap

    def dreams(count: int) -> Vectorized:
        envs = DreamVectorEnv(
            rnn, starts, count, temperature=temperature, ends=rules.ends, cap=cap,
            excess=rules.excess, max_steps=options.dream, autoreset_mode="SameStep",
        )  # fmt: skip
        return Vectorized(squashed_vector(envs, task))

    envs = VecNormalize(VecMonitor(dreams(64)), norm_obs=False)  # rewards alone: scaled
    others = dreams(128), options.dream, options.seed + 10_000  # not those that PPO learns in
    model = PPO(
        "MlpPolicy", envs, n_steps=128, batch_size=1024, n_epochs=4, learning_rate=3e-4,
        gamma=0.99, ent_coef=0.0, seed=options.seed, device="cpu",
        policy_kwargs={"log_std_init": -1.0, "net_arch": [64, 64]},
    )  # fmt: skip
    report("dream, before", dreamt(model, *others))
    start = time.monotonic()
    model.learn(options.steps)
    seconds = time.monotonic() - start
    print(f"{model.num_timesteps:,} steps of dreams in {seconds:.0f} s")
    report("dream, after", dreamt(model, *others))
    if options.save:
        model.save(Path(options.save))

    game = TimeLimit(task.make_env(config.env.stock), config.env.max_steps)
    env = squashed(WorldModelFeatures(game, parts), task)
    seeds = [trial.seed for trial in fresh_trials(None, options.episodes)]
    report("game", [played(model, env, seed) for seed in seeds])


if __name__ == "__main__":
    main()
