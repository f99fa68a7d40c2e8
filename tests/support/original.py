"""A made-up agent in the files of the original's format: the right shapes, small integers."""

import json
from pathlib import Path

import numpy as np

C_FILE = "log/carracing.cma.16.64.best.json"
SCORE = 812.25
V_SHAPES = [
    *((4, 4, 3, 32), (32,), (4, 4, 32, 64), (64,), (4, 4, 64, 128), (128,)),  # conv1..3
    *((4, 4, 128, 256), (256,)),  # conv4
    *((1024, 32), (32,), (1024, 32), (32,)),  # mu, logvar
    *((32, 1024), (1024,)),  # fc
    *((5, 5, 128, 1024), (128,), (5, 5, 64, 128), (64,), (6, 6, 32, 64), (32,)),  # deconv1..3
    *((6, 6, 3, 32), (3,)),  # deconv4
]
M_SHAPES = [(256, 480), (480,), (291, 1024), (1024,)]  # output, then the LSTM
DOOM_C_FILE = "log/doomrnn.cma.16.64.best.json"
DOOM_V_SHAPES = [
    *V_SHAPES[:8], *((1024, 64), (64,), (1024, 64), (64,)), (64, 1024), *V_SHAPES[13:],
]  # fmt: skip
DOOM_M_SHAPES = [(512, 961), (961,), (578, 2048), (2048,)]  # column 0 of the output: the end


def integers(shapes: list[tuple[int, ...]], seed: int, largest: int = 900) -> list[np.ndarray]:
    """Arrays of whole numbers in -largest..largest: weights times 10,000."""
    random = np.random.default_rng(seed)
    return [random.integers(-largest, largest + 1, shape) for shape in shapes]


def v_integers() -> list[np.ndarray]:
    return integers(V_SHAPES, seed=1)


def m_integers() -> list[np.ndarray]:
    return integers(M_SHAPES, seed=2)


def c_numbers() -> np.ndarray:
    """C's 867 numbers: it steers little and gives gas."""
    numbers = 0.05 * np.random.default_rng(3).standard_normal(867)
    numbers[:3] = (0.1, 0.5, -0.5)
    return numbers


def doom_starts() -> list[np.ndarray]:
    """mu and logvar of 5 first frames."""
    return integers([(5, 64), (5, 64)], seed=6, largest=20_000)


def doom_c_numbers() -> np.ndarray:
    return np.random.default_rng(7).standard_normal(1088)


def write_doom(folder: Path) -> Path:
    """V, M, C and first frames where the original's doomrnn/ has them; returns the folder."""
    write_arrays(folder / "vae/vae.json", integers(DOOM_V_SHAPES, seed=4))
    write_arrays(folder / "rnn/rnn.json", integers(DOOM_M_SHAPES, seed=5))
    write_arrays(folder / "initial_z/initial_z.json", doom_starts())
    write_json(folder / DOOM_C_FILE, [doom_c_numbers().tolist(), 958.5])
    return folder


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_arrays(path: Path, arrays: list[np.ndarray]) -> None:
    write_json(path, [array.tolist() for array in arrays])


def write_original(folder: Path) -> Path:
    """V, M and C where the original's carracing/ has them; returns the folder."""
    write_arrays(folder / "vae/vae.json", v_integers())
    write_arrays(folder / "rnn/rnn.json", m_integers())
    write_json(folder / C_FILE, [c_numbers().tolist(), SCORE])
    return folder
