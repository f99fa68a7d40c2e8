"""Many dreams at once as a gymnasium vector environment: for any learner (World Models, 4).

    envs = DreamVectorEnv(load_rnn(folder), Starts(mu, logvar), 64, max_steps=300)

docs/dream-env.md trains PPO in it. Row i is the dream of a DreamEnv that has the seed + i.
"""

from collections.abc import Sequence

from replication.envs.dream import action_space, draw_key, observation_space, observe
from replication.rnn.dream import Dreams, Ends, Starts
from replication.rnn.rnn import MDNRNN
from replication.tf import keras

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space


class DreamVectorEnv(VectorEnv):
    """B dreams of one M, all stepped in one call; no row sees another.

    Observations are z and h, float32 (B, Z + H), or with a decoder V's frames, uint8
    (B, 64, 64, 3). Rewards and ends are M's where it has heads for them, else 0 and never. A dream
    is truncated after `max_steps` steps.
    """

    def __init__(
        self,
        rnn: MDNRNN,
        starts: Starts,
        num_envs: int,
        *,
        decoder: keras.Model | None = None,
        temperature: float = 1.0,
        ends: Ends = "drawn",
        max_steps: int | None = None,
        cap: float = 0.0,
        excess: float = 0.0,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    ):
        """starts: states that dreams start from. max_steps: None: as many as the game's episodes.

        ends: by lot, or where M gives the end half a chance. cap: what a step may earn on the
        average; 0: anything. excess: what it costs to earn 1 above it. autoreset_mode: as
        SyncVectorEnv's.
        """
        if num_envs < 1:
            raise ValueError(f"num_envs {num_envs}: at least 1")
        self.dreams = Dreams(rnn, starts, temperature, num_envs, cap=cap, excess=excess)
        self.num_envs, self.decoder, self.ends = num_envs, decoder, ends
        self.max_steps = max_steps or rnn.task.max_steps
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_fps": rnn.task.fps, "autoreset_mode": self.autoreset_mode}
        self.single_action_space = action_space(rnn)
        self.single_observation_space = observation_space(rnn, bool(decoder), memory=True)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.randoms: list[np.random.Generator] = []  # one for each row
        self.steps = np.zeros(num_envs, int)  # of each row's dream so far
        self.over = np.zeros(num_envs, bool)  # rows whose dream is over and not begun anew

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict]:
        """Begin all dreams, or with options={"reset_mask": bool (B,)} some, anew.

        seed: row i gets seed + i; or a seed for each row. Without one a row goes on drawing keys.
        """
        rows = np.ones(self.num_envs, bool)
        rows = np.asarray((options or {}).get("reset_mask", rows))
        if rows.shape != (self.num_envs,) or rows.dtype != bool or not rows.any():
            raise ValueError(f"reset_mask: bool ({self.num_envs},) with a True, not {rows}")
        self._seed(seed, rows)
        self._begin(rows)
        return self._observe(), {}

    def step(self, actions: np.ndarray):
        """Take actions float32 (B, A).

        A row whose dream is over begins anew, by the autoreset mode: instead of the next step, with
        reward 0; or in the same step, when infos["final_obs"] has what was last seen of the old
        dream; or never.
        """
        if not self.randoms:
            raise ResetNeeded("call reset before step")
        if np.shape(actions) != self.action_space.shape:
            raise ValueError(f"actions: {self.action_space.shape}, not {np.shape(actions)}")
        if self.autoreset_mode == AutoresetMode.DISABLED and self.over.any():
            raise ResetNeeded(f"dreams {np.flatnonzero(self.over).tolist()} are over: reset them")
        rewards, terminations = self.dreams.outcome(actions, self.ends)
        self.steps += 1
        truncations, infos = self.steps >= self.max_steps, {}
        if self.over.any():  # these rows' actions led nowhere
            rewards, terminations, truncations = (
                np.where(self.over, 0, values).astype(values.dtype)
                for values in (rewards, terminations, truncations)
            )
            self._begin(self.over)
        self.over = terminations | truncations
        if self.autoreset_mode == AutoresetMode.SAME_STEP and self.over.any():
            infos = self._final_infos()
            self._begin(self.over)
        return self._observe(), np.float64(rewards), terminations, truncations, infos

    def _seed(self, seed: int | Sequence[int | None] | None, rows: np.ndarray) -> None:
        """Give rows (B,) their seeds; those without one keep their random numbers."""
        if seed is None or isinstance(seed, int | np.integer):
            seed = [None if seed is None else int(seed) + row for row in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds for {self.num_envs} dreams")
        self.randoms = self.randoms or [seeding.np_random()[0] for _ in range(self.num_envs)]
        for row in np.flatnonzero(rows):
            if seed[row] is not None:
                self.randoms[row], _ = seeding.np_random(seed[row])

    def _begin(self, rows: np.ndarray) -> None:
        """Begin the dreams of rows, bool (B,), anew."""
        for row in np.flatnonzero(rows):
            self.dreams.begin(int(row), draw_key(self.randoms[row]))
        self.steps[rows] = 0
        self.over = self.over & ~rows

    def _final_infos(self) -> dict:
        """What gymnasium says, in the mode of the same step, of dreams that are over."""
        infos, last = {}, self._observe()
        for row in np.flatnonzero(self.over):
            infos = self._add_info(infos, {"final_obs": last[row], "final_info": {}}, row)
        return infos

    def _observe(self) -> np.ndarray:
        return observe(self.dreams, self.decoder, memory=True)
