"""The original's published agent becomes a run that later stages take; the files are made up."""

import functools
import json
import os
import shutil

from replication.rollouts.agent_files import load_agent, load_decoder
from replication.tasks.car_racing import CAR_RACING_V0

import numpy as np
import original
import pytest
import tiny

SOURCE = "WorldModelsExperiments/carracing"
ITSELF = ("--extract.policy", "agent", "--extract.agent", "checkpoints/original")
RECORD = ("paper", "--run", "original", *ITSELF, "--extract.episodes", "2", "--env.max_steps", "40")


def run_stage(name: str, *argv: str, home, before=None) -> tiny.Ended:
    ended = tiny.stage(name, *argv, home=home, before=before)
    assert ended.status == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A home with the made-up files and the run of them."""
    home = tmp_path_factory.mktemp("home")
    source = original.write_original(home / SOURCE)
    ended = run_stage("import_original", str(source), home=home)
    assert ended.last == "imported into checkpoints/original; its authors logged 812.2 for it"
    return home


def test_the_run_has_the_originals_weights_and_game(imported):
    folder = imported / "checkpoints/original"
    parts, parameters = load_agent(folder)
    np.testing.assert_array_equal(parameters, np.float32(original.c_numbers()))
    assert (parts.task, parts.frames) == (CAR_RACING_V0, "stretched")
    assert (parts.mode, parts.z) == ("z_h", "sample")
    theirs = [np.float32(array) / 10_000 for array in original.v_integers()]
    decoder = load_decoder(folder).get_weights()
    for ours, array in zip([*parts.encoder, *decoder], theirs, strict=True):
        np.testing.assert_array_equal(ours, array)
    kernel = np.float32(original.m_integers()[2]) / 10_000
    np.testing.assert_array_equal(parts.rnn[0][:, :256], kernel[:35, :256])  # the input gate
    np.testing.assert_array_equal(parts.rnn[1][:, -256:], kernel[35:, -256:])  # the output gate


def test_the_run_says_which_preset_and_game_it_is(imported):
    recorded = json.loads((imported / "checkpoints/original/config.json").read_text())
    facts = {"preset": "paper", "task": "car_racing_v0", "frames": "stretched"}
    assert recorded["run"] == facts | {"vision": "vae", "data": "original"}
    assert {"train_vae", "train_rnn", "train_controller"} < recorded.keys()


def test_it_is_evaluated(imported):
    argv = ("--run", "original", "--episodes", "1")
    ended = run_stage("evaluate", *argv, home=imported, before=functools.partial(tiny.shorten, 10))
    assert "over 1 tracks, seeds 4294967296.." in ended.last
    folder = imported / "checkpoints/original/evaluation"
    score = json.loads((folder / "1_tracks_seed_0.json").read_text())
    assert score["returns"][0]["frames"] == 10
    assert json.loads((folder / "done.json").read_text())["reached"] == ended.last


def test_it_dreams_once_it_has_recorded_episodes(imported):
    refused = tiny.stage("dream", "--run", "original", home=imported)
    assert "run python replication/series.py paper --run original" in refused.complaint
    for name in ("extract", "series"):
        run_stage(name, *RECORD, home=imported)
    run_stage("dream", "--run", "original", "--seconds", "0.4", home=imported)
    with np.load(imported / "checkpoints/original/dream/rollout.npz") as rollout:
        shown = {name: rollout[name] for name in ("environment", "reconstruction", "dream")}
    assert len({panel.shape for panel in shown.values()}) == 1
    with np.load(imported / "data/original/record/0000000000.npz") as episode:
        np.testing.assert_array_equal(shown["environment"][0], episode["obs"][0])
        assert (episode["obs"][0] == 255).any()  # the first frame has black in view: stretched


def test_it_is_drawn(imported):
    """What needs no log of its training: its score and its dream."""
    run_stage("figures", "paper", "--run", "original", home=imported)
    drawn = {path.stem for path in (imported / "checkpoints/original/figures").glob("*.png")}
    assert {"paper_scores", "figure_03_rollout"} <= drawn
    assert "CarRacing-v0" in (imported / "checkpoints/original/report.html").read_text()


# What is refused -----------------------------------------------------------------------------


def files_of(home) -> dict[str, bytes]:
    found = (path for path in sorted(home.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(home)): path.read_bytes() for path in found}


def complaint(*argv: str, home) -> str:
    """The one line of an import that fails; it must leave checkpoints/ as it was."""
    before = files_of(home)
    ended = tiny.stage("import_original", *argv, home=home)
    assert files_of(home) == before
    assert ended.complaint.startswith("import_original.py: ")
    return ended.complaint.removeprefix("import_original.py: ")


@pytest.fixture
def source(imported, tmp_path):
    """A copy of the made-up files, in a home without runs."""
    folder = tmp_path / SOURCE
    shutil.copytree(imported / SOURCE, folder, copy_function=os.link)
    return folder


@pytest.mark.parametrize("name", ["vae/vae.json", "rnn/rnn.json", original.C_FILE])
def test_a_missing_or_cut_file_is_named_and_nothing_is_made(source, tmp_path, name):
    whole = (source / name).read_bytes()
    (source / name).unlink()
    said = complaint(str(source), home=tmp_path)
    assert said.startswith(f"{source / name} is missing: the original's ")
    (source / name).write_bytes(whole[: len(whole) // 2])
    said = complaint(str(source), home=tmp_path)
    assert said.startswith(f"{source / name} is not JSON, or not all of it: the original's ")
    assert not (tmp_path / "checkpoints").exists()


def test_another_experiment_is_named(source, tmp_path):
    """Take Cover's C has 1,088 numbers, and by its file's name the folder is Take Cover's."""
    (source / original.C_FILE).unlink()
    original.write_json(source / original.C_FILE, [[0.5] * 1088, 959.0])
    said = complaint(str(source), home=tmp_path)
    assert said == f"{source / original.C_FILE}: array 1 is (1088,), not (867,)"
    (source / original.C_FILE).rename(source / "log/doomrnn.cma.16.64.best.json")
    said = complaint(str(source), home=tmp_path)
    assert said == f"{source}/rnn/rnn.json: array 1 is (256, 480), not (512, 961)"
    assert not (tmp_path / "checkpoints").exists()


def test_no_folder(tmp_path):
    assert (
        complaint(home=tmp_path)
        == "give the folder of the original's carracing/ or doomrnn/; --help says more"
    )
    said = complaint(str(tmp_path / "none"), home=tmp_path)
    assert said == f"{tmp_path}/none: no such folder; the original's carracing/ was expected"


def test_a_run_that_is_there_is_kept_unless_asked(source, tmp_path):
    source, folder = str(source), tmp_path / "checkpoints/mine"
    run_stage("import_original", source, "--run", "mine", home=tmp_path)
    assert complaint(source, "--run", "mine", home=tmp_path) == (
        "checkpoints/mine is there already: another --run, or --overwrite"
    )
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "1_tracks_seed_0.json").write_text("{}")
    run_stage("import_original", source, "--run", "mine", "--overwrite", home=tmp_path)
    assert not (folder / "evaluation").exists()  # it was another agent's
    assert load_agent(folder)[0].frames == "stretched"


def test_a_folder_of_runs_is_never_replaced(source, tmp_path):
    run_stage("import_original", str(source), "--run", "group/mine", home=tmp_path)
    for argv in ([], ["--overwrite"]):
        said = complaint(str(source), "--run", "group", *argv, home=tmp_path)
        assert said == "checkpoints/group holds other runs: give another --run"
    said = complaint(str(source), "--run", "group/mine/vae", home=tmp_path)
    assert said.startswith("run 'group/mine/vae'")
