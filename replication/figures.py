"""Stage 7: every figure beside the published numbers, and a page to read them on.

    python replication/figures.py quick --compare laptop

Reads what the other stages saved (logs, arrays, done.json), no model; also while they are still
running. Writes checkpoints/RUN/figures/: PNG and PDF of each figure, scores.csv; and
checkpoints/RUN/report.html, which holds everything and needs nothing. A stage that has not run
leaves its figures out, and the page says which command makes them.
"""

import dataclasses
import hashlib
import io
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.config import PRESETS, Config, parse_cli, parse_run
from replication.report import page, plots
from replication.report.drawings import FIGURES, our_scores, score_table
from replication.report.saved import Run, preset_of, read_run, write_table
from replication.rnn.dominance import LEVEL
from replication.runs import files, folders, records
from replication.runs.script import run_script
from replication.runs.stages import needs_of

from matplotlib.figure import Figure


@dataclass(frozen=True)
class FiguresConfig(Config):
    """A run to draw, and others to lay over it."""

    compare: tuple[str, ...] = ()  # Runs whose curves and scores are laid over. [ours]


def parse(argv: Sequence[str] | None = None) -> FiguresConfig:
    """`[PRESET] [--run NAME] [--compare NAME ...]`, and the fields that every stage has."""
    args = list(sys.argv[1:] if argv is None else argv)
    preset = args[:1] if args and not args[0].startswith("-") else []
    base = FiguresConfig(**vars(parse_cli(preset)))
    return parse_run(FiguresConfig, base, args[len(preset) :], __doc__)


def make_figures(overlaid: list[Run], folder: Path) -> list[page.Entry]:
    """Draw and save what can be drawn, and delete what an earlier call left of the rest."""
    made, run = [], overlaid[0]
    for name, title, stage, draw in FIGURES:
        commands = run.commands(run.stage_of(stage))
        if drawing := draw(overlaid):
            figure, caption, alt = drawing
            png = save(figure, folder, name)
            if len(commands) == 1:
                commands.append(run.command("figures"))
            made.append(page.Entry(name, title, commands, caption, alt, png))
        else:
            made.append(page.Entry(name, title, commands))
            for ending in ("png", "pdf"):
                (folder / f"{name}.{ending}").unlink(missing_ok=True)
    return made


def save(figure: Figure, folder: Path, name: str) -> bytes:
    """Write PNG and PDF, the same bytes each time, and return the PNG."""
    images = {"png": io.BytesIO(), "pdf": io.BytesIO()}
    figure.savefig(images["png"], format="png", dpi=page.DPI)
    figure.set_layout_engine("none")  # it is laid out: the PDF gets the same places
    figure.savefig(images["pdf"], format="pdf", metadata={"CreationDate": None})
    for ending, image in images.items():
        with files.replacing(folder / f"{name}.{ending}") as temporary:
            temporary.write_bytes(image.getvalue())
    return images["png"].getvalue()


def stage_rows(run: Run) -> list[tuple[str, ...]]:
    """Stage, time, processes, core-hours, what it reached or which command makes it."""
    rows = []
    for stage in run.stages:
        record, spent, log = run.records[stage], run.spent(stage), run.logs[stage]
        if record:
            reached = record["reached"]
        elif log:
            reached = f"at step {log[-1]['step']}, not finished: {run.command(stage)}"
        else:
            reached = f"not run: {run.command(stage)}"
        seconds, processes = spent or (None, None)
        hours = f"{seconds * processes / 3600:.3g}" if spent else "–"
        time_spent = (plots.duration(seconds), f"{processes:g}") if spent else ("–", "–")
        rows.append((stage, *time_spent, hours, reached))
    return rows


def tests_table(tests: list[dict]) -> list[str]:
    """Figure 8's tests as a part of the page; none where they have not been made."""
    if not tests:
        return []
    shown = [
        [
            "–" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
            for value in row.values()
        ]
        for row in tests
    ]
    marked = [number for number, row in enumerate(tests) if (row["p_holm"] or 1) < LEVEL]
    names = [key.replace("_", " ") for key in tests[0]]
    return [page.heading("Components and events (figure 8)"), page.table(names, shown, marked)]


def report_page(overlaid: list[Run], made: list[page.Entry]) -> str:
    run, scores = overlaid[0], score_table(overlaid)
    ours = {row["who"] for row in our_scores(overlaid)}
    cells = [["" if value is None else str(value) for value in row.values()] for row in scores]
    marked = [number for number, row in enumerate(scores) if row["who"] in ours]
    evaluated = [] if run.evaluation else [f"This run has no score yet: {run.command('evaluate')}."]
    return page.render(
        f"World Models on CarRacing: run {run.name}",
        [
            page.introduction(run.name, run.settings, run.versions),
            page.heading("Stages"),
            page.table(("stage", "time", "processes", "core-hours", "reached"), stage_rows(run)),
            page.heading("Settings that differ from the paper's"),
            differences(run),
            page.heading("Figures"),
            *(page.figure(entry) for entry in made),
            *tests_table(run.tests),
            page.heading("Scores"),
            *(page.paragraph(text, "missing") for text in evaluated),
            page.table([key.replace("_", " ") for key in scores[0]], cells, marked),
        ],
    )


def differences(run: Run) -> str:
    """The settings that are not the paper's, and those that are not the run's own preset's."""
    names = dict.fromkeys((preset_of(run.name, run.config.vision) or "paper", "paper"))
    presets = {name: preset_settings(name) for name in names}
    rows = [
        (key, str(value), *(str(preset[key]) for preset in presets.values()))
        for key, value in run.settings.items()
        if any(preset.get(key, value) != value for preset in presets.values())
    ]
    if not rows:
        return page.paragraph("Every recorded setting is the paper's.")
    header = ("setting", "this run", *(f"preset {name}" for name in presets))
    if len(presets) == 1:
        return page.table(header, rows)
    departs = [number for number, row in enumerate(rows) if row[1] != row[2]]
    note = f"{len(departs)} of them, marked, are not those of the preset either."
    return page.table(header, rows, departs) + (page.paragraph(note) if departs else "")


def preset_settings(name: str) -> dict:
    """A preset, flat as Run.settings is."""
    sections = dataclasses.asdict(PRESETS[name]).items()
    return {
        f"{section}.{key}": value
        for section, values in sections
        if isinstance(values, dict)
        for key, value in values.items()
    }


def main(config: Config, compare: Sequence[str] = ()) -> None:
    """Draw a run, and lay the runs `compare` over it."""
    start = time.monotonic()
    others = [name for name in dict.fromkeys(compare) if name != config.run]
    configs = [config, *(dataclasses.replace(config, run=name, data="") for name in others)]
    overlaid = [read_run(each) for each in configs]
    folder = folders.run_folder(config.run) / "figures"
    folder.mkdir(exist_ok=True)
    # Only its own folder: a run can be looked at while a stage of it is still at work.
    with folders.lock(folder), plots.styled():
        made = make_figures(overlaid, folder)
        write_table(folder / "scores.csv", score_table(overlaid))
        html = report_page(overlaid, made)
        path = folder.parent / "report.html"
        with files.replacing(path) as temporary:
            temporary.write_text(html, encoding="utf-8")
        drawn = sum(entry.png is not None for entry in made)
        reached = f"{drawn} of {len(made)} figures, {folders.shown(path)}"
        needs = needs_of("figures", overlaid[0].config)
        if all(overlaid[0].records[stage] for stage in needs):
            output = hashlib.sha256(html.encode()).hexdigest()[:16]
            seconds = time.monotonic() - start
            records.finish(overlaid[0].config, "figures", output, reached, seconds, processes=1)
    print(f"figures: {reached}")


def draw_from_command_line() -> None:
    config = parse()
    main(config, config.compare)


if __name__ == "__main__":
    run_script(draw_from_command_line)
