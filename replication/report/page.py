"""The report page: one HTML file that holds everything it shows, images included."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

CSS = """
body { max-width: 61rem; margin: 2rem auto; padding: 0 1rem; background: #fff; color: #1a1a1a;
  font: 1rem/1.5 "DejaVu Sans", Verdana, sans-serif; overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.25; }
figure { margin: 1.5rem 0 2.5rem; }
figcaption, .note { font-size: 0.92rem; color: #333; }
img { display: block; max-width: 100%; min-width: 34rem; height: auto; margin: 0 auto 0.6rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.92rem; margin: 0.6rem 0; overflow-wrap: normal; }
th, td { border-bottom: 1px solid #bbb; padding: 0.3rem 0.7rem; text-align: left;
  vertical-align: top; }
th { border-bottom: 2px solid #333; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tr.ours { background: #fdebdd; font-weight: bold; }
code { font-family: "DejaVu Sans Mono", Consolas, monospace; font-size: 0.9em; }
.missing { border-left: 4px solid #d55e00; padding-left: 0.8rem; }
@media print {
  body { max-width: none; margin: 0; font-size: 10pt; }
  figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .wide { overflow: visible; }
  img { min-width: 0; }
}
"""


NUMBER = r"-?[\d.,]+(e-?\d+)?( (s|h|min))?( \d\d (s|min))?"  # also "3 min 20 s"
DPI = 150  # of the images


@dataclass(frozen=True)
class Entry:
    """A figure of the page, or, while png is None, the place that is kept for it."""

    name: str  # of its files, without the ending
    title: str
    commands: Sequence[str]  # that make it, or, while it is missing, those still to be run
    caption: str = ""  # what it shows, and what the report or the paper has
    alt: str = ""  # the same for who cannot see it
    png: bytes | None = None


def render(title: str, parts: Sequence[str]) -> str:
    """The whole page around its parts, which are HTML already."""
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            "</body>\n</html>\n",
        ]
    )


def heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    return f"<p{_class(kind)}>{escape(text)}</p>"


def commands(lines: Sequence[str]) -> str:
    return ", then ".join(f"<code>{escape(line)}</code>" for line in lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[int] = ()) -> str:
    """A table of strings; the rows whose numbers are in `marked` are this run's."""
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    lines = [f'<div class="wide"><table>\n<thead><tr>{cells}</tr></thead>\n<tbody>']
    for number, row in enumerate(rows):
        cells = "".join(f"<td{_class(_kind(cell))}>{_breakable(cell)}</td>" for cell in row)
        lines.append(f"<tr{_class('ours' if number in marked else '')}>{cells}</tr>")
    return "\n".join([*lines, "</tbody>\n</table></div>"])


def figure(entry: Entry) -> str:
    """A figure with its caption, or the commands that it waits for."""
    title = f'<h3 id="{entry.name}">{escape(entry.title)}</h3>'
    if entry.png is None:
        return f'{title}\n<p class="missing">Not there yet. Run {commands(entry.commands)}.</p>'
    width = int.from_bytes(entry.png[16:20]) * 96 // DPI  # in CSS pixels; PNG's header has ours
    source = "data:image/png;base64," + base64.b64encode(entry.png).decode()
    return (
        f'{title}\n<figure>\n<div class="wide"><img src="{source}" width="{width}"'
        f' alt="{escape(entry.alt)}"></div>\n'
        f"<figcaption>{escape(entry.caption)} Made by {commands(entry.commands)}.</figcaption>"
        "\n</figure>"
    )


def introduction(name: str, settings: dict, versions: dict[str, str]) -> str:
    """One paragraph on what the run is, as far as its configuration is recorded."""
    known = {key.replace(".", "_"): value for key, value in settings.items()}
    batches = known.get("vae_iterations") or "all (one pass)"
    sentences = [
        f"A replication of World Models (Ha & Schmidhuber, 2018) on CarRacing: the run {name}."
    ]
    for needed, text in (
        (
            "extract_episodes",
            "Rollouts: {extract_episodes:,} episodes of the {extract_policy} policy.",
        ),
        (
            "vae_epochs",
            "V: {vae_epochs} epochs of {batches} batches of {vae_batch_size} frames,"
            " loss {vae_recon_weight:g} × squared error + {vae_kl_weight:g} × KL.",
        ),
        (
            "rnn_epochs",
            "M: {rnn_epochs} epochs of {rnn_iterations} batches of {rnn_batch_size} sequences of"
            " {rnn_sequence} steps.",
        ),
        (
            "controller_mode",
            "C: mode {controller_mode}, CMA-ES with a population of {controller_population},"
            " {controller_episodes} rollouts a candidate, {controller_generations:,} generations.",
        ),
    ):
        if needed in known:
            sentences.append(text.format(batches=batches, **known))
    if "seed" in known:
        sentences.append(f"Seed {known['seed']}.")
    if versions:
        made = ", ".join(f"{package} {version}" for package, version in versions.items())
        sentences.append(f"Made with {made}.")
    return paragraph(" ".join(sentences))


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _breakable(cell: str) -> str:
    """A path may go on in the next line."""
    return escape(cell).replace("/", "/<wbr>")


def _kind(cell: str) -> str:
    """Numbers and times stand at the right."""
    return "number" if re.fullmatch(NUMBER, cell) else ""
