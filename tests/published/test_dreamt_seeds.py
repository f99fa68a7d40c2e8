"""Runs of the preset dreamt that ran as one command, nothing changed: C's fitness from dreams."""

import dataclasses
import json
import subprocess
from pathlib import Path

from replication.dataset.episodes import HELD_OUT
from replication.dataset.series import load_series
from replication.presets import PRESETS
from replication.report.run_record import read_run
from replication.rollouts.agent_files import load_decoder
from replication.runs.files import controller_fingerprint
from replication.runs.logs import read_log
from replication.runs.records import load_config
from replication.runs.seeds import Purpose, derive_seed
from replication.vae.vae import decode

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "checkpoints" / "dreamt"
DATA = ROOT / "data" / "dreamt"
DREAMT = PRESETS["dreamt"]
RUNS = {  # folder -> what was not the preset's
    "seed_0": {},
    "seed_1": {"seed": 1},
    "seed_2": {"seed": 2},
    "v0_seed_3": {"seed": 3, "task": "car_racing_v0"},
}
SHIPPED = "seed_1"  # with its weights: the middle one of three seeds


def read(name: str, path: str) -> dict:
    return json.loads((KEPT / name / path).read_text())


@pytest.mark.parametrize("name", RUNS)
def test_it_had_the_presets_settings(name):
    config = load_config(f"dreamt/{name}")
    named = {"run": config.run, "data": config.data}
    assert config == dataclasses.replace(DREAMT, **RUNS[name], **named)


@pytest.mark.parametrize("name", RUNS)
def test_its_score_is_that_of_its_returns_and_of_its_c(name):
    score = read(name, "evaluation/100_tracks_seed_0.json")
    returns = np.array([track["return"] for track in score["returns"]])
    assert (returns.mean(), returns.std()) == pytest.approx((score["mean"], score["std"]))
    assert [track["seed"] for track in score["returns"]] == [2**32 + i for i in range(100)]
    best = read(name, "controller/best.json")
    assert score["controller"] == controller_fingerprint(best["parameters"])
    assert best["generation"] == 0  # of a search in the game: there was none
    assert best["parameters"] == read(name, "rounds/controller.json")["parameters"]


@pytest.mark.parametrize("name", RUNS)
def test_its_round_was_chosen_on_other_tracks(name):
    rounds = read_log(KEPT / name / "rounds" / "log.jsonl")
    assert len(rounds) == DREAMT.rounds.count
    means = {line["step"]: line["mean"] for line in rounds}
    finals = {
        int(path.parent.name): np.mean(json.loads(path.read_text())["returns"])
        for path in (KEPT / name / "rounds").glob("*/final.json")
    }
    assert set(finals) == set(sorted(means, key=means.get)[-3:])
    assert read(name, "rounds/controller.json")["round"] == max(finals, key=finals.get)
    seed = load_config(f"dreamt/{name}").seed
    tracks = [derive_seed(seed, Purpose.ROUND_FINAL, i) for i in range(DREAMT.rounds.final)]
    assert max(tracks) < 2**32  # where the score's begin


def test_their_rounds_stand_in_the_docs():
    text = (ROOT / "docs" / "rounds-and-dreams.md").read_text()
    for name in RUNS:
        for line in read_log(KEPT / name / "rounds" / "log.jsonl"):
            start, best = line["means"][0], max(line["means"][1:])
            bold = f"**{start}** | {best}" if start >= best else f"{start} | **{best}**"
            assert f"| {bold} |" in text


@pytest.mark.parametrize("name", RUNS)
def test_its_page_can_be_drawn(name):
    run = read_run(load_config(f"dreamt/{name}"))
    assert run.records["rounds"] and run.evaluation["episodes"] == 100


def test_they_are_small_and_one_has_its_weights():
    listed = subprocess.check_output(
        ["git", "-C", str(ROOT), "ls-files", str(KEPT), str(DATA)], text=True
    )
    kept = [ROOT / line for line in listed.splitlines()]
    records = [path for path in kept if path.suffix in (".json", ".jsonl", ".png")]
    weights = set(kept) - set(records)
    assert {path.relative_to(KEPT).parts[0] for path in kept if KEPT in path.parents} == set(RUNS)
    assert all(path.parent.relative_to(ROOT).parts[2] == SHIPPED for path in weights)
    assert sum(path.stat().st_size for path in records) < 1.5e6
    assert 10e6 < sum(path.stat().st_size for path in weights) < 15e6
    assert {path.suffix for path in weights} == {".h5", ".npy", ".npz"}


def test_its_decoder_draws_what_it_recorded():
    """In half precision: its pictures are within what V leaves out of a frame anyhow."""
    series = load_series(load_config(f"dreamt/{SHIPPED}"))
    assert (series["seed"] % HELD_OUT == 0).all()
    with np.load(DATA / SHIPPED / "record" / f"{series['seed'][0]:010d}.npz") as episode:
        frames = episode["obs"][100:200]
    drawn = decode(load_decoder(KEPT / SHIPPED), np.float32(series["mu"][100:200]))
    assert np.abs(frames.astype(int) - drawn).mean() < 8
