"""The figure of the rounds holds what the run logged, and is on the page of such runs alone."""

import dataclasses

from replication import figures
from replication.report.figures_c import draw_controller
from replication.report.figures_rounds import draw_rounds
from replication.report.page_content import introduction
from replication.report.run_record import read_run
from replication.runs import files, folders, records

import pytest
import saved_run
from saved_run import write_log

MEANS = [-20.0, 310.0, 295.0, 640.0, 210.0, 700.0]
LOG = [
    {
        "step": i + 1, "seconds": 90.0 * (i + 1), "dream": 4.0 + 3 * i, "mean": mean, "std": 80.0,
        "worst": mean - 150, "episodes": 16, "best": 0 if i == 4 else 2, "sigma": 0.08 - 0.01 * i,
        "means": [mean - 50, mean - 90, mean], "dreams": [2.0, 1.0, 4.0 + 3 * i],
        "explained": [0.99, 0.98, 0.97], "frames": 30_000, "dream_steps": 4_000_000, "processes": 2,
    }
    for i, mean in enumerate(MEANS)
]  # fmt: skip


@pytest.fixture
def rounded(run, home):
    """The made-up run, with six rounds of ten that were asked for."""
    write_log("rounds", LOG)
    path = folders.run_folder("mine") / "config.json"
    asked = dataclasses.replace(saved_run.CONFIG.rounds, count=10)
    config = dataclasses.replace(saved_run.CONFIG, rounds=asked)
    recorded = {"rounds": records.identity(config, "rounds")}
    files.write_json(path, files.read_json(path) | recorded)
    return read_run(saved_run.CONFIG)


def test_rounds_are_drawn_in_game_and_dream(rounded):
    drawing = draw_rounds([rounded])
    game, scatter, dream = drawing.figure.axes
    (dots,) = scatter.lines
    assert dots.get_xydata()[:4].tolist() == [[2, -70], [1, -110], [4, -20], [2, 260]]
    (curve,) = game.containers
    assert curve.lines[0].get_xydata().tolist() == [[i + 1, m] for i, m in enumerate(MEANS)]
    (segments,) = (bars.get_segments() for bars in curve.lines[2])
    assert segments[1][:, 1].tolist() == [310 - 20, 310 + 20]  # 80 / sqrt(16)
    assert dream.lines[0].get_ydata().tolist() == [4, 7, 10, 13, 16, 19]
    (crosses,) = [line for line in game.lines if "nothing better" in str(line.get_label())]
    assert crosses.get_xydata().tolist() == [[5, 210]]
    dots = next(line for line in game.lines if line.get_marker() == ".").get_xydata()
    assert dots[:4].tolist() == [[1, -70], [1, -110], [1, -20], [2, 260]]
    (top,) = game.child_axes
    assert [text.get_text() for text in top.get_xticklabels()][:2] == ["0.05", "0.1"]
    assert top.get_xticks().tolist() == [1, 2, 3, 4, 5, 6]
    for words in (
        "round of mine is 6: 700.0 ± 80.0",
        "began with: 5.",
        "0.3 core-hours",
        "Spearman's coefficient is 0.33 over all rounds, and 1.00 within a round",
        "180,000 frames",
    ):
        assert words in drawing.caption


def test_of_many_rounds_every_third_is_named(rounded):
    log = [LOG[1] | {"step": i, "seconds": 60.0 * i} for i in range(1, 21)]
    run = dataclasses.replace(rounded, logs=rounded.logs | {"rounds": log})
    drawing = draw_rounds([run])
    (top,) = drawing.figure.axes[0].child_axes
    assert top.get_xticks().tolist() == [3, 6, 9, 12, 15, 18]
    assert "Every round's search found a better C." in drawing.caption


def test_other_runs_stand_beside_it(rounded):
    other = dataclasses.replace(rounded, config=dataclasses.replace(rounded.config, run="other"))
    without = dataclasses.replace(other, logs=other.logs | {"rounds": []})
    assert len(draw_rounds([rounded, other]).figure.axes[1].lines) == 2
    assert len(draw_rounds([rounded, without]).figure.axes[1].lines) == 1
    assert draw_rounds([without, rounded]) is None


def names(runs) -> set[str]:
    return {entry.name for entry in figures.figures_of(runs)}


def test_a_c_that_rounds_have_made_has_no_search_of_its_own_to_show(rounded, run):
    settings = rounded.settings | {"controller.generations": 0}
    made = dataclasses.replace(
        rounded, settings=settings, logs=rounded.logs | {"train_controller": []}
    )
    assert names([rounded]) - names([made]) == {"figure_14_controller"}
    assert names([made, run]) == names([rounded])
    assert len(draw_controller([made, run]).figure.axes) == 2


def test_the_figure_is_of_runs_with_rounds_alone(rounded, run):
    with_rounds, without = (names([each]) for each in (rounded, run))
    assert with_rounds - without == {"rounds"} and not without - with_rounds
    assert rounded.config.rounds.count == 10
    assert "rounds" in rounded.stages and "rounds" not in run.stages


def test_the_page_has_the_figure_and_the_stage(rounded, home):
    figures.main(saved_run.CONFIG)
    folder = home / "checkpoints" / "mine"
    assert (folder / "figures" / "rounds.png").exists()
    text = (folder / "report.html").read_text().replace("<wbr>", "")
    command = "python replication/rounds.py quick --run mine --rounds.count 10"
    assert f"at step 6, not finished: {command}" in text
    assert "Rounds: what the dream promised" in text
    assert "Rounds of dreaming and driving: 10, each of 20 generations" in text


def test_of_a_run_whose_c_is_not_begun_the_page_says_nothing(rounded, home):
    """Though the rounds have recorded some of C's settings."""
    path = home / "checkpoints" / "mine" / "config.json"
    (path.parent / "controller" / "done.json").unlink()
    recorded = files.read_json(path)
    del recorded["train_controller"]
    files.write_json(path, recorded)
    text = introduction(read_run(saved_run.CONFIG))
    assert "C: mode" not in text and "Rounds of dreaming" in text
    assert "C: mode z_h" in introduction(rounded)
