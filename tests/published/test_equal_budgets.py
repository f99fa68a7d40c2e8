"""C on the VAE and on the VAE-GAN with the same budget: what is kept of both runs, small."""

import shutil
import subprocess
from pathlib import Path

from replication import figures
from replication.report.run_record import Run, read_run
from replication.runs.records import load_config

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("laptop/vae_40", "laptop/vaegan_40")
KEPT = {name: ROOT / "checkpoints" / name for name in NAMES}


def run_of(name: str) -> Run:
    return read_run(load_config(name))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_holds_no_weights(name):
    listed = subprocess.check_output(["git", "-C", str(KEPT[name]), "ls-files"], text=True)
    kept = [KEPT[name] / line for line in listed.splitlines()]
    assert sum(path.stat().st_size for path in kept) < 3e6
    assert {"config.json", "versions.json"} <= {path.name for path in kept}
    assert not [path for path in kept if path.suffix in (".h5", ".pkl", ".mp4", ".gif")]


def test_m_and_c_had_the_same_budget_and_the_same_tracks():
    vae, vaegan = (run_of(name) for name in NAMES)
    for section in ("extract.", "rnn.", "controller.", "env."):
        ours = [
            {key: value for key, value in run.settings.items() if key.startswith(section)}
            for run in (vae, vaegan)
        ]
        assert ours[0] == ours[1] and ours[0]
    assert len(vae.logs["train_controller"]) == len(vaegan.logs["train_controller"]) == 40
    tracks = [[track["seed"] for track in run.evaluation["returns"]] for run in (vae, vaegan)]
    assert tracks[0] == tracks[1] == [2**32 + i for i in range(100)]


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_say_what_the_evaluation_says(name):
    run, docs = run_of(name), ROOT / "docs"
    returns = [track["return"] for track in run.evaluation["returns"]]
    assert run.evaluation["mean"] == pytest.approx(sum(returns) / len(returns))
    score = f"{run.evaluation['mean']:.1f} ± {run.evaluation['std']:.1f}"
    assert score in (docs / "results.md").read_text()
    evaluated = [line for line in run.logs["train_controller"] if "eval_mean" in line]
    last = f"{evaluated[-1]['eval_mean']:.1f} ± {evaluated[-1]['eval_std']:.1f}"
    assert last in (docs / "tuning.md").read_text()


def test_the_page_of_the_vaegan_has_the_vae_beside_it(home):
    for name in NAMES:
        for part in ("checkpoints", "data"):
            shutil.copytree(ROOT / part / name, home / part / name)
    figures.main(load_config(NAMES[1]), NAMES[:1])
    text = (home / "checkpoints" / NAMES[1] / "report.html").read_text()
    assert "VAE, reconstructed" in text and "VAE-GAN, reconstructed" in text
    assert "Figure 11: the VAE" in text and "Figure 18" in text
