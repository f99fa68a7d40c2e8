"""What the report page says of a run, besides the figures: its introduction and its tables."""

import dataclasses
import string

from replication.presets import PRESETS
from replication.report.computing_time import TimeSpent, duration
from replication.report.figures_mixture import is_significant
from replication.report.page import Page, PageFigure, Table
from replication.report.run_record import Run
from replication.report.score_table import KEYS, our_scores, score_table
from replication.report.stage_rows import stage_rows
from replication.runs import folders
from replication.runs.command_line import follow

ARTICLE = "demo.html"  # which demo.py writes


def make_page(runs: list[Run], figures: list[PageFigure]) -> Page:
    """The page of the first run, with the scores of all runs."""
    run = runs[0]
    settings, note = settings_table(run)
    missing = "" if run.evaluation else f"This run has no score yet: {run.command('evaluate')}."
    return Page(
        title=f"World Models on {run.environment}: run {run.name}",
        introduction=introduction(run),
        stages=stage_table(run),
        settings=settings,
        settings_note=note,
        figures=figures,
        tests=table_of_tests(run.tests),
        scores=table_of_scores(runs),
        score_missing=missing,
        article=ARTICLE if (folders.run_folder(run.name) / ARTICLE).exists() else "",
    )


# The introduction -------------------------------------------------------------------------------

SENTENCES = (  # each is on the page if the run has recorded all settings in it
    "Rollouts: {extract_episodes:,} episodes of the {extract_policy} policy.",
    (
        "V: {vae_epochs} epochs of {batches} batches of {vae_batch_size} frames,"
        " loss {vae_recon_weight:g} × squared error + {vae_kl_weight:g} × KL."
    ),
    (
        "M: {rnn_epochs} epochs of {rnn_iterations} batches of {rnn_batch_size} sequences of"
        " {rnn_sequence} steps."
    ),
    (
        "Rounds of dreaming and driving: {rounds_count}, each of {rounds_generations} generations"
        " of {rounds_population} candidates with {rounds_episodes} dreams."
    ),
    (
        "C: mode {controller_mode}, CMA-ES with a population of {controller_population},"
        " {controller_episodes} rollouts a candidate, {controller_generations:,} generations."
    ),
)


def introduction(run: Run) -> str:
    """One paragraph on the run, as far as its settings are recorded."""
    settings = {key.replace(".", "_"): value for key, value in run.settings.items()}
    settings["batches"] = settings.get("vae_iterations") or "all (one pass)"
    sentences = [
        "A replication of World Models (Ha & Schmidhuber, 2018) on"
        f" {run.environment}: the run {run.name}."
    ]
    for text in SENTENCES:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        if names <= settings.keys():
            sentences.append(text.format(**settings))
    if "seed" in settings:
        sentences.append(f"Seed {settings['seed']}.")
    if run.versions:
        packages = ", ".join(f"{name} {version}" for name, version in run.versions.items())
        sentences.append(f"Made with {packages}.")
    return " ".join(sentences)


# Tables -----------------------------------------------------------------------------------------


def stage_table(run: Run) -> Table:
    """For each stage its time, and what it reached or the command that makes it."""
    header = ("stage", "time", "processes", "core-hours", "reached")
    rows = stage_rows(run)
    cells = [(row.label, *_time_cells(row.spent), row.reached) for row in rows]
    hours = sum(row.spent.core_hours for row in rows if row.spent)
    return Table(header, [*cells, ("together", "", "", f"{hours:.3g}", "")])


def _time_cells(spent: TimeSpent | None) -> tuple[str, str, str]:
    if not spent:
        return ("–", "–", "–")
    return (duration(spent.seconds), f"{spent.processes:g}", f"{spent.core_hours:.3g}")


def settings_table(run: Run) -> tuple[Table | None, str]:
    """The settings that are not the paper's or not those of the run's preset, and a note on them.

    Those that are not the preset's are marked.
    """
    names = dict.fromkeys((run.config.preset, "paper"))
    presets = {name: preset_settings(name, run.name) for name in names}
    rows = [
        (key, str(value), *(str(preset[key]) for preset in presets.values()))
        for key, value in run.settings.items()
        if any(preset.get(key, value) != value for preset in presets.values())
    ]
    if not rows:
        return None, "Every recorded setting is the paper's."
    header = ("setting", "this run", *(f"preset {name}" for name in presets))
    if len(presets) == 1:
        return Table(header, rows), ""
    marked = [number for number, (_, value, preset, _) in enumerate(rows) if value != preset]
    note = f"The marked ones ({len(marked)}) are not those of the preset either."
    return Table(header, rows, marked), note if marked else ""


def preset_settings(name: str, run: str) -> dict:
    """The settings of a preset in a run of this name, flat: {"vae.epochs": 9, ...}."""
    sections = dataclasses.asdict(follow(dataclasses.replace(PRESETS[name], run=run))).items()
    return {
        f"{section}.{key}": value
        for section, values in sections
        if isinstance(values, dict)
        for key, value in values.items()
    }


def table_of_tests(tests: list[dict]) -> Table | None:
    """The tests of figure 8, significant ones marked; None if there are none."""
    if not tests:
        return None
    rows = [[_test_cell(value) for value in test.values()] for test in tests]
    marked = [number for number, test in enumerate(tests) if is_significant(test)]
    return Table([key.replace("_", " ") for key in tests[0]], rows, marked)


def _test_cell(value: str | int | float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def table_of_scores(runs: list[Run]) -> Table:
    """The table of scores, ours marked."""
    scores, ours = score_table(runs), {row["who"] for row in our_scores(runs)}
    rows = [["" if value is None else str(value) for value in row.values()] for row in scores]
    marked = [number for number, row in enumerate(scores) if row["who"] in ours]
    return Table([key.replace("_", " ") for key in KEYS], rows, marked)
