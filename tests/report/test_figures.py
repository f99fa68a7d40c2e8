"""The script: the same bytes each time, a page that needs no other file, missing stages."""

import base64
import csv
import subprocess
import sys
from html.parser import HTMLParser

from replication import figures
from replication.config import UserError
from replication.presets import PRESETS
from replication.report.catalogue import FIGURES
from replication.runs import folders, records

import numpy as np
import pytest
from saved_run import CONFIG, RETURNS, RNN_LOG, write_log, write_stage

ALL = [e for e in FIGURES if not e.only and e.stage != "rounds"]  # of a car without rounds


def files_of(folder) -> dict[str, bytes]:
    paths = [*sorted((folder / "figures").glob("*.p*")), folder / "report.html"]
    return {path.name: path.read_bytes() for path in paths}


class Page(HTMLParser):
    """The page as a browser reads it: addresses, images, cells of tables."""

    def __init__(self, text: str):
        super().__init__()
        self.addresses, self.images, self.cells = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.addresses += [attrs[name] for name in ("src", "href", "srcset") if name in attrs]
        if tag == "img":
            self.images.append(attrs)

    def handle_data(self, data):
        if self.lasttag == "td":
            self.cells.append(data)


def test_rebuilding_gives_the_same_bytes(built, monkeypatch):
    before = files_of(built)
    monkeypatch.setattr(folders, "HOME", built.parents[1])
    figures.main(CONFIG, ["gan"])
    assert len(before) == 2 * len(ALL) + 1
    assert files_of(built) == before
    assert not any(b"CreationDate" in data for data in before.values())
    assert records.done(CONFIG, "figures")["reached"].startswith("17 of 17 figures")


def test_page_holds_every_image_and_points_nowhere(built):
    text = (built / "report.html").read_text()
    page = Page(text)
    assert "://" not in text and "url(" not in text and "<script" not in text
    assert all(address.startswith("data:") for address in page.addresses)
    images = {base64.b64decode(image["src"].split(",")[1]) for image in page.images}
    assert images == {path.read_bytes() for path in (built / "figures").glob("*.png")}
    assert all(len(image["alt"]) > 20 for image in page.images)
    assert "906" in page.cells and "Ours, run mine" in page.cells and 'class="ours"' in text
    assert "controller.population" in page.cells  # 16 here, 64 in the paper


def test_scores_are_the_published_ones_and_ours(built):
    with open(built / "figures" / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[6]["who"] == "World Models, full" and rows[6]["mean_return"] == "906"
    assert rows[-1]["who"] == "Ours, run mine" and rows[-1]["episodes"] == "16"
    assert float(rows[-1]["mean_return"]) == pytest.approx(np.mean(RETURNS), abs=0.01)
    assert rows[-1]["source"] == "checkpoints/mine/evaluation/16_tracks_seed_0.json"


def test_missing_stages_are_left_out_and_named(home):
    write_stage("train_vae", parameters=4_348_547)  # its log is gone
    write_log("train_rnn", RNN_LOG[:3])  # under way
    folder = home / "checkpoints" / "mine"
    (folder / "figures").mkdir()
    (folder / "figures" / "figure_14_controller.png").write_bytes(b"of an earlier run")
    figures.main(CONFIG)
    drawn = sorted(path.stem for path in (folder / "figures").glob("*.png"))
    assert drawn == ["figure_09_parameters", "figure_13_rnn_loss", "figure_15_time"]
    text = (folder / "report.html").read_text().replace("<wbr>", "")
    for stage in ("extract", "train_controller"):
        assert f"python replication/{stage}.py quick --run mine" in text
    assert "python replication/evaluate.py --run mine" in text
    assert "python replication/dream.py --run mine" in text
    assert "at step 30, not finished: python replication/train_rnn.py" in text
    assert not (folder / "figures" / "done.json").exists()


def test_unknown_runs_are_named(home):
    with pytest.raises(UserError, match="checkpoints/mine is missing: run python replication/"):
        figures.main(CONFIG)
    assert not (home / "checkpoints").exists()


def test_command_line():
    config = figures.parse(["one_pass", "--run", "mine", "--compare", "quick", "other"])
    assert (config.run, config.compare) == ("mine", ("quick", "other"))
    assert config.controller == PRESETS["one_pass"].controller
    with pytest.raises(UserError, match="unknown preset"):
        figures.parse(["fast"])


def test_no_network_library_is_loaded():
    code = "import sys, replication.figures; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
