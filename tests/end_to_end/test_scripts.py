"""Every script from end to end on a tiny schedule, killed at its worst moment too."""

import ast
import functools
import json
import re
import sys

from replication import evaluate, pipeline
from replication.runs import folders
from replication.runs.command_line import parse_cli

import imageio.v2 as imageio
import numpy as np
import pytest
import tiny

SCRIPTS = sorted(
    path.stem
    for path in (tiny.ROOT / "replication").glob("*.py")
    if '__name__ == "__main__"' in path.read_text()
)
FRAMES = 12  # of an evaluated episode here
shortened = functools.partial(tiny.shorten, FRAMES)


def test_every_script_is_here():
    stages = {"extract", "train_vae", "series", "train_rnn", "train_controller", "evaluate"}
    assert stages | {"figures", "pipeline"} <= set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_replication_is_imported_before_numpy(name):
    # NumPy's and TensorFlow's libraries read what replication/__init__.py sets as they load.
    tree = ast.parse((tiny.ROOT / f"replication/{name}.py").read_text())
    imported = [
        module.partition(".")[0]
        for node in tree.body
        for module in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in getattr(node, "names", [])]
        )
    ]
    others = [module for module in imported if module not in sys.stdlib_module_names]
    assert others[0] == "replication"


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_lists_the_fields(tmp_path, name):
    ended = tiny.stage(name, "--help", home=tmp_path)
    assert ended.status == 0
    assert ended.err == ""
    expected = {"evaluate": "--episodes", "dream": "--temperature", "benchmark": "--json"}
    expected |= {
        "import_original": "--overwrite",
        "demo": "--vision",
        "branch": "Name of the new run",
    }
    assert expected.get(name, "--controller.generations") in ended.out
    assert list(tmp_path.iterdir()) == []


def test_extract_continues_and_grows(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "extract")
    record = home / "data/t/record"
    first = {path.name: path.read_bytes() for path in record.glob("*.npz")}
    grow = [*tiny.SCHEDULE, "--extract.episodes", "4"]
    before = functools.partial(tiny.die_at, "0000000003.npz", 1)
    assert tiny.stage("extract", *grow, home=home, before=before).status == -9
    assert sorted(path.stem for path in record.glob("[!.]*.npz")) == [f"{i:010d}" for i in range(3)]
    assert tiny.stage("extract", *grow, home=home).last.startswith(
        "extract: 4 episodes, 240 frames"
    )
    now = {path.name: path.read_bytes() for path in record.iterdir() if path.suffix == ".npz"}
    assert len(now) == 4  # nor is there anything half written
    assert {name: now[name] for name in first} == first
    with np.load(record / "0000000003.npz") as episode:
        shapes = {name: (array.dtype, array.shape) for name, array in episode.items()}
    assert shapes == {
        "obs": (np.uint8, (60, 64, 64, 3)),
        "action": (np.float32, (60, 3)),
        "reward": (np.float32, (60,)),
        "terminated": (np.bool_, (60,)),
    }


@pytest.mark.parametrize(
    "name, folder, inputs, file, results",
    [
        ("train_vae", "vae", ["extract"], "state.npz", ["encoder.weights.h5", "state.npz"]),
        ("train_rnn", "rnn", ["train_vae", "series"], "state.npz", ["rnn.weights.h5", "state.npz"]),
    ],
)
def test_training_killed_as_it_saves_ends_like_one_that_was_not(
    tmp_path, name, folder, inputs, file, results, finished
):
    home = tiny.copy_of(finished, tmp_path, *inputs)
    done, ours = finished / "checkpoints/t" / folder, home / "checkpoints/t" / folder
    before = functools.partial(tiny.die_at, file, 2)  # the log is already ahead of the state
    assert tiny.stage(name, *tiny.SCHEDULE, home=home, before=before).status == -9
    assert len(tiny.log_of(home, folder)) == 2
    assert not (ours / "done.json").exists()
    ended = tiny.stage(name, *tiny.SCHEDULE, home=home)
    assert ended.status == 0, ended.err
    assert tiny.log_of(home, folder) == tiny.log_of(finished, folder)
    for result in results:
        for array, expected in zip(arrays(ours / result), arrays(done / result), strict=True):
            np.testing.assert_array_equal(array, expected)
    outputs = [json.loads((place / "done.json").read_text())["output"] for place in (ours, done)]
    assert outputs[0] == outputs[1]
    assert not list(ours.glob(".tmp*"))


def arrays(path) -> list[np.ndarray]:
    """What a file of weights holds."""
    if path.suffix == ".npz":
        with np.load(path) as state:
            return [state[name] for name in sorted(state)]
    import h5py

    items = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: items.append(item[()]) if hasattr(item, "dtype") else None)
    return items


def test_series_killed_before_the_end_are_nobodys(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "extract", "train_vae")
    done, ours = finished / "data/t/series", home / "data/t/series"
    before = functools.partial(tiny.die_at, "series.json", 1)
    assert tiny.stage("series", *tiny.SCHEDULE, home=home, before=before).status == -9
    assert (
        "run python replication/series.py"
        in tiny.stage("train_rnn", *tiny.SCHEDULE, home=home).complaint
    )
    assert tiny.stage("series", *tiny.SCHEDULE, home=home).status == 0
    names = sorted(path.name for path in done.iterdir())
    assert names == sorted(path.name for path in ours.iterdir())
    for name in names:
        if name.endswith(".npy"):
            assert (ours / name).read_bytes() == (done / name).read_bytes()


def test_evaluate_prints_its_line_and_writes_every_return_and_a_video(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "train_vae", "train_rnn", "train_controller")
    video = tmp_path / "drive.mp4"
    argv = ["quick", "--run", "t", "--episodes", "2", "--video", str(video)]
    ended = tiny.stage("evaluate", *argv, home=home, before=shortened)
    assert ended.status == 0, ended.err
    assert re.fullmatch(
        r"return -?\d+\.\d ± \d+\.\d \(min -?\d+\.\d, max -?\d+\.\d\) over 2 tracks,"
        r" seeds 4294967296\.\.",
        ended.last,
    )
    score = json.loads((home / "checkpoints/t/evaluation/2_tracks_seed_0.json").read_text())
    assert [entry["seed"] for entry in score["returns"]] == [2**32, 2**32 + 1]
    returns = [entry["return"] for entry in score["returns"]]
    assert score["mean"] == pytest.approx(np.mean(returns))
    assert score["std"] == pytest.approx(np.std(returns))
    frames = imageio.mimread(video)
    assert len(frames) == FRAMES
    assert frames[0].shape == (256 + 24, 3 * 256, 3)
    environment, *decoded = (frames[0][24:, left : left + 256] for left in (0, 256, 512))
    assert environment.std() > 10  # not of one colour
    for frame in decoded:  # reconstruction and dream by a V that has hardly learned: grey
        assert frame.mean() == pytest.approx(128, abs=10)
    record = (home / "checkpoints/t/evaluation/done.json").read_bytes()
    again = tiny.stage("evaluate", *argv[:-2], home=home, before=shortened)
    assert again.last == ended.last
    with folders.lock(home / "checkpoints/t"):  # as a training that goes on meanwhile
        fewer = tiny.stage("evaluate", *argv[:3], "--episodes", "1", home=home, before=shortened)
    assert "over 1 tracks" in fewer.last
    assert (home / "checkpoints/t/evaluation/done.json").read_bytes() == record


def test_a_score_of_other_tracks_does_not_keep_the_runs_own_from_its_record(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "train_vae", "train_rnn", "train_controller")
    for seed, episodes in ((3, 2), (0, 1)):
        argv = ["--agent", "checkpoints/t", "--episodes", str(episodes), "--seed", str(seed)]
        assert tiny.stage("evaluate", *argv, home=home, before=shortened).status == 0
        record = json.loads((home / "checkpoints/t/evaluation/done.json").read_text())
        assert record["identity"]["evaluate.seed"] == seed


def test_the_score_of_a_c_that_was_trained_on_meanwhile_is_not_the_runs(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "train_vae", "train_rnn", "train_controller")
    done = home / "checkpoints/t/controller/done.json"
    done.write_text(json.dumps(json.loads(done.read_text()) | {"output": "another C's"}))
    argv = ["--agent", "checkpoints/t", "--episodes", "1"]
    assert tiny.stage("evaluate", *argv, home=home, before=shortened).status == 0
    assert (home / "checkpoints/t/evaluation/1_tracks_seed_0.json").exists()
    assert not (home / "checkpoints/t/evaluation/done.json").exists()


def test_evaluate_takes_a_run_of_its_home_or_an_agent_from_elsewhere(tmp_path, home, monkeypatch):
    """A run is not looked for in the folder where the command is typed; an agent is."""
    for folder in (home / "checkpoints/t", tmp_path / "elsewhere/checkpoints/t"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert evaluate.parse_options(["--run", "t"]).folder == home / "checkpoints/t"
    assert evaluate.parse_options(["laptop"]).folder == home / "checkpoints/laptop"
    agent = evaluate.parse_options(["--agent", "checkpoints/t"]).folder
    assert agent == tmp_path / "elsewhere/checkpoints/t"
    words = pipeline.stage_command(parse_cli(["laptop", "--run", "t"]), "evaluate", ["laptop"])
    options = evaluate.parse_options(words[words.index("--run") :])
    assert (options.folder, options.episodes) == (home / "checkpoints/t", 100)


@pytest.mark.parametrize(("data", "thrown_away"), [("laptop", False), ("mine", True)])
def test_to_overwrite_a_run_spares_the_rollouts_of_another(data, thrown_away):
    argv = ["quick", "--run", "mine", "--data", data, "--overwrite"]
    for name, expected in (("extract", thrown_away), ("train_vae", True)):
        words = pipeline.stage_command(parse_cli(argv), name, argv)
        assert parse_cli(words[words.index("quick") :]).overwrite is expected


def test_pipeline_does_what_is_left_and_then_only_the_report(tmp_path, finished):
    home = tiny.copy_of(
        finished, tmp_path, "extract", "train_vae", "series", "train_rnn", "train_controller"
    )
    ended = tiny.script("pipeline", *tiny.SCHEDULE, home=home, REPLICATION_PROCESSES="1")
    assert ended.status == 0, ended.err
    assert "train_controller: done" in ended.out
    assert "over 1 tracks, seeds 4294967296.." in ended.out
    report = home / "checkpoints/t/report.html"
    assert ended.last == f"report: {report}"
    assert report.stat().st_size > 10_000
    again = tiny.script("pipeline", *tiny.SCHEDULE, home=home)
    assert again.status == 0, again.err
    assert again.out.count(": done\n") == 9 and "=== figures" in again.out
    assert "not done" not in again.out
