"""Figure 14 holds C's log and the published curves; its caption names the special generations."""

import dataclasses

from replication.report.figures_c import draw_controller
from replication.report.run_record import read_run
from replication.report.style import OTHERS
from replication.runs import files, folders

import pytest
from saved_run import CONFIG, CONTROLLER_LOG, curves, points


def test_controller_holds_the_log_and_both_reference_curves(run):
    left, right = draw_controller([run])[0].axes
    assert curves(left)["mine (CarRacing-v3): mean of the population"] == points(
        CONTROLLER_LOG, "mean"
    )
    hours = [point[0] for point in curves(right)["mine (CarRacing-v3): mean of the population"]]
    assert hours == pytest.approx([line["seconds"] * 2 / 3600 for line in CONTROLLER_LOG])
    original = curves(left)["original (CarRacing-v0): mean of the population"]
    assert original[0] == [1, -54.6] and original[-1] == [1800, 890.38]
    assert (
        curves(right)["original (CarRacing-v0): mean of the population"][-1][0]
        == 4027120 * 64 / 3600
    )
    assert curves(left)["Wellmer (CarRacing-v0): evaluations"][-1] == [200, 885.5]
    (star,) = (xy for label, xy in curves(right).items() if "2021 report" in label)
    assert star == [[188, 273]]


def test_controller_counts_the_generations_of_the_agent_it_started_from(run):
    own = run.logs["train_controller"]
    earlier = [{key: line[key] for key in line if key != "returns"} for line in own]
    folder = folders.stage_folder(CONFIG, "train_controller")
    files.write_json(folder / "start.json", {"log": earlier})
    later = read_run(CONFIG)
    caption, later_caption = (draw_controller([record]).caption for record in (run, later))
    assert "started from" not in caption and "Its first 6 generations" in caption
    assert f"The first {len(own)} generations are those of the searches" in later_caption
    assert "Its own first 6 generations" in later_caption
    assert later.spent("train_controller")[0] == 2 * run.spent("train_controller")[0]


def test_controller_counts_the_rounds_before_the_search(run):
    """Three rounds of half an hour on two processes."""
    seconds = (1800.0, 3600.0, 5400.0)
    facts = {"processes": 2, "mean": 300.0}
    rounds = [{"step": i + 1, "seconds": s} | facts for i, s in enumerate(seconds)]
    files.write_json(folders.stage_folder(CONFIG, "train_controller") / "start.json", {
        "log": [], "rounds": rounds
    })  # fmt: skip
    later = read_run(CONFIG)
    right = draw_controller([later]).figure.axes[1]
    found = curves(right)
    assert found["mine (CarRacing-v3): rounds, best C in the game"] == [
        [1, 300], [2, 300], [3, 300]
    ]  # fmt: skip
    means = found["mine (CarRacing-v3): mean of the population"]
    hours = [3 + line["seconds"] * 2 / 3600 for line in CONTROLLER_LOG]
    assert [point[0] for point in means] == pytest.approx(hours)
    caption = draw_controller([later]).caption
    assert "3 rounds of dreaming and driving took 3 core-hours" in caption
    assert f"after {hours[-1]:.3g} core-hours" in caption
    assert "rounds" not in draw_controller([run]).caption


def test_a_run_without_a_search_leaves_its_colour_to_nobody(run):
    rounds = dataclasses.replace(run, logs=run.logs | {"train_controller": []})
    other = dataclasses.replace(run, config=dataclasses.replace(run.config, run="other"))
    drawing = draw_controller([rounds, other])
    label = "other (CarRacing-v3): mean of the population"
    (line,) = (line for line in drawing.figure.axes[0].lines if line.get_label() == label)
    assert line.get_color() == OTHERS[0]
    assert "This run has no search of C; other's, on CarRacing-v3, is at" in drawing.caption
    assert draw_controller([rounds]) is None


@pytest.mark.parametrize(("judge", "episodes"), [("dream", "dreams"), ("real", "fresh tracks")])
def test_a_search_in_dreams_is_not_called_one_on_tracks(run, judge, episodes):
    settings = {"controller.world": "dream", "controller.judge": judge}
    drawing = draw_controller([dataclasses.replace(run, settings=run.settings | settings)])
    assert "Ours, in dreams of CarRacing-v3, is at generation" in drawing.caption
    assert f"over 16 {episodes}, at generation" in drawing.caption
    where = "in dreams" if judge == "dream" else "on fresh tracks"
    labels = drawing.figure.axes[0].get_legend_handles_labels()[1]
    assert f"mine (dreams of CarRacing-v3): evaluations {where} ± std" in labels


def test_controller_says_which_generations_were_short(run):
    assert "first 6 generations drove episodes of at most 300" in draw_controller([run])[1]
    run.settings["controller.short"] = 0
    assert "300 frames" not in draw_controller([run])[1]


def test_controller_band_and_evaluations(run):
    left, _ = draw_controller([run])[0].axes
    (band,) = (
        area for area in left.collections if "mine (CarRacing-v3): worst" in area.get_label()
    )
    x, y = band.get_paths()[0].vertices.T
    assert (x.max(), y.min(), y.max()) == (12, -58, 360)
    (dots,) = (
        bars for bars in left.containers if "mine (CarRacing-v3): evaluations" in bars.get_label()
    )
    assert dots[0].get_xydata().tolist() == [[6, 132], [12, 264]]


@pytest.mark.parametrize("name", ["mine", "a_folder/with_a_rather_long_name_for_a_run"])
def test_a_legend_stays_within_its_figure(run, name):
    other = dataclasses.replace(run, config=dataclasses.replace(run.config, run=name))
    figure = draw_controller([run, other])[0]
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert 0 <= legend.x0 < legend.x1 <= figure.bbox.width


def test_every_curve_names_its_environment(run):
    config = dataclasses.replace(run.config, task="car_racing_v0")
    left, right = draw_controller([dataclasses.replace(run, config=config)]).figure.axes
    labels = [label for axes in (left, right) for label in axes.get_legend_handles_labels()[1]]
    assert len(labels) == 13 and all(" (CarRacing-v0): " in label for label in labels)
