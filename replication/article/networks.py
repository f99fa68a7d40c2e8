"""V's decoder, M and C as a page has them: packed weights, in the order that its loops read."""

from replication.article.packing import pack, unpack
from replication.controller.controller import LinearPolicy
from replication.rnn.rnn import MDNRNN
from replication.tf import keras

import numpy as np


def decoder_parts(decoder: keras.Model) -> dict:
    """The dense layer, and the transposed convolutions from the first to the last.

    Their kernels are (in, rows, columns, out): what an input adds to a row of the picture lies
    together.
    """
    dense, *deconvs = decoder.weights[:2], *_pairs(decoder.weights[2:])
    return {
        "dense": _layer(*dense),
        "deconvs": [
            {"kernel": pack(kernel.numpy().transpose(3, 0, 1, 2)), "bias": pack(bias.numpy())}
            for kernel, bias in deconvs
        ],
    }


def rounded_decoder(decoder: keras.Model, parts: dict) -> keras.Model:
    """The decoder with the weights that the page has."""
    weights = [unpack(parts["dense"][name]) for name in ("weight", "bias")]
    for layer in parts["deconvs"]:
        weights += [unpack(layer["kernel"]).transpose(1, 2, 3, 0), unpack(layer["bias"])]
    rounded = keras.models.clone_model(decoder)
    rounded.set_weights(weights)
    return rounded


def memory_parts(rnn: MDNRNN) -> dict:
    """M: the LSTM, its gates in Keras' order i, f, c, o; the mixture; the other heads by name."""
    kernel, recurrent, bias = (weight.numpy() for weight in rnn.lstm.weights)
    return {
        "hidden": rnn.config.hidden,
        "mixtures": rnn.config.mixtures,
        "restart": rnn.task.tells_restart,  # a last input: 1 at the first step of an episode
        "kernel": pack(kernel),
        "recurrent": pack(recurrent),
        "bias": pack(bias),
        "mixture": _layer(*rnn.head.weights),
        "heads": {
            name: _layer(*head.weights) | {"kind": rnn.task.heads[name].kind}
            for name, head in rnn.heads.items()
        },
    }


def controller_parts(policy: LinearPolicy, parameters: np.ndarray) -> dict:
    """C: its layers, and which of the numbers [z, h, c] each of its inputs is."""
    sizes = np.cumsum([0, policy.task.z_size, policy.hidden, policy.hidden])
    state = [np.arange(*ends, dtype=np.float32)[None] for ends in zip(sizes, sizes[1:])]  # noqa: B905
    layers = [
        {"weight": pack(weight), "bias": pack(bias)}
        for bias, weight in policy.split(np.float32(parameters))
    ]
    return {"inputs": np.int32(policy.features(*state))[0].tolist(), "layers": layers}


def _layer(weight, bias) -> dict:
    return {"weight": pack(weight.numpy()), "bias": pack(bias.numpy())}


def _pairs(weights: list) -> list[tuple]:
    return list(zip(weights[::2], weights[1::2], strict=True))
