"""Everything random follows from a seed that is written down, and from what it is random for.

An episode's own seed: a recording's is extract.py's episode_seed, a candidate's and an evaluation's
of the mean are derived below, a final score's are rollouts/fresh_tracks.py's.

A stream of random numbers is named by (seed, purpose, place): the run's seed or an episode's, one
of the purposes below, and numbers that say where, such as a generation or a batch. Ranks of
processes never name one, so any number of processes gives the same numbers.
"""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What random numbers are for. The integers are part of every result: they never change."""

    Z_NOISE = 1  # (episode): the noise of z, where it is sampled
    RECORDING = 2  # (episode): a random policy's actions; the noise on an agent's C
    BLOCK_ORDER = 3  # (run, pass): the order of episodes in V's batches
    V_NOISE = 4  # (run, batch): the noise of z while V trains
    V_HELD_OUT = 5  # (run): the same on held-out frames
    V_PICTURES = 6  # (run): which frames figures show; samples of z
    SEQUENCES = 7  # (run, batch): where M's sequences start; their noise of z
    EPISODE_ORDER = 8  # (run, pass): the order of episodes in M's batches
    M_HELD_OUT = 9  # (run): the noise of z in held-out sequences
    CMA_ES = 10  # (run, generation): CMA-ES's normal numbers
    # Generations of these two count on from those of the searches that C comes from.
    CANDIDATE = 11  # (run, generation, candidate, episode): a candidate's track
    EVALUATION = 12  # (run, generation, episode): a track that evaluates the mean
    FIGURE_3_EPISODE = 13  # (seed): which held-out episode
    DREAM = 14  # (episode): where a dream starts, and all that is drawn in it
    FIGURE_3_DREAM = 15  # (seed): the same, of figure 3's
    VIDEO_DREAM = 16  # (episode): the same, beside a video of a drive
    PROBE_DRIVER = 17  # (episode): how the probe's driver errs
    PROBE_NOISE = 18  # (): the noise of z in the probe
    PROBE_TRACK = 19  # (0, track): its tracks
    FORCED_DREAM = 20  # (episode): dreams of one component of the mixture
    FRAME_ORDER = 21  # (run, pass, block): the order of a block's frames in V's batches
    DREAM_STARTS = 22  # (run): which recorded states dreams start from
    ROUND = 24  # (run, round): a round's seed
    ROUND_DRIVE = 25  # (round, kind, episode): a track that is driven in a round
    ROUND_FINAL = 26  # (run, track): a track on which rounds are compared
    ROUND_DREAM = 27  # (round, dream): dreams in which a round's C's are compared
    GATE = 30  # (run, episode): a blind policy's game and dream


def generator(seed: int, purpose: Purpose, *place: int) -> np.random.Generator:
    """The stream of this seed, purpose and place."""
    return np.random.default_rng([seed, purpose, *place])


def derive_seed(seed: int, purpose: Purpose, *place: int) -> int:
    """A seed below 2**32, such as an episode's, that follows from the run's seed."""
    return int(np.random.SeedSequence([seed, purpose, *place]).generate_state(1)[0])


def derive_key(seed: int, purpose: Purpose, *place: int) -> int:
    """64 bits that follow from a seed: the key of a stream that compiled code draws from."""
    return int(np.random.SeedSequence([seed, purpose, *place]).generate_state(1, np.uint64)[0])


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow: a stage's first act."""
    from replication.tf import keras  # here: stages without networks do not wait for it

    keras.utils.set_random_seed(seed)
