"""Every figure of the page: what it takes from the saved runs, its caption, and who draws it.

Figures are numbered as in the 2021 report. A `draw_` function gets the run and those laid over it,
and returns None when the run has not saved what the figure shows.
"""

from pathlib import Path

from replication.report import mixture_drawings, pictures, plots, vaegan_drawings
from replication.report.saved import Run, columns, logs_of, read_table
from replication.runs.stages import V

import numpy as np

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference"
# Model, its stage, published parameters (report Figure 9), the report's hours, workers (Figure 15).
MODELS = (
    ("V", V, 4_348_547, 60, 1),
    ("M", "train_rnn", 422_368, 10, 1),
    ("C", "train_controller", 867, 47, 4),
)
REPORT_VAE, REPORT_RNN = 40, 0.68  # where its losses settle (report Figures 11 and 13)


def draw_rollout(overlaid: list[Run]) -> plots.Drawing | None:
    rollout = overlaid[0].rollout
    if not rollout:
        return None
    panels = {name: rollout[name] for name in ("environment", "reconstruction", "dream")}
    temperature = float(rollout["temperature"])
    caption = (
        "A held-out rollout as the environment shows it (above), V's reconstruction of the same"
        " frames, from the mean of z (middle), and a dream: M alone, from the same first frame and"
        f" with the same actions, at temperature {temperature:g}, decoded by V (below). The dream"
        " sees no frame after the first: it starts like the rollout, then goes where M finds it"
        " likely. The report's Figure 3 has a frame beside its reconstruction and notes that the"
        " car's place and the road are kept and some details are lost. As a video:"
        " dream/fig3.mp4 and fig3.gif in the run's folder."
    )
    shown = ", ".join(f"{second:.2f}" for second in rollout["seconds"])
    alt = f"Rows of frames: environment, reconstruction, dream; at {shown} seconds."
    return pictures.rollout(panels, rollout["seconds"], temperature), caption, alt


def draw_parameters(overlaid: list[Run]) -> plots.Drawing | None:
    run, rows = overlaid[0], []
    counts = {stage: run.records[run.stage_of(stage)].get("parameters") for _, stage, *_ in MODELS}
    for model, stage, published, *_ in MODELS:
        ours = f"{counts[stage]:,}" if counts[stage] else "not trained yet"
        rows.append((model, ours, f"{published:,}"))
    mode = run.settings.get("controller.mode", "z_h")
    caption = (
        "Trained parameters of each model, counted from this run's weights, beside the report's"
        f" Figure 9 (the paper's numbers). C is here in mode {mode}; 867 is mode z_h, 288 inputs"
        " and a bias for each of 3 actions."
    )
    alt = "; ".join(f"{model}: ours {ours}, published {pub}" for model, ours, pub in rows)
    return (plots.parameters(rows), caption, alt) if any(counts.values()) else None


def draw_vae_terms(overlaid: list[Run]) -> plots.Drawing | None:
    if not (logs := logs_of(overlaid, V)):
        return None
    free_bits = overlaid[0].settings.get("vae.free_bits")
    floor = free_bits * 32 if free_bits else None
    last = plots.first(logs)[1][-1]
    caption = (
        "The two terms of a VAE's loss before they are weighted (a VAE-GAN's pixel error, measured"
        " alike, is not what it is trained on): the squared error of an image, summed"
        " over pixels and colours (0..1), and the KL divergence of its z from N(0, I), summed over"
        f" 32 dimensions; means over each interval of the log. Last line, held-out:"
        f" {last.get('held_out_recon', np.nan):.1f} and {last.get('held_out_kl', np.nan):.1f} nats,"
        f" {last.get('active_dimensions', np.nan):.0f} dimensions active. The report's Figure 10"
        " shows the same two side by side, the KL erratic over a wide range; its values are not"
        " given in the text."
    )
    if len({run.config.vision for run in overlaid}) > 1:
        caption += " A VAE's KL is logged with its floor, image by image, a VAE-GAN's without."
    alt = "Two panels of curves over training iterations: reconstruction error and KL divergence."
    return plots.vae_terms(logs, floor), caption, alt


def draw_vae_loss(overlaid: list[Run]) -> plots.Drawing | None:
    run = next((run for run in overlaid if run.logs["train_vae"]), None)
    if run is None:
        return None
    log = run.logs["train_vae"]
    recon, kl = (run.settings.get(f"vae.{term}_weight", 1.0) for term in ("recon", "kl"))
    reference = REPORT_VAE * recon / 0.5 if recon == kl else None
    weights = f"{recon:g} × squared error + {kl:g} × KL"
    scaled = f": at our weights {reference:g}, the line" if reference else ""
    caption = (
        f"V's total loss, {weights}, on a logarithmic axis; dotted lines end an epoch. Ours ends at"
        f" {log[-1]['loss']:.1f} in training. The report's Figure 11 settles near {REPORT_VAE} with"
        f" both terms times 0.5{scaled}. How the report sums the error, over pixels or as their"
        " mean, is not said in its text; the original, as ours, sums."
    )
    alt = f"Curve of V's total loss over training iterations, ending at {log[-1]['loss']:.1f}."
    return plots.vae_loss(logs_of(overlaid, "train_vae"), weights, reference), caption, alt


def draw_reconstructions(overlaid: list[Run]) -> plots.Drawing | None:
    samples = overlaid[0].samples
    if not samples:
        return None
    names = [str(name) for name in samples["names"]]
    caption = (
        "Held-out frames as V sees them (64 × 64, above) and what it makes of them, from the mean"
        " of z (below). The report's Figure 12 has four frames of its training set; it notes"
        " accurate road outlines, the car in its place, and the red-and-white kerbs, which it says"
        " the paper's V did not obtain."
    )
    alt = "Input frames above, reconstructions below: " + ", ".join(names) + "."
    return pictures.reconstructions(samples["obs"], samples["recon"], names), caption, alt


def draw_traversal(overlaid: list[Run]) -> plots.Drawing | None:
    traversal = overlaid[0].traversal
    if not traversal:
        return None
    dimensions, variances = traversal["dimensions"], traversal["variances"]
    labels = [f"z {z}\nσ = {np.sqrt(v):.2f}" for z, v in zip(dimensions, variances, strict=True)]
    caption = (
        f"What single dimensions of z do: the {len(dimensions)} whose mu varies most over held-out"
        " frames, the most varying first. Each is moved from -3 to 3 standard deviations (σ, at the"
        " left) of its mu around its mean while the others stay at theirs, so the middle column is"
        " the same frame in every row."
    )
    rows = ", ".join(map(str, dimensions))
    alt = f"Decoded frames, a row for each of these dimensions of z: {rows}."
    return pictures.traversal(traversal["images"], labels, traversal["steps"]), caption, alt


def draw_rnn_loss(overlaid: list[Run]) -> plots.Drawing | None:
    if not (log := overlaid[0].logs["train_rnn"]):
        return None
    last = log[-1]
    caption = (
        "M's loss: the mean negative log-likelihood of one dimension of z at the next step, in"
        " nats; of a density, so it may fall below zero and depends on the scale of this V's z."
        f" Dotted lines end an epoch. Ours ends at {last['nll']:.3f} in training,"
        f" {last.get('held_out_nll', np.nan):.3f} held-out; without M, guessing the next z as"
        " normal around the present one, with a fitted spread, it is"
        f" {last.get('baseline_nll', np.nan):.3f}. The report's Figure 13 settles near"
        f" {REPORT_RNN}; its text calls the axis the log of the loss, so the line is drawn at that"
        " number, but the scales may differ."
    )
    alt = f"Curves of M's loss over training iterations, ending at {last['nll']:.3f}."
    return plots.rnn_loss(logs_of(overlaid, "train_rnn"), REPORT_RNN), caption, alt


def draw_controller(overlaid: list[Run]) -> plots.Drawing | None:
    if not (log := overlaid[0].logs["train_controller"]):
        return None
    hours, last = plots.core_hours(log)[-1], log[-1]
    caption = (
        "C over generations of CMA-ES (left) and over hours of computing, C alone (right). Ours is"
        f" at generation {last['step']} after {hours:.3g} core-hours, the population's mean at"
        f" {last['mean']:.1f}; the band reaches from its worst to its best candidate. "
    )
    earlier = overlaid[0].earlier
    if earlier:
        caption += f"The first {earlier} are of the searches that its own started from. "
    if short := overlaid[0].settings.get("controller.short"):
        caption += (
            f"Its {'own ' if earlier else ''}first {short} generations drove episodes of at most"
            f" {overlaid[0].settings['controller.short_steps']} frames, whose returns are smaller;"
            " evaluations are of whole episodes. "
        )
    if evaluations := [line for line in log[earlier:] if "eval_mean" in line]:
        best = max(evaluations, key=lambda line: line["eval_mean"])
        caption += (
            f"The best evaluation of the distribution's mean is {best['eval_mean']:.1f} ±"
            f" {best['eval_std']:.1f} over {best['eval_episodes']:.0f} fresh tracks, at generation"
            f" {best['step']}. "
        )
    caption += (
        "As in the report's Figure 14: green the original's training log (CarRacing-v0, 64 cores,"
        " hours from its own clock), blue Wellmer's (generations only: its log has no times),"
        f" orange ours. The report's own best return was {plots.REPORT_BEST}, after 47 h on 4"
        " workers: the dotted line and the star."
    )
    alt = f"Curves of mean return: the original, Wellmer's, and ours, at {last['mean']:.0f}."
    original, wellmer = (
        columns(read_table(REFERENCE / f"{name}.csv"))
        for name in ("ha2018_controller", "wellmer2020_controller_eval")
    )
    logs = logs_of(overlaid, "train_controller")
    return plots.controller(logs, original, wellmer), caption, alt


def draw_times(overlaid: list[Run]) -> plots.Drawing | None:
    run = overlaid[0]
    report = {run.stage_of(stage): (hours, workers) for _, stage, _, hours, workers in MODELS}
    rows = [(stage, run.spent(stage), report.get(stage)) for stage in run.stages]
    rows = [
        (stage, ours and _time(ours[0], ours[1]), theirs and _time(theirs[0] * 3600, theirs[1]))
        for stage, ours, theirs in rows
        if ours or theirs
    ]
    if not any(ours for _, ours, _ in rows):
        return None
    total = [sum(row[side][0] for row in rows if row[side]) for side in (1, 2)]
    rows.append(("together", *((hours, f"{hours:,.3g} core-hours") for hours in total)))
    caption = (
        "Time and core-hours of each stage that has run, on a logarithmic axis, beside the report's"
        " Figure 15: V 60 h and M 10 h on one worker, C 47 h on 4. Its total of 258 hours counts"
        " C's hours four times, as core-hours; one after the other its stages took 117 h. It counts"
        " V and M, trained on a GPU, as one worker; here they count as many times as cores were"
        " theirs."
    )
    alt = "; ".join(f"{stage}: {ours[1]}" for stage, ours, _ in rows if ours)
    return plots.times(rows), caption, alt


def _time(seconds: float, processes: float) -> tuple[float, str]:
    hours = seconds * processes / 3600
    return hours, f"{plots.duration(seconds)} × {processes:g} = {hours:,.3g} core-hours"


def draw_scores(overlaid: list[Run]) -> plots.Drawing | None:
    run, evaluation = overlaid[0], overlaid[0].evaluation
    if not evaluation:
        return None
    score = f"{evaluation['mean']:.1f} ± {evaluation['std']:.1f}"
    few = " Fewer than the 100 of the published scores." if evaluation["episodes"] < 100 else ""
    caption = (
        f"The run's agent (controller/best.json) on {evaluation['episodes']} tracks of stock"
        f" CarRacing-v3, on seeds that no training uses: {score}, from {evaluation['min']:.1f} to"
        f" {evaluation['max']:.1f}.{few}"
        f" The paper has {plots.PAPER_MEAN} ± {plots.PAPER_STD} over 100 tracks of CarRacing-v0."
        " At the right every row of the table of scores: means, with their standard deviation over"
        " episodes where one is known; the report's is the best return that it saw in training."
    )
    alt = f"Histogram of returns, {score}, beside a chart of {len(score_table(overlaid))} scores."
    ours = {row["who"] for row in our_scores(overlaid)}
    return plots.scores(run.name, evaluation, score_table(overlaid), ours), caption, alt


def our_scores(overlaid: list[Run]) -> list[dict]:
    """A row of the table of scores for each run that has been evaluated."""
    return [
        {
            "who": f"Ours, run {run.name}",
            "environment": "CarRacing-v3",
            "mean_return": round(run.evaluation["mean"], 2),
            "std": round(run.evaluation["std"], 2),
            "episodes": run.evaluation["episodes"],
            "note": f"C in mode {run.settings.get('controller.mode', 'z_h')}"
            f"{' on the mean of z' if run.settings.get('controller.z') == 'mean' else ''}, after"
            f" {len(run.logs['train_controller']) or 'unknown'} generations",
            "source": run.evaluation["path"],
        }
        for run in overlaid
        if run.evaluation
    ]


def score_table(overlaid: list[Run]) -> list[dict]:
    """The published scores, then ours."""
    return read_table(REFERENCE / "scores.csv") + our_scores(overlaid)


# Name of the files, title, the stages that it needs, who draws it.
FIGURES = (
    ("figure_03_rollout", "Figure 3: a rollout, reconstructed and dreamt", "dream", draw_rollout),
    (
        "figure_08_mixture",
        "Figure 8: the weights of M's mixture over a drive",
        "events",
        mixture_drawings.draw_weights,
    ),
    (
        "figure_08_events",
        "Figure 8, tested: which component speaks in which event",
        "events",
        mixture_drawings.draw_events,
    ),
    (
        "figure_08_forced",
        "Figure 8, forced: dreams of one component",
        "events",
        mixture_drawings.draw_forced,
    ),
    ("figure_09_parameters", "Figure 9: parameters per model", V, draw_parameters),
    ("figure_10_vae_terms", "Figure 10: the two terms of V's loss", V, draw_vae_terms),
    ("figure_11_vae_loss", "Figure 11: the VAE's total loss", "train_vae", draw_vae_loss),
    (
        "figure_12_frames",
        "Figure 12: frames and reconstructions",
        V,
        draw_reconstructions,
    ),
    ("latent_traversal", "The latent space of V", V, draw_traversal),
    ("figure_13_rnn_loss", "Figure 13: M's loss", "train_rnn", draw_rnn_loss),
    ("figure_14_controller", "Figure 14: C's returns", "train_controller", draw_controller),
    ("figure_15_time", "Figure 15: time of each stage", "extract", draw_times),
    (
        "figure_18_discriminator",
        "Figure 18: the VAE-GAN's discriminator",
        "train_vaegan",
        vaegan_drawings.draw_discriminator,
    ),
    (
        "figure_19_generator",
        "Figure 19: the VAE-GAN's generator",
        "train_vaegan",
        vaegan_drawings.draw_decoder,
    ),
    (
        "figure_20_encoder",
        "Figure 20: the VAE-GAN's encoder",
        "train_vaegan",
        vaegan_drawings.draw_encoder,
    ),
    (
        "figure_21_pictures",
        "Figure 21: pictures of the VAE-GAN, and of the VAE",
        "train_vaegan",
        vaegan_drawings.draw_pictures,
    ),
    ("paper_scores", "The score, beside the published ones", "evaluate", draw_scores),
)
