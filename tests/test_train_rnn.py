"""M's stage: what its log holds of held-out data, and an M that is left untrained."""

from replication import train_rnn
from replication.config import Rnn, UserError
from replication.rnn.batches import draw_z, even_batch, for_m
from replication.rnn.rnn import MDNRNN
from replication.runs import records, seeds
from replication.runs.command_line import parse_cli
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
import pytest

RANDOM = np.random.default_rng(0)
OFFSET = np.array([0, 12, 19, 31, 40])
SERIES = {
    "mu": np.float16(RANDOM.standard_normal((40, 32))),
    "logvar": np.float16(RANDOM.standard_normal((40, 32)) - 1),
    "action": np.float32(RANDOM.uniform(-1, 1, (40, 3))),
    "reward": np.float32(RANDOM.standard_normal(40)),
    "terminated": np.zeros(40, bool),
    "offset": OFFSET,
    "seed": np.array([20, 21, 22, 40], np.int64),
}


@pytest.mark.parametrize("heads", [[], ["reward"], ["reward", "termination"]])
def test_held_out_values_have_their_names(heads):
    config = Rnn(hidden=4, sequence=8, heads=",".join(heads) or "none")
    rnn = MDNRNN(config, CAR_RACING_V3)
    series = for_m(SERIES, config, CAR_RACING_V3)
    batch = draw_z(even_batch(series, np.array([0, 3]), config, 0))
    values = train_rnn.measure_held_out(rnn, batch, {"ar1_nll": 1.25})()
    losses = rnn.losses_of(batch)
    expected = {f"held_out_{name}": float(value) for name, value in losses.items()}
    assert set(expected) == {"held_out_loss", "held_out_nll", *(f"held_out_{n}" for n in heads)}
    assert values == pytest.approx(expected | {"ar1_nll": 1.25}, rel=1e-5)


def test_no_epochs_leave_m_the_random_weights_of_its_seed(home, monkeypatch):
    monkeypatch.setattr(train_rnn, "load_series", lambda config: SERIES)
    monkeypatch.setattr(records, "check_inputs", lambda config, name: None)
    config = parse_cli(["quick", "--rnn.epochs", "0", "--rnn.hidden", "4", "--seed", "3"])
    train_rnn.main(config)
    assert records.done(config, "train_rnn")["reached"] == "random weights, not trained"
    seeds.seed_everything(3)
    drawn, saved = (MDNRNN(config.rnn, CAR_RACING_V3) for _ in range(2))
    saved.load_weights(home / "checkpoints/quick/rnn/rnn.weights.h5")
    for weights, expected in zip(saved.get_weights(), drawn.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_episodes_of_one_frame_teach_nothing(home, monkeypatch):
    """Of the held-out episodes, or of the others, all end at once."""
    monkeypatch.setattr(records, "check_inputs", lambda config, name: None)
    for rows in ([0, 3], [1, 2]):
        terminated = np.zeros(40, bool)
        terminated[OFFSET[rows]] = True
        cut = SERIES | {"terminated": terminated}
        monkeypatch.setattr(train_rnn, "load_series", lambda config, cut=cut: cut)
        with pytest.raises(UserError, match="M learns from two frames at least"):
            train_rnn.main(parse_cli(["quick"]))
