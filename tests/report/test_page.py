"""The report page: its tables, what is escaped, and what is left out."""

import dataclasses
import shutil

from replication.report.figures_run import draw_times
from replication.report.page import Page, PageFigure, Table, render
from replication.report.page_content import settings_table, stage_table
from replication.report.run_record import read_run
from replication.report.stage_rows import runs_behind
from replication.runs import files, folders

import pytest
from saved_run import CONFIG

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (300).to_bytes(4) + (200).to_bytes(4)


@pytest.mark.parametrize(
    ("preset", "marked"), [("paper", []), ("quick", []), ("quick", ["rnn.epochs"])]
)
def test_settings_stand_beside_those_of_the_paper_and_of_the_preset(run, preset, marked):
    run = dataclasses.replace(
        run,
        config=dataclasses.replace(run.config, preset=preset),
        settings=run.settings | ({"rnn.epochs": 7} if marked else {}),
    )
    table, note = settings_table(run)
    presets = ["preset quick", "preset paper"] if preset == "quick" else ["preset paper"]
    assert table.header == ("setting", "this run", *presets)
    assert [table.rows[number][0] for number in table.marked] == marked
    assert len(table.rows) > 10 and all(len(row) == len(table.header) for row in table.rows)
    assert note == ("The marked ones (1) are not those of the preset either." if marked else "")


def test_stages_of_the_runs_before_are_counted_once(run):
    """C began as `first`'s, whose V is its own and whose rollouts are this run's."""
    folder = folders.run_folder("first")
    shutil.copytree(folders.run_folder(CONFIG.run), folder)
    done = files.read_json(folder / "vae" / "done.json")
    files.write_json(folder / "vae" / "done.json", done | {"output": "another", "seconds": 360.0})
    assert runs_behind(read_run(CONFIG)) == []
    alone = stage_table(read_run(CONFIG))
    path = folders.run_folder(CONFIG.run) / "config.json"
    recorded = files.read_json(path)
    recorded["train_controller"]["controller.start"] = "checkpoints/first"
    files.write_json(path, recorded)
    table = stage_table(read_run(CONFIG))
    assert table.rows[0][:2] == ("first: train_vae", "6 min 00 s")
    assert table.rows[1:-1] == alone.rows[:-1]
    hours = [float(rows[-1][3]) for rows in (alone.rows, table.rows)]
    assert hours[1] == pytest.approx(hours[0] + 0.1, abs=1e-3)
    drawing = draw_times([read_run(CONFIG)])  # figure 15 has the same rows, but for what is not run
    labels = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert labels == [cells[0] for cells in table.rows if cells[1] != "–"]
    assert "the stages of first, which C goes back to, come first" in drawing.caption


def test_runs_that_started_from_each_other_are_followed_once(run):
    """As after --overwrite."""
    path = folders.run_folder(CONFIG.run) / "config.json"
    recorded = files.read_json(path)
    recorded["train_controller"]["controller.start"] = "checkpoints/mine"
    files.write_json(path, recorded)
    assert runs_behind(read_run(CONFIG)) == []
    recorded["train_controller"]["controller.start"] = "checkpoints/gone"
    files.write_json(path, recorded)
    assert runs_behind(read_run(CONFIG)) == []


def test_rounds_of_a_run_that_is_gone_are_counted_from_what_start_json_keeps(run):
    rounds = [{"step": 1, "seconds": 1800.0, "processes": 2, "mean": 300.0}]
    later = dataclasses.replace(run, rounds_before=rounds)
    before, after = (stage_table(each).rows for each in (run, later))
    assert after[0][:4] == ("rounds of a run that is not here", "30 min 00 s", "2", "1")
    assert after[1:-1] == before[:-1]
    assert float(after[-1][3]) == pytest.approx(1 + float(before[-1][3]), abs=0.01)
    assert "rounds of a run that is not here: 30 min" in draw_times([later]).alt


def test_the_agent_of_the_run_before_is_the_presets(run):
    config = dataclasses.replace(run.config, preset="laptop", run="mine")
    run = dataclasses.replace(
        run, config=config, settings={"controller.start": "checkpoints/mine_2"}
    )
    table, _ = settings_table(run)
    assert table.rows == [("controller.start", *["checkpoints/mine_2"] * 2, "zero")]
    assert table.marked == []


def make(**parts) -> str:
    """A page with these parts, and of the rest as little as can be."""
    empty = Table(("a",), [])
    page = Page("T", "I", empty, None, "", [], None, empty, "")
    return render(dataclasses.replace(page, **parts))


def test_text_is_escaped_everywhere():
    text = '<b>&"'
    table = Table((text,), [(text,)])
    figure = PageFigure("name", text, [text], text, text, PNG)
    missing = PageFigure("other", text, [text])
    html = make(
        title=text, introduction=text, stages=table, settings=table, settings_note=text,
        figures=[figure, missing], tests=table, scores=table, score_missing=text,
    )  # fmt: skip
    assert text not in html and "<b>" not in html
    assert html.count("&lt;b&gt;&amp;&#34;") == 19


def test_a_table_has_marked_rows_numbers_and_paths_that_can_wrap():
    rows = [("1,234.5", "3 min 20 s"), ("1.5e-05", "checkpoints/mine"), ("–", "2 of 3")]
    html = make(scores=Table(("one", "two"), rows, [1]))
    assert '<tr><td class="number">1,234.5</td><td class="number">3 min 20 s</td></tr>' in html
    marked = '<tr class="ours"><td class="number">1.5e-05</td><td>checkpoints/<wbr>mine</td></tr>'
    assert marked in html
    assert "<tr><td>–</td><td>2 of 3</td></tr>" in html


def test_a_figure_has_its_width_and_commands_or_waits_for_them():
    html = make(figures=[PageFigure("drawn", "D", ["a b", "c"], "Caption.", "Alt.", PNG)])
    assert f'width="{300 * 96 // 150}" alt="Alt."' in html
    caption = "<figcaption>Caption. Made by <code>a b</code>, then <code>c</code>.</figcaption>"
    assert caption in html
    html = make(figures=[PageFigure("missing", "M", ["a b"])])
    assert '<p class="missing">Not there yet. Run <code>a b</code>.</p>' in html


def test_what_is_empty_is_left_out():
    html = make()
    assert "figure 8" not in html and 'missing">' not in html and html.count("<p>") == 1
    assert html.count("<table>") == 2


def test_the_article_is_linked_where_there_is_one():
    assert '<a href="demo.html">' in make(article="demo.html")
    assert "<a " not in make()
