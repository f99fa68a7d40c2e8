"""V and M stepped together for a batch of episodes, and C: what an agent is, apart from its files.

Rows never see each other, and a traced call has one shape (WIDTH rows, idle ones included), so that
a matrix product rounds alike whatever the other rows hold: an episode's numbers depend on its seed
and on C, not on the slot it is in nor on what is beside it. A test holds this.
"""

from dataclasses import dataclass

from replication.config import Rnn
from replication.controller.controller import LinearPolicy
from replication.rnn.rnn import MDNRNN
from replication.rollouts.loop import Seen, Trial
from replication.runs.seeds import Purpose, generator
from replication.tasks.task import Task
from replication.tf import tf
from replication.vae.vae import build_encoder, sample_z, to_float

import numpy as np

WIDTH = 16  # rows of a batch: a candidate's 16 episodes in the paper


@dataclass(frozen=True)
class AgentParts:
    """What a worker needs of V and M, as arrays: sent over MPI instead of read from a disk."""

    task: Task
    encoder: list[np.ndarray]  # V's
    rnn: list[np.ndarray]  # M's
    rnn_config: Rnn
    mode: str  # what C sees
    z: str = "sample"  # what C and M get of V: a sample, or the mean
    frames: str = "plain"  # what V sees of a screen

    @property
    def controller(self) -> LinearPolicy:
        """The shape of C."""
        return LinearPolicy(self.mode, self.task, self.rnn_config.hidden)

    def build_encoder(self):
        encoder = build_encoder(self.task.z_size)
        encoder.set_weights(self.encoder)
        return encoder

    def build_rnn(self) -> MDNRNN:
        rnn = MDNRNN(self.rnn_config, self.task)
        rnn.set_weights(self.rnn)
        return rnn


class WorldModel:
    """V sees and M remembers, in B rows: z_t of each frame, h_t and c_t of all before it."""

    def __init__(self, parts: AgentParts, width: int = WIDTH):
        self.encoder, self.rnn = parts.build_encoder(), parts.build_rnn()
        self.samples_z = parts.z == "sample"
        z_size, hidden = parts.task.z_size, parts.rnn_config.hidden
        self.mu, self.logvar = np.zeros((2, width, z_size), np.float32)  # of the last frame seen
        self.z = np.zeros((width, z_size), np.float32)
        self.action = np.zeros((width, parts.task.action_size), np.float32)  # taken since
        self.h = np.zeros((width, hidden), np.float32)
        self.c = np.zeros((width, hidden), np.float32)
        self.is_new = np.ones((width, 1), bool)  # rows of which nothing has been seen
        self.restart = np.zeros(width, np.float32)  # 1 where the last frame was a row's first
        self.noise = np.zeros((width, z_size), np.float32)
        self.generators: list[np.random.Generator | None] = [None] * width
        self._see = tf.function(self._traced_see)

    def begin(self, row: int, seed: int) -> None:
        """h_0 = c_0 = 0; the noise of z, where it is sampled, follows from the seed alone."""
        self.is_new[row] = True
        if self.samples_z:
            self.generators[row] = generator(seed, Purpose.Z_NOISE)

    def see(self, frames: np.ndarray) -> Seen:
        """frames uint8 (B, 64, 64, 3), x_t -> z_t, h_t, c_t, after the actions of `act`."""
        for row, random in zip(self.noise, self.generators, strict=True):
            if random is not None:
                random.standard_normal(dtype=np.float32, out=row)
        memory = self.z, self.action, self.h, self.c, self.restart, self.is_new
        self.mu, self.logvar, self.z, self.h, self.c = (
            tensor.numpy() for tensor in self._see(*tensors(frames, self.noise, *memory))
        )
        self.restart = np.float32(self.is_new[:, 0])
        self.is_new = np.zeros_like(self.is_new)
        return Seen(self.z, self.h, self.c)

    def act(self, actions: np.ndarray) -> None:
        """a_t float32 (B, A), which M is told together with z_t when the next frame is seen."""
        self.action[:] = actions

    def _traced_see(self, frames, noise, *memory):
        h, c = self.remember(*memory)
        return *self.look(frames, noise), h, c

    def remember(self, z, action, h, c, restart, is_new):
        """What M knows of the frames before x_t: h_t, c_t (B, H)."""
        h, c = self.rnn.step(z, action, h, c, restart)
        return tuple(tf.where(is_new, 0.0, memory) for memory in (h, c))

    def look(self, frames, noise):
        """What V sees of x_t, uint8 (B, 64, 64, 3): mu, logvar and z_t (B, Z)."""
        mu, logvar = self.encoder(to_float(frames))
        return mu, logvar, sample_z(mu, logvar, noise)


class LinearControllers:
    """A C of its own for each slot, all acting in one traced call."""

    def __init__(self, controller: LinearPolicy, width: int = WIDTH):
        self.flat = np.zeros((width, controller.parameter_count), np.float32)
        self._act = tf.function(controller.act)

    def begin(self, slot: int, trial: Trial) -> None:
        self.flat[slot] = trial.parameters

    def act(self, seen: Seen) -> np.ndarray:
        """a_t float32 (B, A)."""
        return self._act(*tensors(self.flat, *seen)).numpy()


def tensors(*arrays: np.ndarray) -> list:
    """Arrays as a traced call takes them; left to the call, it costs several times as much."""
    return [tf.convert_to_tensor(array) for array in arrays]


def one_thread() -> None:
    """TensorFlow on one thread and no GPU: for workers, of which there is one a core.

    Must come before TensorFlow's first operation; once it has started the setting stays.
    """
    try:
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        if tf.config.threading.get_intra_op_parallelism_threads() != 1:
            raise
