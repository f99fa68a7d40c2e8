"""Take Cover's figures hold what the run saved, and stand on its page alone."""

import dataclasses

from replication import figures
from replication.presets import PRESETS
from replication.report import published
from replication.report.figures_doom import (
    draw_dream_and_game,
    draw_gate,
    draw_returns,
    draw_temperatures,
)
from replication.report.figures_run import draw_parameters
from replication.report.figures_v import draw_vae_loss
from replication.report.run_record import read_run

import numpy as np
import pytest
from saved_run import CONTROLLER_LOG

GATE = {
    "temperature": 1.15,
    "ends": {
        "loss": 0.0321, "deaths": 9, "found": 7, "steps": 2700, "alarms": 5, "early": 3,
        "approach": np.linspace(0, 0.8, 31).tolist(),
    },
    "lives": {
        "stay": {"game": [100.0, 200.0], "dream": [120.0, 220.0]},
        "original": {"game": [300.0, 310.0], "dream": [1100.0, 1200.0]},
    },
    "wrong": ["original: 1150 in the dream, 305 in the game"],
}  # fmt: skip
EVALUATION = {
    "mean": 800.0, "std": 300.0, "min": 90.0, "max": 2100.0, "episodes": 3,
    "returns": [{"return": 90.0}, {"return": 210.0}, {"return": 2100.0}],
    "controls": {"stay": {"mean": 151.0, "std": 49.0}, "sweep": {"mean": 547.0, "std": 313.0}},
    "path": "x.json",
}  # fmt: skip


@pytest.fixture
def doom(run):
    """The made-up run, as if it were one of Take Cover's."""
    log = [
        line | ({"game_mean": 500.0, "game_std": 200.0, "game_episodes": 8} if at == 11 else {})
        for at, line in enumerate(CONTROLLER_LOG)
    ]
    config = dataclasses.replace(PRESETS["doom"], run="mine")
    settings = run.settings | {"controller.world": "dream", "controller.judge": "dream"}
    settings |= {"dream.temperature": 1.15}
    return dataclasses.replace(
        run, config=config, settings=settings, gate=GATE, evaluation=EVALUATION,
        logs=run.logs | {"train_controller": log},
    )  # fmt: skip


def labels(drawing, panel: int = 0) -> list[str]:
    return drawing.figure.axes[panel].get_legend_handles_labels()[1]


def test_the_gate_shows_lives_and_says_what_is_wrong(doom):
    drawing = draw_gate([doom])
    left, right = drawing.figure.axes
    game, dream = (container.lines[0].get_xdata().tolist() for container in left.containers)
    assert (game, dream) == ([150, 305], [170, 1150])
    assert [text.get_text() for text in left.get_yticklabels()] == ["stay", "recordings'"]
    assert right.lines[0].get_xdata()[[0, -1]].tolist() == [-30, 0]
    assert "7 of 9 ends, with 5 alarms in 2,700 other steps" in drawing.caption
    assert "Not fit: original: 1150 in the dream" in drawing.caption
    fit = dataclasses.replace(doom, gate=GATE | {"wrong": []})
    assert "The dream is fit" in draw_gate([fit]).caption
    assert draw_gate([dataclasses.replace(doom, gate={})]) is None


def test_dream_and_game_stand_beside_the_original(doom):
    drawing = draw_dream_and_game([doom])
    (axes,) = drawing.figure.axes
    assert "mine: evaluations in the dream ± std" in labels(drawing)
    assert "mine: in the game, not used ± std" in labels(drawing)
    original = axes.lines[0].get_ydata()
    assert (original[0], original[-1]) == (305.45, 897.0)
    assert "500 ± 200 over 8 episodes; no choice depends on games" in drawing.caption
    without = dataclasses.replace(doom, logs=doom.logs | {"train_controller": CONTROLLER_LOG})
    assert "mine: in the game, not used ± std" not in labels(draw_dream_and_game([without]))


def test_a_search_in_the_game_is_not_called_a_dream(doom):
    real = {"controller.world": "real", "controller.judge": "real"}
    drawing = draw_dream_and_game([dataclasses.replace(doom, settings=doom.settings | real)])
    assert drawing.caption.startswith("C's returns in the game over")
    assert {"mine: mean of the population, in the game", "mine: evaluations in the game ± std"} <= {
        *labels(drawing)
    }


def test_searches_that_a_run_of_rounds_is_compared_with_stand_beside_the_original(doom):
    rounds = dataclasses.replace(doom, logs=doom.logs | {"train_controller": []})
    assert draw_dream_and_game([rounds]) is None
    drawing = draw_dream_and_game([rounds, doom])
    assert "mine: evaluations in the dream ± std" in labels(drawing)
    assert "500 ± 200 over 8 episodes" in drawing.caption


def test_the_table_of_temperatures_has_a_row_for_each_run_with_both_scores(doom):
    cold = dataclasses.replace(doom, settings=doom.settings | {"dream.temperature": 0.5})
    unfinished = dataclasses.replace(doom, evaluation={})
    drawing = draw_temperatures([doom, cold, unfinished])
    dream, game = drawing.figure.axes
    ours = dream.containers[1].lines[0]
    np.testing.assert_allclose(np.float64(ours.get_xdata()), [1.162, 0.512])
    assert ours.get_ydata().tolist() == [264.0, 264.0]
    assert game.containers[1].lines[0].get_ydata().tolist() == [800, 800]
    paper = dict(zip(*map(np.ndarray.tolist, dream.containers[0].lines[0].get_data()), strict=True))
    assert paper[1.15 - 0.012] == 918
    assert draw_temperatures([unfinished]) is None


def test_returns_stand_beside_policies_that_do_not_look(doom):
    drawing = draw_returns([doom])
    assert {"stay, blind: 151", "sweep, blind: 547", "paper: 1092 ± 556"} < set(labels(drawing))
    assert "sweep 547.0 ± 313.0" in drawing.caption
    counts = [patch.get_height() for patch in drawing.figure.axes[0].patches]
    assert sum(counts) == 3


def test_parameters_are_beside_those_of_the_game(doom):
    assert "4,446,915" in draw_parameters([doom]).alt
    assert "1,088" in draw_parameters([doom]).caption


def test_the_reports_losses_are_not_of_this_game(doom, run):
    assert "report" in draw_vae_loss([run]).caption
    assert "report" not in draw_vae_loss([doom]).caption


def test_figures_are_of_their_game(doom, run):
    names = {entry.name for entry in figures.figures_of([doom])}
    cars = {entry.name for entry in figures.figures_of([run])}
    assert {"gate", "dream_and_game", "temperatures", "returns"} == names - cars
    assert {"figure_14_controller", "paper_scores"} == cars - names


def test_the_table_is_the_papers():
    row = next(row for row in published.doom_temperatures() if row["temperature"] == 1.15)
    assert (row["dream_mean"], row["real_mean"], row["real_std"]) == (918, 1092, 556)


def test_a_run_has_its_gate(run, home):
    from replication.runs import files, folders

    import saved_run

    folder = folders.run_folder("mine") / "gate"
    folder.mkdir(parents=True)
    files.write_json(folder / "gate.json", GATE)
    assert read_run(saved_run.CONFIG).gate == GATE
