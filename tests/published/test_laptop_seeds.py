"""Seeds of the presets laptop and laptop_v3: passes of which nothing was changed."""

import dataclasses
import json
import subprocess
from pathlib import Path

from replication.config import Config
from replication.presets import PRESETS
from replication.report.run_record import read_run
from replication.runs.command_line import parse_cli
from replication.runs.files import controller_fingerprint
from replication.runs.logs import read_log
from replication.runs.records import load_config

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "checkpoints" / "laptop"
SEEDS = (4, 5, 6)
PASSES = {"laptop_1": "_1", "laptop_2": "_2", "laptop": ""}  # preset -> end of its run's name
# laptop_v3: seed -> the run of dreamt before the pass, as it was called
V3_SEEDS = {0: "dreamt", 1: "v3s1_dreamt", 2: "v3s2_dreamt"}
SHIPPED = {"v3_seed_1", "seed_6"}  # with their weights, on v3 and on v0
AGAIN = "v3_seed_2_again"  # one pass more
SCORED = [f"seed_{seed}" for seed in SEEDS] + [f"v3_seed_{seed}" for seed in V3_SEEDS] + [AGAIN]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("preset", PASSES)
def test_a_pass_had_the_presets_settings(preset, seed):
    config = load_config(f"laptop/seed_{seed}{PASSES[preset]}")
    expected = dataclasses.replace(PRESETS[preset], seed=seed, run=config.run, data=config.data)
    before = PRESETS[preset].after
    assert config == (after(expected, f"s{seed}{PASSES[before]}") if before else expected)


def after(config: Config, run: str) -> Config:
    """The settings of a pass after another run than the preset names."""
    agent = f"checkpoints/{run}"
    extract = dataclasses.replace(config.extract, agent=agent)
    controller = dataclasses.replace(config.controller, start=agent)
    return dataclasses.replace(config, extract=extract, controller=controller)


@pytest.mark.parametrize("seed", V3_SEEDS)
def test_the_pass_on_v3_had_the_presets_settings(seed):
    config = load_config(f"laptop/v3_seed_{seed}")
    preset = PRESETS["laptop_v3"]
    expected = dataclasses.replace(preset, seed=seed, run=config.run, data=config.data)
    assert config == after(expected, V3_SEEDS[seed])


def test_one_pass_more_is_what_the_command_makes():
    config = load_config(f"laptop/{AGAIN}")
    words = ["laptop_v3", "--run", "v3s2", "--seed", "2", "--extract.agent", "checkpoints/v3s2_1"]
    assert dataclasses.replace(config, run="v3s2", data="") == parse_cli(words)
    before = read_run(load_config("laptop/v3_seed_2"))
    searched = read_run(config).logs["train_controller"]
    ours = read_log(KEPT / AGAIN / "controller" / "log.jsonl")
    assert [line["mean"] for line in searched] == [
        line["mean"] for line in before.logs["train_controller"] + ours
    ]


@pytest.mark.parametrize("name", SCORED)
def test_its_score_is_that_of_its_returns_and_of_its_last_c(name):
    folder = KEPT / name
    score = json.loads((folder / "evaluation" / "100_tracks_seed_0.json").read_text())
    returns = np.array([track["return"] for track in score["returns"]])
    assert (returns.mean(), returns.std()) == pytest.approx((score["mean"], score["std"]))
    best = json.loads((folder / "controller" / "best.json").read_text())
    assert best["generation"] == PRESETS["laptop"].controller.generations  # evaluated once
    assert score["controller"] == controller_fingerprint(best["parameters"])


@pytest.mark.parametrize("seed", SEEDS)
def test_its_log_goes_on_from_those_of_the_passes_before(seed):
    run = read_run(load_config(f"laptop/seed_{seed}"))
    logs = [
        read_log(KEPT / f"seed_{seed}{end}" / "controller" / "log.jsonl") for end in PASSES.values()
    ]
    means = [line["mean"] for log in logs for line in log]
    assert [line["mean"] for line in run.logs["train_controller"]] == means
    assert run.earlier == len(logs[0]) + len(logs[1])


@pytest.mark.parametrize("seed", V3_SEEDS)
def test_the_pass_on_v3_goes_on_from_the_rounds_of_dreamt(seed):
    run = read_run(load_config(f"laptop/v3_seed_{seed}"))
    before = read_run(load_config(f"dreamt/seed_{seed}"))
    assert run.rounds_before == before.rounds_before
    assert len(run.rounds_before) == PRESETS["dreamt"].rounds.count


def test_they_are_small_and_two_have_their_weights():
    names = [f"seed_{seed}{end}" for seed in SEEDS for end in PASSES.values()]
    names += [f"v3_seed_{seed}" for seed in V3_SEEDS] + [AGAIN]
    listed = subprocess.check_output(["git", "-C", str(KEPT), "ls-files", *names], text=True)
    kept = [KEPT / line for line in listed.splitlines()]
    weights = {path for path in kept if path.suffix == ".h5"}
    pictures = {KEPT / name / "figures" / "figure_14_controller.png" for name in SHIPPED}
    pictures |= {KEPT / "v3_seed_1" / "drive.gif"}
    records = set(kept) - weights - pictures
    assert {path.relative_to(KEPT).parts[0] for path in kept} == set(names)
    assert sum(path.stat().st_size for path in records) < 5e5 * len(SCORED)
    assert {path.suffix for path in records} == {".json", ".jsonl"}
    assert {path.relative_to(KEPT).parts[0] for path in weights} == SHIPPED
    assert sum(path.stat().st_size for path in weights) < 24e6
    assert pictures <= set(kept) and sum(path.stat().st_size for path in pictures) < 4e6


def test_the_shipped_one_on_v3_was_chosen_by_no_score():
    """Of the agents on v3, by the evaluation on which each run's C was judged."""
    folders = [KEPT / f"v3_seed_{seed}" for seed in V3_SEEDS] + [KEPT.parent / "pretrained"]
    judged = {
        folder.name: json.loads((folder / "controller" / "best.json").read_text())["eval_mean"]
        for folder in folders
    }
    assert max(judged, key=judged.get) == "v3_seed_1"


def test_the_shipped_one_on_v0_was_chosen_by_no_score():
    """The same, of the seeds whose weights were there: seed 4's were lost."""
    judged = {
        name: json.loads((KEPT / name / "controller" / "best.json").read_text())["eval_mean"]
        for name in ("seed_5", "seed_6")
    }
    assert max(judged, key=judged.get) == "seed_6"
