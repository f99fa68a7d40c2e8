"""A run's numbers, as the head of its page shows them."""

from typing import NamedTuple

from replication.article.recordings import nats
from replication.article.run_parts import RunParts
from replication.report.run_record import Run


class Number(NamedTuple):
    """A number with its name and what it means."""

    label: str
    value: str
    note: str


def run_numbers(run: Run, parts: RunParts) -> list[Number]:
    """Score, sizes, and what V and M achieve, as far as the run has them."""
    return [*_score(run), *_sizes(parts), *_vision(parts), *_memory(run)]


def _score(run: Run) -> list[Number]:
    if not (score := run.evaluation):
        return []
    value = f"{score['mean']:.1f} ± {score['std']:.1f}"
    return [Number("score", value, f"mean return ± std, {score['episodes']} fresh episodes")]


def _sizes(parts: RunParts) -> list[Number]:
    sizes = {}
    if parts.encoder:
        sizes["V"] = parts.encoder.count_params() + parts.decoder.count_params()
    if parts.rnn:
        sizes["M"] = parts.rnn.count_params()
    if parts.agent:
        sizes["C"] = len(parts.agent[1])
    return [Number(name, f"{size:,}", "parameters") for name, size in sizes.items()]


def _vision(parts: RunParts) -> list[Number]:
    if not parts.recordings:
        return []
    carried = nats(parts.recordings).sum()
    return [Number("z", f"{carried:.1f} nats", "V's KL of a frame of this page")]


def _memory(run: Run) -> list[Number]:
    lines = [line for line in run.logs["train_rnn"] if "held_out_nll" in line]
    if not lines:
        return []
    last = lines[-1]
    note = f"a number of z; {last['baseline_nll']:.2f} without M" if "baseline_nll" in last else ""
    if run.logs["rounds"]:
        note = "; ".join(filter(None, (note, "before its rounds")))
    return [Number("M's surprise", f"{last['held_out_nll']:.2f} nats", note)]
