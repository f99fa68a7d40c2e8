"""The report's schedule, run again: its logs and figures are kept, small, without weights."""

import shutil
import subprocess
from pathlib import Path

from replication import figures
from replication.presets import PRESETS
from replication.report.run_record import read_run
from replication.runs.records import load_config

ROOT = Path(__file__).resolve().parents[2]
NAME = "report/two_cores"
RUN = ROOT / "checkpoints" / NAME


def test_it_is_small_and_holds_no_weights():
    listed = subprocess.check_output(["git", "-C", str(RUN), "ls-files"], text=True)
    kept = [RUN / name for name in listed.splitlines()]
    assert len([path for path in kept if path.suffix == ".png"]) >= 13
    assert sum(path.stat().st_size for path in kept) < 5e6
    assert not [path for path in kept if path.suffix in (".h5", ".pkl", ".mp4")]
    assert not (RUN / "controller" / "best.json").exists()


def test_v_had_the_reports_schedule():
    settings, vae = read_run(load_config(NAME)).settings, PRESETS["report"].vae
    assert (vae.epochs, vae.iterations, vae.recon_weight, vae.kl_weight) == (9, 1000, 0.5, 0.5)
    for name in ("epochs", "iterations", "batch_size", "recon_weight", "kl_weight"):
        assert settings[f"vae.{name}"] == getattr(vae, name)


def test_the_docs_say_what_the_logs_say():
    page = (ROOT / "docs" / "report-2021.md").read_text()
    run = read_run(load_config(NAME))
    vae, rnn = run.logs["train_vae"][-1], run.logs["train_rnn"][-1]
    evaluated = [line for line in run.logs["train_controller"] if "eval_mean" in line]
    assert f"{vae['loss']:.1f} after 9,000 batches" in page
    assert f"{rnn['held_out_nll']:.3f} held-out" in page
    for line in evaluated:
        assert f"{line['eval_mean']:.1f} ± {line['eval_std']:.1f}" in page
    score = f"{run.evaluation['mean']:.1f} ± {run.evaluation['std']:.1f}"
    assert score in (ROOT / "docs" / "results.md").read_text()


def test_its_page_is_drawn_from_what_is_kept(home):
    for part in ("checkpoints", "data"):
        shutil.copytree(ROOT / part / "report", home / part / "report")
    figures.main(load_config(NAME))
    text = (home / "checkpoints" / NAME / "report.html").read_text()
    assert "preset report" in text and "not those of the preset either" in text
    assert text.count("not run:") == 1 and "demo.py" in text.partition("not run:")[2][:60]
