"""The agent `pretrained`: whole, small, without a pickle, and as the docs say it is."""

import json
import re
import subprocess
from pathlib import Path

from replication.report.run_record import read_run
from replication.rollouts.agent_files import load_agent
from replication.runs import records
from replication.runs.command_line import parse_cli
from replication.runs.logs import read_log
from replication.runs.seeds import Purpose, derive_seed
from replication.runs.stages import differing
from replication.search.history import read_history
from replication.search.search_start import read_search_start
from replication.train_controller import resume

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "checkpoints" / "pretrained"
BEFORE = ROOT / "checkpoints" / "laptop"
RESULTS = (ROOT / "docs" / "results.md").read_text()
STEPS = "controller.generations"


def shipped() -> list[Path]:
    """What git keeps."""
    listed = subprocess.check_output(["git", "-C", str(AGENT), "ls-files"], text=True)
    return [AGENT / name for name in listed.splitlines()]


def evaluation() -> dict:
    return json.loads((AGENT / "evaluation" / "100_tracks_seed_0.json").read_text())


def test_it_is_small_and_holds_no_pickle():
    assert 20e6 < sum(path.stat().st_size for path in shipped()) < 30e6
    assert not [path for path in shipped() if path.suffix in (".pkl", ".pickle")]
    for path in AGENT.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].size for name in arrays)


def test_its_score_is_that_of_its_returns_and_stands_in_the_docs():
    score = evaluation()
    returns = np.array([track["return"] for track in score["returns"]])
    assert (returns.mean(), returns.std()) == pytest.approx((score["mean"], score["std"]))
    assert [track["seed"] for track in score["returns"]] == [2**32 + i for i in range(100)]
    assert f"{score['mean']:.1f} ± {score['std']:.1f}" in RESULTS


def test_it_was_chosen_on_other_tracks_than_it_is_reported_on():
    best = json.loads((AGENT / "controller" / "best.json").read_text())
    evaluated = {
        line["step"]: line["eval_mean"]
        for line in read_log(AGENT / "controller" / "log.jsonl")
        if "eval_mean" in line
    }
    assert best["generation"] == max(evaluated, key=evaluated.get)
    assert best["eval_mean"] == evaluated[best["generation"]]
    tracks = [
        derive_seed(0, Purpose.EVALUATION, best["generation"], episode)
        for episode in range(int(best["eval_episodes"]))
    ]
    assert max(tracks) < min(track["seed"] for track in evaluation()["returns"])


def test_c_goes_on_with_the_command_in_the_docs():
    (command,) = re.findall(r"`mpirun [^`]*(one_pass --run pretrained [^`]*)`", RESULTS)
    config = parse_cli(command.split())
    recorded = json.loads((AGENT / "config.json").read_text())["train_controller"]
    assert not differing(recorded, records.identity(config, "train_controller"), STEPS)
    assert config.controller.generations > recorded[STEPS]
    start = json.loads((AGENT / "controller" / "start.json").read_text())
    assert (len(start["parameters"]), start["agent"]) == (867, config.controller.start)


def test_its_page_can_be_drawn():
    run = read_run(records.load_config("pretrained"))
    assert all(run.records[name] for name in run.stages if name not in ("demo", "figures"))
    assert run.evaluation["episodes"] == 100 and run.rollout and run.events


@pytest.mark.parametrize("name", ["first", "third", "fourth"])
def test_a_search_before_is_kept_with_the_score_that_the_docs_have_of_it(name):
    score = json.loads((BEFORE / name / "evaluation" / "100_tracks_seed_0.json").read_text())
    returns = np.array([track["return"] for track in score["returns"]])
    assert (returns.mean(), returns.std()) == pytest.approx((score["mean"], score["std"]))
    assert f"{score['mean']:.1f} ± {score['std']:.1f}" in RESULTS


def test_each_search_starts_where_the_one_before_ended():
    names = ("first", "second", "third", "fourth")
    searches = [BEFORE / name / "controller" for name in names]
    logs = [read_log(search / "log.jsonl") for search in searches]
    before = [line["mean"] for log in logs for line in log]
    assert [line["mean"] for line in read_history(AGENT / "controller")][: len(before)] == before
    best, start = (
        [json.loads((search / name).read_text())["parameters"] for search in chosen]
        for name, chosen in (("best.json", searches[:2]), ("start.json", searches[1:3]))
    )
    np.testing.assert_array_equal(np.float32(start), np.float32(best))


@pytest.mark.parametrize(
    ("folder", "agent"), [(BEFORE / "fourth", "third"), (AGENT, "fourth")], ids=["second", "third"]
)
def test_a_round_starts_as_the_agent_before_acts(folder, agent):
    start = json.loads((folder / "controller" / "start.json").read_text())
    assert start["agent"] == f"checkpoints/laptop/{agent}"
    assert sorted(start["fit"]) == ["brake", "gas", "steer"]
    assert all(f"{start['fit'][name]:.0%} of its {name}" in RESULTS for name in start["fit"])


def test_its_log_and_whitening_lead_to_its_c(tmp_path):
    folder = AGENT / "controller"
    (command,) = re.findall(r"`mpirun [^`]*(one_pass --run pretrained [^`]*)`", RESULTS)
    config = parse_cli(command.split())
    parts, _ = load_agent(AGENT)
    best = json.loads((folder / "best.json").read_text())
    lines = (folder / "log.jsonl").read_text().splitlines()[: best["generation"]]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(lines) + "\n")
    es = resume(config, read_search_start(config, parts), log)
    assert es.generation == best["generation"]
    np.testing.assert_allclose(es.mean, best["parameters"], atol=1e-5)
