"""The script: the same bytes each time, a page that needs no other file, missing stages."""

import base64
import csv
import subprocess
import sys
from html.parser import HTMLParser

from replication import figures
from replication.config import PRESETS, UserError
<<<<<<< HEAD
from replication.report.catalogue import FIGURES
from replication.runs import folders, records
=======
from replication.report import drawings, plots
from replication.report.saved import read_run
from replication.runs import files, folders, records
>>>>>>> 663fd98edc79b0c5827737960a8d9b395e61dcab

import numpy as np
import pytest
from saved_run import CONFIG, RETURNS, RNN_LOG, write_log, write_stage


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


<<<<<<< HEAD
=======
def test_parameters_are_those_of_the_weights_beside_the_published(run):
    (axes,) = drawings.draw_parameters([run])[0].axes
    cells = axes.tables[0].get_celld()
    rows = [[cells[row, column].get_text().get_text() for column in range(3)] for row in range(4)]
    assert rows[1:] == [
        ["V", "4,348,547", "4,348,547"],
        ["M", "422,368", "422,368"],
        ["C", "867", "867"],
    ]


def test_vae_terms_hold_the_log_and_the_floor(run):
    recon, kl = drawings.draw_vae_terms([run])[0].axes
    assert curves(recon)["mine: training"] == points(VAE_LOG, "recon")
    assert curves(recon)["mine: held-out"] == points(VAE_LOG, "held_out_recon")
    assert curves(kl)["mine: training"] == points(VAE_LOG, "kl")
    assert curves(kl)["mine: held-out"] == points(VAE_LOG, "held_out_kl")
    assert curves(kl)["floor: free bits, 16 nats"][0][1] == 16


def test_vae_loss_is_logarithmic_with_a_line_each_epoch(run):
    (axes,) = drawings.draw_vae_loss([run])[0].axes
    assert axes.get_yscale() == "log"
    assert curves(axes)["mine: training"] == points(VAE_LOG, "loss")
    ends = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]
    assert ends == [200, 400, 600]


@pytest.mark.parametrize(("recon", "kl", "expected"), [(0.5, 0.5, 40), (1, 1, 80), (1, 0.5, None)])
def test_vae_reference_is_drawn_on_the_scale_of_our_weights(run, recon, kl, expected):
    run.settings.update({"vae.recon_weight": recon, "vae.kl_weight": kl})
    (axes,) = drawings.draw_vae_loss([run])[0].axes
    drawn = [line.get_ydata()[0] for line in axes.lines if "2021" in str(line.get_label())]
    assert drawn == ([] if expected is None else [expected])


def test_frames_stand_above_their_reconstructions(run):
    axes = drawings.draw_reconstructions([run])[0].axes
    shown = np.stack([each.images[0].get_array() for each in axes])
    np.testing.assert_array_equal(shown[:4], run.samples["obs"])
    np.testing.assert_array_equal(shown[4:], run.samples["recon"])
    assert axes[2].get_title() == "curve\nwith kerb"


def test_rnn_loss_holds_the_log_and_the_baseline(run):
    (axes,) = drawings.draw_rnn_loss([run])[0].axes
    drawn = curves(axes)
    assert drawn["mine: training"] == points(RNN_LOG, "nll")
    assert drawn["mine: held-out"] == points(RNN_LOG, "held_out_nll")
    assert drawn["mine: without M, z' ~ N(z, s)"] == points(RNN_LOG, "baseline_nll")


def test_controller_holds_the_log_and_both_reference_curves(run):
    left, right = drawings.draw_controller([run])[0].axes
    assert curves(left)["mine: mean of the population"] == points(CONTROLLER_LOG, "mean")
    hours = [point[0] for point in curves(right)["mine: mean of the population"]]
    assert hours == pytest.approx([line["seconds"] * 2 / 3600 for line in CONTROLLER_LOG])
    original = curves(left)["original: mean of the population"]
    assert original[0] == [1, -54.6] and original[-1] == [1800, 890.38]
    assert curves(right)["original: mean of the population"][-1][0] == 4027120 * 64 / 3600
    assert curves(left)["Wellmer: evaluations"][-1] == [200, 885.5]
    (star,) = (xy for label, xy in curves(right).items() if "2021 report" in label)
    assert star == [[188, 273]]


def test_controller_counts_the_generations_of_the_agent_it_started_from(run):
    own = run.logs["train_controller"]
    earlier = [{key: line[key] for key in line if key != "returns"} for line in own]
    folder = folders.stage_folder(CONFIG, "train_controller")
    files.write_json(folder / "start.json", {"log": earlier})
    later = read_run(CONFIG)
    first, then = (drawings.draw_controller([each])[1] for each in (run, later))
    assert "its own started from" not in first and "Its first 11 generations" in first
    assert f"The first {len(own)} are of the searches" in then
    assert "Its own first 11 generations" in then
    assert later.spent("train_controller")[0] == 2 * run.spent("train_controller")[0]


def test_controller_says_which_generations_were_short(run):
    assert (
        "first 11 generations drove episodes of at most 300" in drawings.draw_controller([run])[1]
    )
    run.settings["controller.short"] = 0
    assert "300 frames" not in drawings.draw_controller([run])[1]


def test_settings_of_stages_that_cannot_be_resumed_are_known_too(run):
    assert (run.settings["evaluate.episodes"], run.settings["events.episodes"]) == (10, 8)


def test_controller_band_and_evaluations(run):
    left, _ = drawings.draw_controller([run])[0].axes
    (band,) = (each for each in left.collections if "mine: worst" in each.get_label())
    x, y = band.get_paths()[0].vertices.T
    assert (x.max(), y.min(), y.max()) == (12, -58, 360)
    (dots,) = (each for each in left.containers if "mine: evaluations" in each.get_label())
    assert dots[0].get_xydata().tolist() == [[6, 132], [12, 264]]


def test_core_hours_follow_the_number_of_processes():
    log = [{"seconds": 3600, "processes": 2}, {"seconds": 7200, "processes": 16}]
    assert plots.core_hours(log).tolist() == [2, 18]


def test_times_of_each_stage_beside_the_report(run):
    (axes,) = drawings.draw_times([run])[0].axes
    drawn = curves(axes)
    ours = [61 * 2, 90, 90, 90, 180 * 2, 90 * 2, 90, 90]  # seconds x processes
    expected = [seconds / 3600 for seconds in [*ours, sum(ours)]]
    assert [x for x, _ in drawn["ours"]] == pytest.approx(expected)
    assert [x for x, _ in drawn["2021 report"]] == [60, 10, 188, 258]
    assert "3 min 00 s × 2 = 0.1 core-hours" in [text.get_text() for text in axes.texts]


def test_histogram_counts_every_return_of_the_largest_evaluation(run):
    left, right = drawings.draw_scores([run])[0].axes
    (bars,) = left.containers
    counts = {bar.get_x(): bar.get_height() for bar in bars}
    assert counts == {
        first: sum(first <= value < first + 50 for value in RETURNS)
        for first in range(150, 450, 50)
    }
    mean, std = np.mean(RETURNS), np.std(RETURNS)
    assert curves(left)[f"mine: {mean:.1f} ± {std:.1f}"][0][0] == mean
    labels = [label.get_text() for label in right.get_yticklabels()]
    assert labels[6] == "World Models, full: 906 ± 21" and labels[-1].startswith("Ours, run mine")


def test_an_evaluation_of_another_c_is_not_the_runs(run):
    folder = folders.run_folder("mine")
    files.write_json(folder / "controller" / "best.json", {"parameters": [1.0, 2.0]})
    path = folder / "evaluation" / "16_tracks_seed_0.json"
    score = files.read_json(path)
    for parameters, expected in (([1.0, 2.0], 16), ([1.0, 3.0], 1)):
        files.write_json(path, score | {"controller": files.controller_fingerprint(parameters)})
        assert read_run(CONFIG).evaluation["episodes"] == expected


def test_records_of_what_an_earlier_c_did_are_left_out(run):
    assert all(run.records[name] for name in ("evaluate", "dream", "events"))
    write_stage("train_controller", output="another C's")
    later = read_run(CONFIG).records
    assert not any(later[name] for name in ("evaluate", "dream", "events"))
    assert later["train_rnn"] == run.records["train_rnn"]


def test_another_run_is_laid_over(run):
    config = dataclasses.replace(CONFIG, run="other")
    other = dataclasses.replace(run, config=config, logs={"train_rnn": RNN_LOG[:5]})
    (axes,) = drawings.draw_rnn_loss([run, other])[0].axes
    assert curves(axes)["mine: training"] == points(RNN_LOG, "nll")
    assert curves(axes)["other: training"] == points(RNN_LOG[:5], "nll")


>>>>>>> 663fd98edc79b0c5827737960a8d9b395e61dcab
def test_rebuilding_gives_the_same_bytes(built, monkeypatch):
    before = files_of(built)
    monkeypatch.setattr(folders, "HOME", built.parents[1])
    figures.main(CONFIG, ["gan"])
    assert len(before) == 2 * len(FIGURES) + 1
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
    assert "python replication/evaluate.py --agent checkpoints/mine" in text
    assert "python replication/dream.py --run mine" in text
    assert "at step 30, not finished: python replication/train_rnn.py" in text
    assert not (folder / "figures" / "done.json").exists()


def test_unknown_runs_are_named(home):
    with pytest.raises(UserError, match="checkpoints/mine is missing: run python replication/"):
        figures.main(CONFIG)
    assert not (home / "checkpoints").exists()


def test_command_line():
    config = figures.parse(["laptop", "--run", "mine", "--compare", "quick", "other"])
    assert (config.run, config.compare) == ("mine", ("quick", "other"))
    assert config.controller == PRESETS["laptop"].controller
    with pytest.raises(UserError, match="unknown preset"):
        figures.parse(["fast"])


def test_no_network_library_is_loaded():
    code = "import sys, replication.figures; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
