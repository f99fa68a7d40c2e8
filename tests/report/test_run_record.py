"""What is read of a run: its settings, its own C's evaluation and records, no damaged file."""

import dataclasses

from replication.config import UserError
from replication.presets import PRESETS
from replication.report.run_record import read_run
from replication.runs import files, folders

import numpy as np
import pytest
from saved_run import CONFIG, write_stage


def test_settings_of_stages_that_cannot_be_resumed_are_known_too(run):
    assert (run.settings["evaluate.episodes"], run.settings["events.episodes"]) == (10, 8)


def test_rollouts_are_what_made_them_whatever_the_series_were_asked_for(run, home):
    recorded = {"extract": {"extract.policy": "agent", "extract.episodes": 400, "seed": 9}}
    files.write_json(home / "data/mine/config.json", recorded)
    asked = {"series": {"extract.policy": "brownian", "extract.episodes": 1}}
    files.write_json(home / "checkpoints/mine/config.json", asked)
    settings = read_run(CONFIG).settings
    assert (settings["extract.policy"], settings["extract.episodes"]) == ("agent", 400)


def test_an_evaluation_of_another_c_is_not_the_runs(run):
    folder = folders.run_folder("mine")
    files.write_json(folder / "controller" / "best.json", {"parameters": [1.0, 2.0]})
    for name, parameters in (("16_tracks_seed_0", [1.0, 3.0]), ("1_tracks_seed_1", [1.0, 2.0])):
        path = folder / "evaluation" / f"{name}.json"
        files.write_json(
            path, files.read_json(path) | {"controller": files.controller_fingerprint(parameters)}
        )
    assert read_run(CONFIG).evaluation["episodes"] == 1
    files.write_json(folder / "controller" / "best.json", {"parameters": [1.0, 3.0]})
    assert read_run(CONFIG).evaluation["episodes"] == 16
    files.write_json(folder / "controller" / "best.json", {"parameters": [1.0, 4.0]})
    assert read_run(CONFIG).evaluation == {}


def test_without_parameters_c_is_known_by_its_record(run):
    """As of the published runs that have no weights: train_controller's output is C's name."""
    assert run.evaluation["episodes"] == 16
    write_stage("train_controller", output="another C's")
    assert read_run(CONFIG).evaluation == {}


def test_a_score_that_a_killed_process_was_writing_is_none(run, home):
    (home / "checkpoints/mine/evaluation/.tmp-100_tracks_seed_0.json").write_text('{"mean": 9')
    assert read_run(CONFIG).evaluation == run.evaluation


def test_records_of_what_an_earlier_c_did_are_left_out(run):
    assert all(run.records[name] for name in ("evaluate", "dream", "events"))
    write_stage("train_controller", output="another C's")
    later = read_run(CONFIG).records
    assert not any(later[name] for name in ("evaluate", "dream", "events"))
    assert later["train_rnn"] == run.records["train_rnn"]


def test_a_record_of_a_c_that_was_not_finished_is_left_out_once_it_is(run):
    identity = {"input train_controller": None}  # evaluated while the search went on
    write_stage("evaluate", identity=identity)
    assert not read_run(CONFIG).records["evaluate"]
    write_stage("train_controller")
    (folders.stage_folder(CONFIG, "train_controller") / "done.json").unlink()
    assert read_run(CONFIG).records["evaluate"]["identity"] == identity


def test_a_run_has_its_own_presets_rounds_whatever_preset_is_called(run, home):
    path = home / "checkpoints/mine/config.json"
    recorded = files.read_json(path)
    files.write_json(path, {"run": recorded["run"] | {"preset": "dreamt"}})
    called = read_run(CONFIG)
    assert CONFIG.preset == "quick" and called.config.preset == "dreamt"
    assert called.config.rounds == PRESETS["dreamt"].rounds and "rounds" in called.stages
    assert "--rounds.count" not in called.command("train_controller")


def test_damaged_samples_are_named(run, home):
    path = home / "checkpoints" / "mine" / "vae" / "samples.npz"
    np.savez_compressed(path, frames=np.arange(1000))
    compressed = path.read_bytes()
    for damaged in (b"PK\x03\x04 half of it", compressed[:60] + b"\xff" * 60 + compressed[120:]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="checkpoints/mine/vae/samples.npz cannot be read"):
            read_run(CONFIG)


def test_samples_without_measures_are_named(run, home):
    path = home / "checkpoints" / "mine" / "vae" / "samples.npz"
    np.savez(path, **{key: run.samples[key] for key in run.samples if key != "recon_SSIM"})
    with pytest.raises(UserError, match="samples.npz lacks recon_SSIM"):
        read_run(CONFIG)


def test_a_folder_that_only_holds_other_runs_is_no_run(home):
    (home / "checkpoints" / "mine" / "other_40" / "vae").mkdir(parents=True)
    with pytest.raises(UserError, match="checkpoints/mine is missing"):
        read_run(dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3"))
