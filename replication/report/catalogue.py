"""All figures of the report page, in the order in which they stand there.

Figures are numbered as in the 2021 report. A figure is drawn from the page's run, which comes first
in `runs`, and the runs that it is compared with; the result is None if the run has not saved what
the figure shows.
"""

from collections.abc import Callable
from typing import NamedTuple

from replication.report.figures_c import draw_controller
from replication.report.figures_doom import (
    draw_dream_and_game,
    draw_gate,
    draw_returns,
    draw_temperatures,
)
from replication.report.figures_dream import draw_rollout
from replication.report.figures_m import draw_rnn_loss
from replication.report.figures_mixture import draw_events, draw_forced, draw_weights
from replication.report.figures_pictures import draw_pictures
from replication.report.figures_rounds import draw_rounds
from replication.report.figures_run import draw_parameters, draw_times
from replication.report.figures_scores import draw_scores
from replication.report.figures_v import (
    draw_reconstructions,
    draw_traversal,
    draw_vae_loss,
    draw_vae_terms,
)
from replication.report.figures_vaegan import draw_decoder, draw_discriminator, draw_encoder
from replication.report.published import DOOM
from replication.report.run_record import Run
from replication.report.style import Drawing
from replication.runs.stages import V


class CatalogueEntry(NamedTuple):
    """A figure that the page can have."""

    name: str  # of its files, without the ending
    title: str
    stage: str  # that saves what the figure shows
    draw: Callable[[list[Run]], Drawing | None]
    only: str = ""  # the `published` of the game that it is of; "": all but those of `never`
    never: str = ""

    def is_of(self, run: Run) -> bool:
        """Whether a run's game has this figure."""
        game = run.task.published or "another"
        return game != self.never and self.only in ("", game)


FIGURES = (
    CatalogueEntry(
        "figure_03_rollout", "Figure 3: a rollout, reconstructed and dreamt", "dream", draw_rollout
    ),
    CatalogueEntry(
        "figure_08_mixture",
        "Figure 8: the weights of M's mixture over an episode",
        "events",
        draw_weights,
    ),
    CatalogueEntry(
        "figure_08_events",
        "Figure 8, tested: which component speaks in which event",
        "events",
        draw_events,
    ),
    CatalogueEntry(
        "figure_08_forced", "Figure 8, forced: dreams of one component", "events", draw_forced
    ),
    CatalogueEntry("figure_09_parameters", "Figure 9: parameters per model", V, draw_parameters),
    CatalogueEntry(
        "figure_10_vae_terms", "Figure 10: the two terms of V's loss", V, draw_vae_terms
    ),
    CatalogueEntry(
        "figure_11_vae_loss", "Figure 11: the VAE's total loss", "train_vae", draw_vae_loss
    ),
    CatalogueEntry(
        "figure_12_frames", "Figure 12: frames and reconstructions", V, draw_reconstructions
    ),
    CatalogueEntry("latent_traversal", "The latent space of V", V, draw_traversal),
    CatalogueEntry("figure_13_rnn_loss", "Figure 13: M's loss", "train_rnn", draw_rnn_loss),
    CatalogueEntry("rounds", "Rounds: what the dream promised", "rounds", draw_rounds),
    CatalogueEntry(
        "figure_14_controller",
        "Figure 14: C's returns",
        "train_controller",
        draw_controller,
        never=DOOM,
    ),
    CatalogueEntry(
        "gate", "The gate: is the dream fit for C to learn in?", "gate", draw_gate, only=DOOM
    ),
    CatalogueEntry(
        "dream_and_game",
        "C's returns in the dream and in the game",
        "train_controller",
        draw_dream_and_game,
        only=DOOM,
    ),
    CatalogueEntry(
        "temperatures", "The table of temperatures", "evaluate", draw_temperatures, only=DOOM
    ),
    CatalogueEntry("figure_15_time", "Figure 15: time of each stage", "extract", draw_times),
    CatalogueEntry(
        "figure_18_discriminator",
        "Figure 18: the VAE-GAN's discriminator",
        "train_vaegan",
        draw_discriminator,
    ),
    CatalogueEntry(
        "figure_19_generator", "Figure 19: the VAE-GAN's generator", "train_vaegan", draw_decoder
    ),
    CatalogueEntry(
        "figure_20_encoder", "Figure 20: the VAE-GAN's encoder", "train_vaegan", draw_encoder
    ),
    CatalogueEntry(
        "figure_21_pictures",
        "Figure 21: pictures of the VAE-GAN, and of the VAE",
        "train_vaegan",
        draw_pictures,
    ),
    CatalogueEntry(
        "paper_scores",
        "The score, beside the published ones",
        "evaluate",
        draw_scores,
        never=DOOM,
    ),
    CatalogueEntry(
        "returns",
        "The score, beside policies that do not look",
        "evaluate",
        draw_returns,
        only=DOOM,
    ),
)
