"""The controls: the shipped agent's last search, on an M with random weights and on z alone."""

import json
import subprocess
from pathlib import Path

from replication.report.run_record import Run, read_run
from replication.runs.files import controller_fingerprint
from replication.runs.records import load_config

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "checkpoints" / "controls"
RESULTS = (ROOT / "docs" / "results.md").read_text()
NAMES = {"random_m": ({"rnn.epochs": 0}, 867), "z_alone": ({"controller.mode": "z"}, 99)}


def run_of(name: str) -> Run:
    return read_run(load_config(f"controls/{name}"))


def ours(settings: dict) -> dict:
    """Without what other stages made, and the stage that only the shipped agent had."""
    return {k: v for k, v in settings.items() if not k.startswith(("input ", "events."))}


def test_they_are_small_and_hold_no_weights():
    listed = subprocess.check_output(["git", "-C", str(KEPT), "ls-files"], text=True)
    kept = [KEPT / line for line in listed.splitlines()]
    assert {path.relative_to(KEPT).parts[0] for path in kept} == set(NAMES)
    assert sum(path.stat().st_size for path in kept) < 1e6
    assert {path.suffix for path in kept} == {".json", ".jsonl"}


@pytest.mark.parametrize("name", NAMES)
def test_they_had_the_shipped_agents_search_but_for_what_they_are_named_after(name):
    difference, parameters = NAMES[name]
    run, shipped = run_of(name), read_run(load_config("pretrained"))
    expected = shipped.settings | difference | {"controller.generations": 10}
    assert ours(run.settings) == ours(expected)
    assert len(run.logs["train_controller"]) - run.earlier == 10
    assert run.records["train_controller"]["parameters"] == parameters
    tracks = [track["seed"] for track in run.evaluation["returns"]]
    assert tracks == [track["seed"] for track in shipped.evaluation["returns"]]


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_say_what_the_evaluation_says(name):
    score = run_of(name).evaluation
    returns = np.array([track["return"] for track in score["returns"]])
    assert (returns.mean(), returns.std()) == pytest.approx((score["mean"], score["std"]))
    assert f"{score['mean']:.1f} ± {score['std']:.1f}" in RESULTS
    best = json.loads((KEPT / name / "controller" / "best.json").read_text())
    assert score["controller"] == controller_fingerprint(best["parameters"])
