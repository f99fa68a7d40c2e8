"""The article of a run in your browser: slide z, drive M's dream, lay it beside the game.

    python replication/demo.py quick
    python replication/demo.py --run mine

World Models, 2 to 4, as in its own article, worldmodels.github.io. Reads V, M, C and the game, in
which C drives two fresh tracks; without C, the run's recorded rollouts. Writes
checkpoints/RUN/demo.html: one file, 8 MB for the car, that opens from disk without a network. What
the run lacks is named on the page.
"""

import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.article.page import Page, make_page, render
from replication.article.run_parts import read_parts
from replication.config import Vision
from replication.report.page_content import ARTICLE
from replication.report.run_record import read_run
from replication.runs import files, folders, records
from replication.runs.command_line import parse_named_run
from replication.runs.script import run_script


@dataclass(frozen=True)
class Options:
    """The article."""

    run: str = "quick"  # Name of the run: checkpoints/RUN. (default: the preset's)
    vision: Vision | None = None  # What its V was trained as. (default: what the run holds)


def parse_options(argv: Sequence[str]) -> Options:
    """`[PRESET] [--run NAME]`: a preset's name stands for the run of that name."""
    return parse_named_run(Options, argv, __doc__.partition("\n")[0])


def main(options: Options) -> None:
    begun, config = time.monotonic(), records.load_config(options.run)
    folder = folders.stage_folder(config, "demo")
    folder.mkdir(exist_ok=True)
    with folders.lock(folder):  # only its own folder: a stage of the run may be at work
        parts = read_parts(config, options.vision)
        page = make_page(read_run(config), parts)
        path = folder.parent / ARTICLE
        html = render(page)
        with files.replacing(path) as temporary:
            temporary.write_text(html, encoding="utf-8")
        reached = summary(page, html, path)
        if not parts.missing:
            output = hashlib.sha256(html.encode()).hexdigest()[:16]
            seconds = time.monotonic() - begun
            records.finish(config, "demo", output, reached, seconds, processes=1)
    for line in parts.missing.values():
        print(f"demo: {line}")
    print(f"demo: {reached}")


def summary(page: Page, html: str, path: Path) -> str:
    """How large the page is, and what the rounding of its weights does."""
    size = f"{folders.shown(path)}, {len(html) / 1e6:.1f} MB"
    if page.rounding is None:
        return size
    apart = page.rounding
    return (
        f"{size}; rounding moves a picture by {apart.largest} of 255 levels at most,"
        f" {apart.mean:.4f} on average"
    )


if __name__ == "__main__":
    run_script(lambda: main(parse_options(sys.argv[1:])))
