"""M goes on learning, from what was driven before and from what is new."""

from pathlib import Path

from replication import training
from replication.config import Rnn
from replication.rnn.batches import Share, mixed_batches
from replication.rnn.rnn import MDNRNN
from replication.tf import keras


def refine(
    rnn: MDNRNN, shares: list[Share], batches: int, rate: float, seed: int, folder: Path
) -> None:
    """Train M in place for so many batches; killed and called again it goes on from `folder`.

    shares: what batches are drawn from. rate: Adam's first; it falls to a tenth, on a half cosine.
    """
    config: Rnn = rnn.config
    falling = keras.optimizers.schedules.CosineDecay(rate, batches, alpha=0.1)
    rnn.compile(optimizer=keras.optimizers.Adam(falling, clipvalue=config.clip))
    schedule = training.Schedule(1, batches, config.log_every)
    training.fit(
        rnn, lambda step: mixed_batches(shares, config, seed, step), dict, schedule, folder
    )
