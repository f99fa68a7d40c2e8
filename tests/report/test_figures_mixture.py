"""Figure 8 holds the weights, events, shares and dreams that were saved, each in its place."""

import dataclasses

from replication.report import figures_mixture
from replication.report.page_content import table_of_tests

import numpy as np


def test_weights_and_events_stand_over_the_same_steps(run):
    figure, caption, alt = figures_mixture.draw_weights([run])
    frames, one, mean, below = figure.axes
    events = run.events
    assert [image.get_extent()[0] for image in frames.images] == [60, 70, 80]
    np.testing.assert_array_equal([image.get_array() for image in frames.images], events["frames"])
    for axes, weights in ((one, events["weights"]), (mean, events["mean_weights"])):
        assert [line.get_label() for line in axes.lines] == [f"component {k}" for k in range(1, 6)]
        drawn = np.stack([line.get_ydata() for line in axes.lines], axis=1)
        np.testing.assert_array_equal(drawn, weights)
        assert axes.lines[0].get_xdata().tolist() == list(range(60, 90))
    assert len({(line.get_color(), str(line.get_linestyle())) for line in one.lines}) == 5
    bars = [path.get_extents() for area in below.collections for path in area.get_paths()]
    assert [(bar.x0, bar.x1) for bar in bars] == [(60 + 5 * e, 65 + 5 * e) for e in range(6)]
    assert [label.get_text() for label in below.get_yticklabels()] == list(events["names"])
    assert "z 7: on average 0.070 of the weight moves" in caption and "what kerb means" in caption
    assert "standing" in alt


def test_the_captions_are_of_the_runs_game(run):
    doom = dataclasses.replace(run, config=dataclasses.replace(run.config, task="take_cover"))
    for other, second, road in ((run, "50", True), (doom, "35", False)):
        figure, caption, _ = figures_mixture.draw_weights([other])
        assert figure.axes[-1].get_xlabel() == f"step of the episode ({second} a second)"
        assert f"{second} steps a second" in caption and ("events of the road" in caption) == road
        forced = figures_mixture.draw_forced([other]).figure
        assert forced.get_supxlabel() == f"step of the episode ({second} a second)"


def test_every_episode_is_a_dot_and_what_is_significant_has_a_star(run):
    figure, caption, alt = figures_mixture.draw_events([run])
    assert len(figure.axes) == 6
    left = figure.axes[1]
    dots = [line.get_xdata() for line in left.lines if line.get_marker() == "o"]
    drawn = np.stack(dots).reshape(2, 5, 3)  # during and otherwise, K, N
    np.testing.assert_array_equal(drawn[0].T, run.events["during"][:, 1])
    np.testing.assert_array_equal(drawn[1].T, run.events["otherwise"][:, 1])
    stars = [(axes.get_title().split()[0], text.get_position()[1]) for axes in figure.axes
             for text in axes.texts]  # fmt: skip
    assert stars == [("left", 1)]  # component 2
    assert figure.axes[5].get_title() == "standing\n0 against 3 episodes"
    assert "Too seldom to be tested: standing" in caption and "2 in left" in alt


def test_the_table_of_tests_is_on_the_page(run):
    table = table_of_tests(run.tests)
    assert table.header[:3] == ["event", "component", "episodes during"]
    assert len(table.rows) == 30 and table.marked == [6]
    assert table.rows[6][:2] == ["left", "2"] and table.rows[6][-1] == "0.01"
    assert table.rows[25][-3:] == ["–", "–", "–"]  # standing: no episode has it
    assert table_of_tests([]) is None


def test_forced_dreams_stand_under_the_game(run):
    figure, caption, _ = figures_mixture.draw_forced([run])
    shown = np.stack([axes.images[0].get_array() for axes in figure.axes])
    rows = np.concatenate([run.events["frames"], *run.events["forced"]])
    np.testing.assert_array_equal(shown, rows)
    labels = [axes.get_ylabel().replace("\n", " ") for axes in figure.axes[::3]]
    assert labels[:3] == ["the game", "dream of the mixture", "component 1 alone"]
    assert [axes.get_xlabel() for axes in figure.axes[-3:]] == ["60", "70", "80"]
    assert "dream.py --run mine --component 2" in caption


def test_what_was_not_saved_is_not_drawn(run):
    empty = dataclasses.replace(run, events={}, tests=[])
    for draw in ("draw_weights", "draw_events", "draw_forced"):
        assert getattr(figures_mixture, draw)([empty]) is None
    assert run.commands("events") == ["python replication/events.py quick --run mine"]
