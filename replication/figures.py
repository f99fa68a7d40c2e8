"""Stage 7: every figure beside the published numbers, and a page to read them on.

    python replication/figures.py quick --compare laptop

Reads what the other stages saved (logs, arrays, done.json), and no model; it can be called while
they are still running. Writes checkpoints/RUN/figures/, which has each figure as PNG and PDF and
scores.csv, and checkpoints/RUN/report.html, one file that opens without a network. The figures of a
stage that has not run are missing, and the page names the commands that make them.
"""

import dataclasses
import hashlib
import io
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.config import Config
from replication.report.catalogue import FIGURES, CatalogueEntry
from replication.report.page import DPI, PageFigure, render
from replication.report.page_content import make_page
from replication.report.run_record import Run, read_run
from replication.report.score_table import KEYS, score_table
from replication.report.style import styled
from replication.report.tables import write_table
from replication.runs import files, folders, records
from replication.runs.command_line import parse_cli, parse_run
from replication.runs.script import run_script
from replication.runs.stages import STAGES, needs_of

from matplotlib.figure import Figure


@dataclass(frozen=True)
class FiguresConfig(Config):
    """The run that the page is about, and runs to compare it with."""

    compare: tuple[str, ...] = ()  # Runs whose curves and scores are drawn beside ours. [ours]


def parse(argv: Sequence[str] | None = None) -> FiguresConfig:
    """Parse `[PRESET] [--run NAME] [--compare NAME ...]` and the fields that every stage has."""
    args = list(sys.argv[1:] if argv is None else argv)
    preset = args[:1] if args and not args[0].startswith("-") else []
    base = FiguresConfig(**vars(parse_cli(preset)))
    return parse_run(FiguresConfig, base, args[len(preset) :], __doc__)


def make_figures(runs: list[Run], folder: Path) -> list[PageFigure]:
    """Draw and save the figures of the first run, beside the others; in FIGURES' order.

    The files of a figure that cannot be drawn are deleted: an earlier call may have left them.
    """
    figures, run = [], runs[0]
    for name, title, stage, draw, *_ in figures_of(runs):
        commands = run.commands(run.stage_of(stage))
        if drawing := draw(runs):
            png = save(drawing.figure, folder, name)
            if len(commands) == 1:
                commands.append(run.command("figures"))
            figures.append(PageFigure(name, title, commands, drawing.caption, drawing.alt, png))
        else:
            figures.append(PageFigure(name, title, commands))
            for ending in ("png", "pdf"):
                (folder / f"{name}.{ending}").unlink(missing_ok=True)
    return figures


def figures_of(runs: list[Run]) -> list[CatalogueEntry]:
    """The figures that the first run can have: it may lack the stage that saves some, as its task
    does. Where its C is what rounds made of it, there is a search to show if another run has one.
    """
    run = runs[0]
    optional = {stage.name for stage in STAGES.values() if stage.optional} | {"rounds"}
    lacking = optional - set(run.stages)
    asked = run.settings.get("controller.generations", run.config.controller.generations)
    if not asked and not any(other.logs["train_controller"] for other in runs):
        lacking.add("train_controller")
    return [entry for entry in FIGURES if entry.stage not in lacking and entry.is_of(run)]


def save(figure: Figure, folder: Path, name: str) -> bytes:
    """Write NAME.png and NAME.pdf, the same bytes at every call, and return the PNG."""
    images = {"png": io.BytesIO(), "pdf": io.BytesIO()}
    figure.savefig(images["png"], format="png", dpi=DPI)
    figure.set_layout_engine("none")  # the PDF keeps the PNG's layout
    figure.savefig(images["pdf"], format="pdf", metadata={"CreationDate": None})
    for ending, image in images.items():
        with files.replacing(folder / f"{name}.{ending}") as temporary:
            temporary.write_bytes(image.getvalue())
    return images["png"].getvalue()


def main(config: Config, compare: Sequence[str] = ()) -> None:
    """Draw the figures and the page of a run, with the runs named in `compare` beside it."""
    start = time.monotonic()
    others = [name for name in dict.fromkeys(compare) if name != config.run]
    configs = [config, *(dataclasses.replace(config, run=name, data="") for name in others)]
    runs = [read_run(config_of_run) for config_of_run in configs]
    folder = folders.run_folder(config.run) / "figures"
    folder.mkdir(exist_ok=True)
    # Only this folder is locked: a run can be looked at while one of its stages is running.
    with folders.lock(folder), styled():
        figures = make_figures(runs, folder)
        write_table(folder / "scores.csv", score_table(runs), KEYS)
        html = render(make_page(runs, figures))
        path = folder.parent / "report.html"
        with files.replacing(path) as temporary:
            temporary.write_text(html, encoding="utf-8")
        drawn = sum(figure.png is not None for figure in figures)
        reached = f"{drawn} of {len(figures)} figures, {folders.shown(path)}"
        finish(runs[0], html, reached, time.monotonic() - start)
    print(f"figures: {reached}")


def finish(run: Run, html: str, reached: str, seconds: float) -> None:
    """Record the stage as finished if all stages are that it reads."""
    if all(run.records[stage] for stage in needs_of("figures", run.config)):
        output = hashlib.sha256(html.encode()).hexdigest()[:16]
        records.finish(run.config, "figures", output, reached, seconds, processes=1)


def draw_from_command_line() -> None:
    config = parse()
    main(config, config.compare)


if __name__ == "__main__":
    run_script(draw_from_command_line)
