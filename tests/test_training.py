"""The loop that V and M share: a run that was stopped goes on to the same bits."""

from replication import training
from replication.config import Rnn, UserError
from replication.rnn.batches import draw_z, even_batch, for_m, sequence_batches
from replication.rnn.rnn import MDNRNN
from replication.runs.logs import read_log
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tf import keras, tf
from replication.train_rnn import measure_held_out

import numpy as np
import pytest

SCHEDULE = training.Schedule(epochs=3, iterations=5, log_every=2)
STEPS = [2, 4, 5, 6, 8, 10, 12, 14, 15]  # each interval's end, and each epoch's
TRUTH = np.float32([[1], [-2], [3]])


class Stopped(BaseException):
    """As a KeyboardInterrupt: nothing catches it."""


def toy(optimizer=None) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.Adam(0.05), loss="mse", jit_compile=False)
    return model


def points(step: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng([7, step]).standard_normal((4, 3), np.float32)
    return x, x @ TRUTH


def batches(step: int, points=points) -> tf.data.Dataset:
    def generate():
        at = step
        while True:
            yield points(at)
            at += 1

    specs = tf.TensorSpec((4, 3), tf.float32), tf.TensorSpec((4, 1), tf.float32)
    return tf.data.Dataset.from_generator(generate, output_signature=specs)


def error_of(model):
    """Held-out losses: on points that no batch has."""
    x, y = points(10**6)
    return lambda: {"held_out_mse": float(np.mean(np.square(model(x) - y))), "extra": 1.0}


def fit(model, folder, schedule=SCHEDULE, batches=batches, held_out=None) -> float:
    return training.fit(model, batches, held_out or error_of(model), schedule, folder)


def everything(model) -> list[np.ndarray]:
    return [*model.get_weights(), *(variable.numpy() for variable in model.optimizer.variables)]


def assert_equal(one, other) -> None:
    for first, second in zip(everything(one), everything(other), strict=True):
        np.testing.assert_array_equal(first, second)


def values(folder) -> list[dict]:
    """The log without its clock."""
    lines = read_log(folder / "log.jsonl")
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.fixture
def folders(tmp_path):
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    return tmp_path / "whole", tmp_path / "parts"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A toy that was trained without a break, and its log."""
    folder, model = tmp_path_factory.mktemp("whole"), toy()
    fit(model, folder)
    return model, values(folder)


def stop_at_call(function, number: int):
    """The function, until the number-th call, which stops the run."""
    calls = iter(range(1, 1000))

    def stopping(*args):
        if next(calls) == number:
            raise Stopped
        return function(*args)

    return stopping


def test_log_has_a_line_each_interval_and_each_epochs_end(uninterrupted):
    model, lines = uninterrupted
    assert [line["step"] for line in lines] == STEPS
    assert [line["epoch"] for line in lines] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert set(lines[0]) == {"step", "epoch", "processes", "loss", "held_out_mse", "extra"}
    assert lines[-1]["held_out_mse"] == pytest.approx(error_of(model)()["held_out_mse"], abs=1e-6)


def test_a_logged_loss_is_the_mean_of_its_intervals_batches(folders):
    folder, _ = folders
    model = toy(keras.optimizers.SGD(0.0))  # nothing moves
    fit(model, folder)
    weight, bias = model.get_weights()
    losses = [float(np.square(x @ weight + bias - y).mean()) for x, y in map(points, range(15))]
    starts = [0, *STEPS[:-1]]
    expected = [np.mean(losses[a:b]) for a, b in zip(starts, STEPS, strict=True)]
    losses = [line["loss"] for line in values(folder)]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("where", "interval"), [("before log", 1), ("before log", 6), ("before state", 3)]
)
def test_stopped_and_resumed_equals_uninterrupted(
    tmp_path, monkeypatch, uninterrupted, where, interval
):
    stopped, resumed = toy(), toy()
    held_out = error_of(stopped)
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        if where == "before log":
            held_out = stop_at_call(held_out, interval)
        else:
            patch.setattr(training, "save_state", stop_at_call(training.save_state, interval))
        fit(stopped, tmp_path, held_out=held_out)
    fit(resumed, tmp_path)
    assert_equal(resumed, uninterrupted[0])
    assert values(tmp_path) == uninterrupted[1]  # no step twice, none left out


def test_m_resumes_bit_for_bit(folders):
    """The real M on real batches: z drawn anew, Adam's moments, gradients that are clipped."""
    whole, parts = folders
    random = np.random.default_rng(0)
    series = {
        "mu": np.float16(random.standard_normal((62, 32))),
        "logvar": np.float16(random.standard_normal((62, 32)) - 1),
        "action": np.float32(random.uniform(-1, 1, (62, 3))),
        "reward": np.float32(random.standard_normal(62)),
        "terminated": np.zeros(62, bool),
        "offset": np.cumsum([0, 12, 9, 12, 5, 12, 12]),
    }
    config, rows = Rnn(hidden=4, mixtures=2, batch_size=4, sequence=5), np.arange(6)
    series = for_m(series, config, CAR_RACING_V3)

    def train(folder, stop_at: int = 0) -> MDNRNN:
        keras.utils.set_random_seed(0)
        model = MDNRNN(config, CAR_RACING_V3)
        model.compile(optimizer=keras.optimizers.Adam(1e-2, clipvalue=config.clip))
        measure = measure_held_out(model, draw_z(even_batch(series, rows, config, 0)), {})
        measure = stop_at_call(measure, stop_at) if stop_at else measure
        data = lambda step: sequence_batches(series, rows, config, 0, step)  # noqa: E731
        fit(model, folder, batches=data, held_out=measure)
        return model

    uninterrupted = train(whole)
    with pytest.raises(Stopped):
        train(parts, stop_at=4)
    assert_equal(train(parts), uninterrupted)
    assert values(parts) == values(whole)
    assert values(whole)[-1]["nll"] < values(whole)[0]["nll"]


def test_more_epochs_go_on_from_a_finished_run(tmp_path, uninterrupted):
    first, then = toy(), toy()
    fit(first, tmp_path, training.Schedule(1, 5, 2))
    stood_at = read_log(tmp_path / "log.jsonl")[-1]["seconds"]
    fit(then, tmp_path)
    assert_equal(then, uninterrupted[0])
    assert values(tmp_path) == uninterrupted[1]
    seconds = [line["seconds"] for line in read_log(tmp_path / "log.jsonl")]
    assert seconds == sorted(seconds)
    assert seconds[3] >= stood_at  # the clock goes on where it stood


def test_a_finished_run_is_left_as_it_is(tmp_path):
    done, again = toy(), toy()
    fit(done, tmp_path)
    before = read_log(tmp_path / "log.jsonl")

    def never():
        raise AssertionError("it was trained again")

    assert fit(again, tmp_path, held_out=never) == before[-1]["seconds"]
    assert_equal(again, done)
    assert read_log(tmp_path / "log.jsonl") == before


def spoiled(step: int):
    """Batches of which one, counted from 0, holds a NaN."""

    def spoil(at: int):
        x, y = points(at)
        return (x * np.nan if at == step else x), y

    return lambda start: batches(start, spoil)


def test_a_loss_that_is_no_number_stops_with_the_last_good_weights(folders):
    folder, twin = folders
    model, good = toy(), toy()
    with pytest.raises(UserError, match=r"loss.* is not a number at batch 8; .*batch 6") as error:
        fit(model, folder, batches=spoiled(7))
    assert "\n" not in str(error.value)
    fit(good, twin, training.Schedule(1, 6, 2))
    assert_equal(model, good)
    assert [line["step"] for line in values(folder)] == [2, 4, 5, 6]
    with np.load(folder / "state.npz") as state:
        assert state["step"] == 6
        assert all(np.isfinite(state[name]).all() for name in state)


def test_a_nan_before_anything_was_saved_says_so(folders):
    folder, _ = folders
    with pytest.raises(UserError, match="no weights to keep"):
        fit(toy(), folder, batches=spoiled(0))
    assert not (folder / "state.npz").exists()


def test_weights_that_overflow_after_a_finite_loss_are_not_kept(folders):
    """The loss of a batch is that before its step: the held-out loss shows what the step did."""
    folder, _ = folders
    model = toy(keras.optimizers.SGD(1e38))
    with pytest.raises(UserError, match="not a number at batch 1;"):
        fit(model, folder, training.Schedule(1, 5, 1))
    assert not (folder / "state.npz").exists()


def test_a_warning_is_shown_once_and_logged_for_as_long_as_it_lasts(folders, capsys):
    folder, _ = folders
    model, steps = toy(), iter(STEPS)
    warning = lambda line: "it goes up" if next(steps) in (4, 5, 6, 12) else ""  # noqa: E731
    training.fit(model, batches, error_of(model), SCHEDULE, folder, warning)
    lines = values(folder)
    assert [line["step"] for line in lines if "warning" in line] == [4, 5, 6, 12]
    assert lines[1]["warning"] == "it goes up"
    shown = [line for line in capsys.readouterr().err.splitlines() if "goes up" in line]
    assert shown == [f"{folder.name}, batch {step}: it goes up" for step in (4, 12)]


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_an_unreadable_state_is_one_line(folders, content):
    folder, _ = folders
    (folder / "state.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"state\.npz .*--overwrite"):
        fit(toy(), folder)


def test_a_finished_training_without_its_state_keeps_its_log(folders):
    folder, _ = folders
    fit(toy(), folder, training.Schedule(1, 2, 2))
    (folder / "done.json").write_text("{}")
    (folder / "state.npz").unlink()
    with pytest.raises(UserError, match=r"state\.npz gone: restore it, or --overwrite"):
        fit(toy(), folder)
    assert [line["step"] for line in values(folder)] == [2]


def test_a_state_of_another_model_is_one_line(folders):
    folder, _ = folders
    fit(toy(), folder, training.Schedule(1, 2, 2))
    keras.utils.set_random_seed(0)
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    other.compile(keras.optimizers.Adam(0.05), loss="mse")
    with pytest.raises(UserError, match=r"state\.npz .*--overwrite") as error:
        fit(other, folder)
    assert "\n" not in str(error.value)


def test_mean_losses():
    means = training.mean_losses(
        lambda b: {"a": tf.constant(b), "b": tf.constant(2 * b)}, [1, 2, 6]
    )
    assert means == {"a": 3.0, "b": 6.0}


def test_saved_weights_are_whole_or_not_there(folders):
    folder, _ = folders
    model = toy()
    training.save_weights(model, folder / "toy.weights.h5")
    saved = model.get_weights()
    model.set_weights([array + 1 for array in saved])
    model.load_weights(folder / "toy.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], saved[0])
    assert [path.name for path in folder.iterdir()] == ["toy.weights.h5"]
