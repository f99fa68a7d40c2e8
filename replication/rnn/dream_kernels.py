"""The arithmetic of a dream, compiled: random numbers, the LSTM's cell, a draw from the mixture.

Rows stand in blocks of LANES: an array (G, F, LANES) has F numbers of G * LANES rows. All loops run
over lanes, so that the compiler makes vector instructions of them, and all rows are treated alike:
what a row gives depends neither on its place nor on its neighbours.

exp, log and cos are polynomials in float32 (Moshier's Cephes library has these coefficients): a
system's own functions differ in their last bits, and cannot be called for eight numbers at once.
"""

from replication.compiled import compiled

import numba
import numpy as np

LANES = 16  # rows of a block: two vectors of AVX2
FLOAT, UINT = np.float32, np.uint64
GOLDEN = UINT(0x9E3779B97F4A7C15)
_fast = {"fastmath": {"contract"}, "error_model": "numpy", "_nrt": False}
_inline = numba.njit(inline="always", _nrt=False)


@_inline
def exp(x):
    """e**x to 1e-7 of it; 0 below -87, and x counts as 88 above."""
    is_tiny = x < FLOAT(-87)
    x = min(max(x, FLOAT(-87)), FLOAT(88))
    power = np.floor(x * FLOAT(1.44269504) + FLOAT(0.5))  # of 2
    rest = x - power * FLOAT(0.693359375) + power * FLOAT(2.12194440e-4)  # ln 2 in two parts
    y = FLOAT(1.9875691500e-4)
    y = y * rest + FLOAT(1.3981999507e-3)
    y = y * rest + FLOAT(8.3334519073e-3)
    y = y * rest + FLOAT(4.1665795894e-2)
    y = y * rest + FLOAT(1.6666665459e-1)
    y = y * rest + FLOAT(5.0000001201e-1)
    y = y * rest * rest + rest + FLOAT(1)
    scale = np.int32((power + FLOAT(127)) * FLOAT(1 << 23)).view(np.float32)  # 2**power
    return FLOAT(0) if is_tiny else y * scale


@_inline
def log(x):
    """ln x to 5e-7, for normal x above 0."""
    bits = np.float32(x).view(np.int32)
    power = FLOAT(np.int32(bits >> np.int32(23))) - FLOAT(126)
    half = np.int32((bits & np.int32(0x007FFFFF)) | np.int32(0x3F000000)).view(np.float32)
    is_low = half < FLOAT(0.707106781)
    power = power - FLOAT(1) if is_low else power
    m = half + half - FLOAT(1) if is_low else half - FLOAT(1)  # x = 2**power * (1 + m)
    y = FLOAT(7.0376836292e-2)
    y = y * m + FLOAT(-1.1514610310e-1)
    y = y * m + FLOAT(1.1676998740e-1)
    y = y * m + FLOAT(-1.2420140846e-1)
    y = y * m + FLOAT(1.4249322787e-1)
    y = y * m + FLOAT(-1.6668057665e-1)
    y = y * m + FLOAT(2.0000714765e-1)
    y = y * m + FLOAT(-2.4999993993e-1)
    y = y * m + FLOAT(3.3333331174e-1)
    square = m * m
    y = y * m * square + power * FLOAT(-2.12194440e-4) - FLOAT(0.5) * square
    return m + y + power * FLOAT(0.693359375)


@_inline
def cos_turns(x):
    """cos(2 pi x) to 2e-7, for x in 0..1."""
    x = (np.abs(x - FLOAT(0.5)) - FLOAT(0.25)) * FLOAT(6.283185307)  # -pi/2..pi/2
    square = x * x
    y = FLOAT(-2.3889859e-8)
    y = y * square + FLOAT(2.7525562e-6)
    y = y * square + FLOAT(-1.9840874e-4)
    y = y * square + FLOAT(8.3333310e-3)
    y = y * square + FLOAT(-1.6666667e-1)
    return y * square * x + x


@_inline
def sigmoid(x):
    return FLOAT(1) / (FLOAT(1) + exp(-x))


@_inline
def tanh(x):
    return FLOAT(1) - FLOAT(2) / (exp(FLOAT(2) * x) + FLOAT(1))


# Random numbers ------------------------------------------------------------------------------


@_inline
def random_bits(key, count):
    """The count-th 64 random bits of a stream (SplitMix64, Steele et al. 2014)."""
    x = key + (count + UINT(1)) * GOLDEN
    x = (x ^ (x >> UINT(30))) * UINT(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> UINT(27))) * UINT(0x94D049BB133111EB)
    return x ^ (x >> UINT(31))


@_inline
def uniform_of(bits):
    """The upper 24 of 64 random bits as a number in [0, 1)."""
    return FLOAT(np.int32(bits >> UINT(40))) * FLOAT(2**-24)


@_inline
def normal_of(bits):
    """64 random bits as a standard normal number, at most 5.8 (Box and Muller)."""
    radius = FLOAT(np.int32(bits >> UINT(40)) + np.int32(1)) * FLOAT(2**-24)  # (0, 1]
    turn = FLOAT(np.int32((bits >> UINT(16)) & UINT(0xFFFFFF))) * FLOAT(2**-24)
    return np.sqrt(FLOAT(-2) * log(radius)) * cos_turns(turn)


@compiled(**_fast)
def random_numbers(keys, steps, uniform, noise):
    """Fill uniform (G, Z + 1, LANES) in [0, 1) and noise (G, Z, LANES) ~ N(0, 1).

    They follow from each row's key, uint64 (G, LANES), and its step, uint64 (G, LANES), alone.
    """
    blocks, numbers, lanes = noise.shape
    used = UINT(2 * numbers + 1)  # random bits of a step
    for block in range(blocks):
        key, step = keys[block], steps[block]
        for i in range(numbers):
            row = noise[block, i]
            for lane in range(lanes):
                row[lane] = normal_of(random_bits(key[lane], step[lane] * used + UINT(i)))
        for i in range(numbers + 1):
            row = uniform[block, i]
            for lane in range(lanes):
                count = step[lane] * used + UINT(numbers + i)
                row[lane] = uniform_of(random_bits(key[lane], count))


# M -------------------------------------------------------------------------------------------


@compiled(**_fast)
def lstm_cell(gates, h, c):
    """h_t, c_t (G, H, LANES) become h_{t+1}, c_{t+1}.

    gates (G, 4H, LANES): what the weights make of z_t, a_t and h_t, biases included, in Keras's
    order: input, forget, cell, output.
    """
    blocks, hidden, lanes = h.shape
    size = hidden * lanes
    for block in range(blocks):
        flat = gates[block].reshape(-1)
        enter, forget = flat[:size], flat[size : 2 * size]
        cell, leave = flat[2 * size : 3 * size], flat[3 * size :]
        h_of, c_of = h[block].reshape(-1), c[block].reshape(-1)
        for i in range(size):
            kept = sigmoid(forget[i]) * c_of[i] + sigmoid(enter[i]) * tanh(cell[i])
            c_of[i] = kept
            h_of[i] = sigmoid(leave[i]) * tanh(kept)


@compiled(**_fast)
def draw_z(raw, uniform, noise, temperature, component, scratch, z):
    """Fill z (G, Z, LANES) with draws from M's mixture, as MDNRNN.predict_z describes it.

    raw (G, 3 * K * Z and more, LANES): logpi, mu and logsigma of the first component in every
    dimension, of the second, and so on. uniform chooses the component, by inversion, noise the
    value; a component from 0 on is the only one. scratch (K + 2, Z * LANES) is overwritten.
    """
    blocks, numbers, lanes = z.shape
    size, mixtures = numbers * lanes, len(scratch) - 2
    spread, share = np.sqrt(FLOAT(temperature)), FLOAT(1) / FLOAT(temperature)
    top, below = scratch[mixtures], scratch[mixtures + 1]
    for block in range(blocks):
        flat, u = raw[block].reshape(-1), uniform[block].reshape(-1)
        z_of, n = z[block].reshape(-1), noise[block].reshape(-1)
        mean, spreads = flat[mixtures * size :], flat[2 * mixtures * size :]  # of all components
        if component >= 0:
            at = component * size
            for i in range(size):
                z_of[i] = mean[at + i] + exp(spreads[at + i]) * spread * n[i]
            continue
        for i in range(size):
            top[i] = flat[i]
        for k in range(1, mixtures):
            for i in range(size):
                top[i] = max(top[i], flat[k * size + i])
        for i in range(size):
            below[i] = FLOAT(0)
        for k in range(mixtures):
            weight = scratch[k]
            for i in range(size):
                weight[i] = exp((flat[k * size + i] - top[i]) * share)
                below[i] += weight[i]
        for i in range(size):
            top[i] = u[i] * below[i]  # the place that is drawn, among all weights
            below[i] = scratch[0, i]
            z_of[i] = mean[i] + exp(spreads[i]) * spread * n[i]
        for k in range(1, mixtures):
            weight, at = scratch[k], k * size
            for i in range(size):
                value = mean[at + i] + exp(spreads[at + i]) * spread * n[i]
                z_of[i] = value if below[i] <= top[i] else z_of[i]
                below[i] += weight[i]
