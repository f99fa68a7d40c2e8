"""What a user may do wrong gets one line and exit status 2, and nothing that was there is lost."""

import functools
import json
import resource
import shutil
import signal
from pathlib import Path

from replication.presets import PRESETS
from replication.runs import files

import numpy as np
import pytest
import tiny

SCHEDULE = tiny.SCHEDULE


def contents(home: Path) -> dict[str, bytes]:
    """Every file of a home, without locks and the record of versions."""
    paths = (path for path in sorted(home.rglob("*")) if path.is_file())
    left_out = {".lock", "versions.json", "config.json"}
    return {str(p.relative_to(home)): p.read_bytes() for p in paths if p.name not in left_out}


def complaint(name: str, *argv: str, home: Path, before=None) -> str:
    """The one line of a stage that fails; it must leave every file as it was."""
    there = contents(home)
    ended = tiny.stage(name, *argv, home=home, before=before)
    assert contents(home) == there
    assert ended.complaint.startswith(f"{name}.py: ")
    return ended.complaint.removeprefix(f"{name}.py: ")


@pytest.mark.parametrize(
    "argv, expected",
    [
        (
            ["quikc"],
            "unknown preset 'quikc': choose from " + ", ".join(sorted(PRESETS)),
        ),
        (["quick", "--vae.epoch", "2"], "--vae.epoch"),
        (["quick", "--vae.epochs", "two"], "two"),
        (["quick", "--vae.epochs", "-3"], "vae.epochs -3: must be positive"),
        (["quick", "--run", "../elsewhere"], "run '../elsewhere'"),
    ],
)
def test_unknown_words(tmp_path, argv, expected):
    assert expected in complaint("train_vae", *argv, home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_evaluate_wants_an_agent_and_a_place_for_the_video(tmp_path):
    say = functools.partial(complaint, "evaluate", home=tmp_path)
    assert say("--agent", "nowhere") == "agent nowhere: no such folder"
    assert say("--episodes", "0").startswith("--episodes must lie in")
    assert "there is no folder nowhere" in say("--video", "nowhere/a.mp4")
    assert "must end in .mp4 or .gif" in say("--video", "a.avi")
    (tmp_path / "foreign").mkdir()
    assert "best.json is missing" in say("--agent", "foreign")
    assert list((tmp_path / "foreign").iterdir()) == []
    assert say("quikc").startswith("unknown preset 'quikc'")
    assert "run '../elsewhere'" in say("--run", "../elsewhere")
    for argv, run in (((), "quick"), (("laptop",), "laptop"), (("laptop", "--run", "t"), "t")):
        assert say(*argv).startswith(f"checkpoints/{run}/controller/best.json is missing: run ")


@pytest.mark.parametrize(
    "name, missing, run",
    [
        ("train_vae", "data/t/record", "extract.py quick --run t"),
        ("series", "checkpoints/t/vae", "train_vae.py quick --run t"),
        ("train_rnn", "data/t/series", "series.py quick --run t"),
        ("train_controller", "checkpoints/t/vae", "train_vae.py quick --run t"),
    ],
)
def test_a_missing_input_names_the_stage_to_run(tmp_path, name, missing, run):
    line = complaint(name, *SCHEDULE, home=tmp_path)
    assert line == f"{missing} is missing: run python replication/{run}"


@pytest.mark.parametrize("name", ["extract", "train_vae", "train_controller", "pipeline"])
def test_an_unknown_game_is_named(tmp_path, name):
    line = complaint(name, *SCHEDULE, "--task", "chess", home=tmp_path)
    assert line.startswith("--task chess: no such game; there are car_racing_v0, car")


def test_files_that_are_no_episodes_are_named_and_skipped_only_if_asked(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "extract")
    record = home / "data/t/record"
    whole = (record / "0000000001.npz").read_bytes()
    np.savez(record / "0000000007.npz", obs=np.zeros(3))
    assert "0000000007.npz is not an episode" in complaint("train_vae", *SCHEDULE, home=home)
    (record / "0000000007.npz").write_bytes(whole[: len(whole) // 2])
    line = complaint("train_vae", *SCHEDULE, home=home)
    assert line.startswith("data/t/record/0000000007.npz is not an episode")
    assert line.endswith("delete it and run extract.py again, or --extract.skip_bad")
    ended = tiny.stage("train_vae", *SCHEDULE, "--extract.skip_bad", home=home)
    assert ended.status == 0, ended.err
    assert "0000000007.npz is not an episode" in ended.err
    damaged = bytearray(whole)
    damaged[len(whole) // 3] ^= 255  # the headers are whole, the frames are not
    (record / "0000000007.npz").unlink()
    (record / "0000000001.npz").write_bytes(damaged)
    shutil.rmtree(home / "checkpoints")
    ended = tiny.stage("train_vae", *SCHEDULE, home=home)
    assert "0000000001.npz cannot be read" in ended.complaint


def test_a_loss_that_is_not_a_number_stops_and_the_last_good_weights_stay(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "extract", "series", "train_vae")
    argv = [*SCHEDULE, "--rnn.log_every", "1", "--rnn.iterations", "2"]
    assert tiny.stage("train_rnn", *argv, home=home).status == 0
    state = home / "checkpoints/t/rnn/state.npz"
    with np.load(state) as arrays:
        good = dict(arrays)
    bad = {k: v * np.nan if k == "weight_003" else v for k, v in good.items()}
    np.savez(state, **bad)  # as if the next step had blown up
    kept = state.read_bytes()
    ended = tiny.stage("train_rnn", *argv, "--rnn.epochs", "2", home=home)
    assert "loss" in ended.complaint
    assert "is not a number at batch 3; the weights of batch 2 are kept" in ended.complaint
    assert state.read_bytes() == kept
    assert len(tiny.log_of(home, "rnn")) == 2

    argv = [*SCHEDULE, "--vae.log_every", "1", "--vae.learning_rate", "1e9"]
    ended = tiny.stage("train_vae", *argv, "--overwrite", home=home)
    assert "is not a number at batch" in ended.complaint
    assert not (home / "checkpoints/t/vae/done.json").exists()


def test_another_configuration_is_refused_until_overwrite(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "extract", "series", "train_vae", "train_rnn")
    argv = [*SCHEDULE, "--rnn.hidden", "16", "--rnn.clip", "0.5"]
    line = complaint("train_rnn", *argv, home=home)
    assert "rnn.clip 1.0 there, 0.5 here; rnn.hidden 8 there, 16 here" in line
    assert "--overwrite to start anew" in line
    assert tiny.stage("train_rnn", *argv, "--overwrite", home=home).status == 0
    sizes = json.loads((home / "checkpoints/t/rnn/rnn.json").read_text())
    assert (sizes["hidden"], sizes["clip"]) == (16, 0.5)


def test_nothing_is_thrown_away_before_what_a_stage_reads_has_been_read(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "extract", "series", *AGENT)
    agent = ("--extract.policy", "agent", "--extract.agent")
    for name, spoilt, argv in (
        ("extract", None, (*agent, "checkpoints/nobody")),
        ("train_vae", "data/t/record/0000000000.npz", ()),
        ("train_rnn", "data/t/series/mu.npy", ()),
        ("train_controller", "checkpoints/t/rnn/rnn.weights.h5", ()),
        ("series", "checkpoints/t/vae/encoder.weights.h5", ()),
    ):
        if spoilt:
            (home / spoilt).write_bytes(b"spoilt")
        config = (home / "checkpoints/t/config.json").read_bytes()
        complaint(name, *SCHEDULE, "--overwrite", *argv, home=home)
        assert (home / "checkpoints/t/config.json").read_bytes() == config


AGENT = ("train_vae", "train_rnn", "train_controller")


def test_agents_that_do_not_fit(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, *AGENT)
    run = home / "checkpoints/t"
    best = json.loads((run / "controller/best.json").read_text())
    say = functools.partial(complaint, "evaluate", "--agent", str(run), home=home)
    for broken, expected in (
        ({"mode": "z"}, "holds 123 finite parameters; mode z on this M takes 99"),
        ({"mode": "zhc"}, "mode 'zhc': not of z_h, z,"),
        ({"z": "median"}, "z 'median': not of sample, mean"),
        ({"parameters": best["parameters"][:-1] + [float("nan")]}, "holds 122 finite parameters"),
        ({"parameters": ["x"]}, "parameters are not numbers"),
    ):
        files.write_json(run / "controller/best.json", best | broken)
        assert expected in say()
    for text in ("[]", "{}", '{"mode":', ""):
        (run / "controller/best.json").write_text(text)
        assert "controller/best.json is not" in say()
    files.write_json(run / "controller/best.json", best)
    encoder = run / "vae/encoder.weights.h5"
    whole = encoder.read_bytes()
    for broken in (b"", b"no weights at all", whole[: len(whole) // 2]):
        encoder.write_bytes(broken)
        assert "encoder.weights.h5 does not fit encoder" in say()
    encoder.write_bytes((run / "vae/decoder.weights.h5").read_bytes())
    assert "encoder.weights.h5 does not fit encoder" in say()
    encoder.write_bytes(whole)
    sizes = json.loads((run / "rnn/rnn.json").read_text())
    files.write_json(run / "rnn/rnn.json", sizes | {"hidden": 16})
    assert "rnn.weights.h5 does not fit mdn_rnn" in say()
    files.write_json(run / "rnn/rnn.json", {"units": 8})
    assert "rnn.json does not describe an M" in say()
    files.write_json(run / "rnn/rnn.json", sizes)
    config = json.loads((run / "config.json").read_text())
    files.write_json(run / "config.json", {name: config[name] for name in config if name != "run"})
    assert 'checkpoints/t/config.json names no "task"' in say()


@pytest.mark.parametrize(
    "file, name",
    [
        ("checkpoints/t/controller/log.jsonl", "train_controller"),
        ("checkpoints/t/vae/done.json", "train_controller"),
        ("checkpoints/t/config.json", "train_controller"),
        ("checkpoints/t/rnn/state.npz", "train_rnn"),
        ("data/t/series/mu.npy", "train_rnn"),
        ("data/t/series/series.json", "train_rnn"),
    ],
)
def test_broken_files_are_named(tmp_path, file, name, finished):
    home = tiny.copy_of(finished, tmp_path, "extract", "series", *AGENT)
    whole = (home / file).read_bytes()
    for broken in (whole[: len(whole) // 2] + b"\n", b"no\n"):
        (home / file).write_bytes(broken)
        argv = [*SCHEDULE, "--controller.generations", "4"]
        assert file.removesuffix("mu.npy").rstrip("/") in complaint(name, *argv, home=home)


def test_a_folder_that_may_not_be_written(tmp_path):
    (tmp_path / "checkpoints").write_text("a file where a folder should be")
    assert "checkpoints" in complaint("train_vae", *SCHEDULE, home=tmp_path)


def limit_files(size: int) -> None:
    """No file of this process can grow beyond `size`: what a full disk does, without root."""
    from replication.parallel import mpi  # noqa: F401  MPI makes files of its own when it starts

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then it is an error: EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk(tmp_path, finished):
    home = tiny.copy_of(finished, tmp_path, "extract", "series", "train_vae", "train_rnn")
    for name, argv, size in (
        ("extract", ["--extract.episodes", "4"], 2000),
        ("train_rnn", ["--rnn.epochs", "2"], 20_000),
        ("series", ["--overwrite"], 3000),
        ("train_controller", [], 2000),
    ):
        there = contents(home)
        before = functools.partial(limit_files, size)
        ended = tiny.stage(name, *SCHEDULE, *argv, home=home, before=before)
        assert "File too large" in ended.complaint, name
        now = contents(home)
        kept = {file: there[file] for file in there if file in now and "log.jsonl" not in file}
        assert {file: now[file] for file in kept} == kept
        assert not [file for file in now if ".tmp" in file or ".new" in file]


def test_the_pipeline_wants_a_number_of_processes(tmp_path):
    ended = tiny.script("pipeline", *SCHEDULE, home=tmp_path, REPLICATION_PROCESSES="foo")
    assert ended.complaint == (
        "pipeline.py: REPLICATION_PROCESSES 'foo': must be a positive number"
    )
