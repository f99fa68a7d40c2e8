"""The article of a run as one HTML file: template, style, scripts, and what they work with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.article.bundle import bundle
from replication.article.facts import make_facts
from replication.article.game import game_facts
from replication.article.networks import rounded_decoder
from replication.article.numbers import Number, run_numbers
from replication.article.pictures import Rounding, rounding
from replication.article.run_parts import RunParts
from replication.report.run_record import Run
from replication.report.templates import environment_of

import numpy as np

WEB = Path(__file__).parent / "web"
STYLES = ("page.css", "controls.css")  # in this order


@dataclass(frozen=True)
class Page:
    """What web/page.html.j2 shows."""

    run: str
    environment: str
    numbers: Sequence[Number]
    missing: Mapping[str, str]  # "V", "M", "C" or "frames" -> what to do
    z_size: int
    slider_count: int
    mixtures: int
    hidden: int
    heads: Mapping[str, bool]  # of M besides the mixture: whether it gives a probability
    can_see: bool
    can_dream: bool
    has_controller: bool
    recorded: str  # what the frames are of
    frame_count: int
    rounding: Rounding | None
    versions: str
    facts: str  # JSON
    style: str
    script: str
    worker: str


def make_page(run: Run, parts: RunParts) -> Page:
    """The page of what a run has."""
    can_see = bool(parts.decoder and parts.recordings)
    facts = make_facts(parts) if can_see else {"game": game_facts(parts.task), "decoder": None}
    memory = facts.get("memory") or {"mixtures": 0, "hidden": 0, "heads": {}}
    titles = [recording.title for recording in parts.recordings]
    return Page(
        run=run.name,
        environment=run.environment,
        numbers=run_numbers(run, parts),
        missing=parts.missing,
        z_size=parts.task.z_size,
        slider_count=len(facts.get("sliders", ())),
        mixtures=memory["mixtures"],
        hidden=memory["hidden"],
        heads={name: head["kind"] for name, head in memory["heads"].items()},
        can_see=can_see,
        can_dream=can_see and parts.rnn is not None,
        has_controller=bool(facts.get("controller")),
        recorded="; ".join(titles) or "none",
        frame_count=sum(len(recording.obs) for recording in parts.recordings),
        rounding=measure_rounding(parts, facts) if can_see else None,
        versions=", ".join(f"{name} {version}" for name, version in run.versions.items()),
        facts=as_script(facts),
        style="\n".join((WEB / name).read_text(encoding="utf-8") for name in STYLES),
        script=bundle(WEB / "page" / "main.js"),
        worker=bundle(WEB / "worker" / "worker.js"),
    )


def measure_rounding(parts: RunParts, facts: Mapping) -> Rounding:
    """What the packing of the decoder's weights does to its pictures of the recorded frames."""
    z = np.concatenate([recording.mu for recording in parts.recordings])
    return rounding(parts.decoder, rounded_decoder(parts.decoder, facts["decoder"]), z)


def as_script(facts: Mapping) -> str:
    """JSON that can stand in a script element, whatever its strings hold."""
    return json.dumps(facts, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def render(page: Page) -> str:
    """The page as HTML."""
    return environment_of(WEB).get_template("page.html.j2").render(page=page)
