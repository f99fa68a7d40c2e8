"""What guessing the next z costs without M: what M has to beat."""

from replication.config import Rnn
from replication.rnn.batches import held_out_batch
from replication.tf import tfp

import numpy as np


def baseline_sigma(series, rows: np.ndarray, config: Rnn, seed: int):
    """The standard deviations s (Z,) of z_{t+1} - z_t on training episodes."""
    batch = held_out_batch(series, rows, config, seed)
    change = (batch["z"][:, 1:] - batch["z"][:, :-1]).numpy()[batch["weight"].numpy() > 0]
    return np.sqrt(np.mean(np.square(change), axis=0))  # (Z,)


def baseline_nll(batch: dict, sigma) -> float:
    """What z_{t+1} ~ N(z_t, s) costs, in nats per dimension: what M has to beat."""
    guess = tfp.distributions.Normal(batch["z"][:, :-1], sigma)
    nll = -guess.log_prob(batch["z"][:, 1:]).numpy()  # (B, T, Z)
    return float(nll[batch["weight"].numpy() > 0].mean())
