"""The report page: one HTML file that needs no network, since it holds its images itself."""

import base64
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from replication.report.templates import environment_of

DPI = 150  # of the images
NUMBER = r"-?[\d.,]+(e-?\d+)?( (s|h|min))?( \d\d (s|min))?"  # also "3 min 20 s"


class Table(NamedTuple):
    """A table of strings."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Collection[int] = ()  # numbers of the rows that stand out


@dataclass(frozen=True)
class PageFigure:
    """A figure of the page or, where png is None, the commands that will make it."""

    name: str  # of its files, without the ending
    title: str
    commands: Sequence[str]  # that make it
    caption: str = ""
    alt: str = ""  # for readers who cannot see the image
    png: bytes | None = None

    @property
    def address(self) -> str:
        """The image itself as an address."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()

    @property
    def width(self) -> int:
        """The width in CSS pixels, 96 an inch, of an image of DPI dots an inch."""
        return int.from_bytes(self.png[16:20]) * 96 // DPI  # the width in the PNG's header


@dataclass(frozen=True)
class Page:
    """What stands on the page, from top to bottom."""

    title: str
    introduction: str
    stages: Table
    settings: Table | None  # that are not the paper's; None if all are
    settings_note: str
    figures: Sequence[PageFigure]
    tests: Table | None  # of figure 8
    scores: Table
    score_missing: str  # what to do for a score of this run; empty if it has one
    article: str = ""  # the name of the run's interactive page beside this one; empty if none


def render(page: Page) -> str:
    """The page as HTML, by the template page.html.j2."""
    environment = environment_of(Path(__file__).parent)
    environment.tests["numeric"] = is_numeric
    return environment.get_template("page.html.j2").render(page=page)


def is_numeric(cell: str) -> bool:
    """Whether a cell is a number or a time, which are aligned at the right."""
    return re.fullmatch(NUMBER, cell) is not None
