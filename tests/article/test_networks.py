"""V's decoder, M and C as the page has them."""

from replication.article.networks import (
    controller_parts,
    decoder_parts,
    memory_parts,
    rounded_decoder,
)
from replication.article.packing import unpack
from replication.article.pictures import rounding
from replication.config import Rnn
from replication.controller.controller import HIDDEN_UNITS, LinearPolicy
from replication.rnn.rnn import MDNRNN
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tf import keras
from replication.vae.vae import build_decoder

import numpy as np
import pytest
from made_up_article import enliven
from made_up_game import CATCH


def test_rounding_the_decoder_hardly_moves_its_pictures():
    keras.utils.set_random_seed(0)
    decoder = build_decoder(32)
    enliven(decoder)
    parts = decoder_parts(decoder)
    kinds = [layer["kernel"]["kind"] for layer in parts["deconvs"]]
    assert kinds == ["int8", "float16", "float16", "float32"]
    z = np.random.default_rng(0).normal(0, 1, (20, 32))
    rounded = rounded_decoder(decoder, parts)
    measured = rounding(decoder, rounded, z)
    assert 0 < measured.mean < 0.2 and 1 <= measured.largest <= 6 and measured.pictures == 20
    exact = rounding(decoder, decoder, z)
    assert (exact.largest, exact.mean) == (0, 0)


def test_kernels_are_turned_so_that_a_row_of_outputs_lies_together():
    decoder = build_decoder(4)
    kernel = decoder.weights[8].numpy()  # (6, 6, 3, 32), rows, columns, out, in
    packed = unpack(decoder_parts(decoder)["deconvs"][-1]["kernel"])
    assert packed.shape == (32, 6, 6, 3)
    assert packed[5, 2, 3, 1] == kernel[2, 3, 1, 5]


def test_m_has_its_heads_by_name():
    parts = memory_parts(MDNRNN(Rnn(hidden=8, heads="points,end"), CATCH))
    kinds = {name: head["kind"] for name, head in parts["heads"].items()}
    assert kinds == {"points": "number", "end": "event"}
    assert parts["restart"] and parts["kernel"]["shape"] == [6 + 2 + 1, 32]
    plain = memory_parts(MDNRNN(Rnn(hidden=8), CAR_RACING_V3))
    assert plain["heads"] == {} and not plain["restart"]
    assert plain["kernel"]["shape"] == [32 + 3, 32] and plain["mixture"]["weight"]["shape"][0] == 8


@pytest.mark.parametrize("task", [CAR_RACING_V3, CATCH])
@pytest.mark.parametrize("mode", ["z_h", "z", "z_hidden", "z_c", "z_c_h"])
def test_c_as_layers_acts_as_c(task, mode):
    policy, random = LinearPolicy(mode, task, hidden=5), np.random.default_rng(0)
    flat = random.normal(0, 0.5, policy.parameter_count).astype(np.float32)
    z, h, c = (random.normal(0, 1, (1, size)).astype(np.float32) for size in (task.z_size, 5, 5))
    parts = controller_parts(policy, flat)
    x = np.concatenate([z, h, c], axis=1)[0, parts["inputs"]]
    for number, layer in enumerate(parts["layers"]):
        x = np.tanh(x) if number else x
        x = x @ unpack(layer["weight"]) + unpack(layer["bias"])
    expected = policy.act(flat[None], z, h, c).numpy()
    np.testing.assert_allclose(task.squash(x[None], np), expected, atol=1e-6)
    assert len(parts["layers"]) == (2 if mode == "z_hidden" else 1)
    if mode == "z_hidden":
        assert len(unpack(parts["layers"][0]["bias"])) == HIDDEN_UNITS
