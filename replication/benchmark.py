"""Frames per second of environments and whole agents, side by side in one process on one core.

    python replication/benchmark.py [--json PATH] [--rounds 7]

Everything takes turns, a block of frames each, so that a noisy machine slows all alike; a ratio is
taken within a round, and its median and range over the rounds are shown. Then what an agent's frame
is spent on, what the training steps of V and M process in a second, and what a second process adds.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from replication.config import UserError
from replication.envs.rendering.selfcheck import processor
from replication.presets import PRESETS
from replication.rollouts.agent import one_thread
from replication.runs import files, records
from replication.runs.command_line import parse_dataclass
from replication.runs.script import run_script
from replication.runs.versions import versions
from replication.speed.drivers import (
    AGENT,
    AGENT_V0,
    STOCK,
    TASK,
    Driver,
    contenders,
    new_agent,
    random_parts,
)
from replication.speed.processes import measure_scaling
from replication.speed.shares import PARTS, measure_shares
from replication.speed.training import measure_training
from replication.tasks.car_racing import CAR_RACING_V0

import numpy as np

NOISY = 0.1  # half a ratio's range, relative to its median: an idle machine stays below


@dataclass(frozen=True)
class Options:
    """Measure this machine."""

    json: str = ""  # Write the figures to this file too.
    rounds: int = 7  # Times that each contender has its turn.
    frames: int = 384  # Frames of a turn.
    training: bool = True  # Measure the training steps of V and M as well.
    scaling: bool = True  # Measure two processes against one as well.


def measure(drivers: dict[str, Driver], frames: int, rounds: int) -> dict:
    """Seconds a frame of each driver in each round: name -> (rounds,)."""
    times = {name: np.zeros(rounds) for name in drivers}
    for turn in range(-1, rounds):  # the first one compiles, and is not counted
        for name, run in drivers.items():
            start = time.perf_counter()
            count = run(frames)
            if turn >= 0:
                times[name][turn] = (time.perf_counter() - start) / count
    return times


def rows_of(times: dict[str, np.ndarray]) -> list[dict]:
    """Frames a second and the ratio to stock within the round: median, least, most."""
    rows = []
    for name, seconds in times.items():
        ratio = times[STOCK] / seconds
        rows.append(
            {
                "name": name,
                "frames_per_second": float(1 / np.median(seconds)),
                "ratio": float(np.median(ratio)),
                "ratio_min": float(ratio.min()),
                "ratio_max": float(ratio.max()),
            }
        )
    return rows


def print_rows(rows: list[dict]) -> None:
    print(f"\n{'one core':<32}{'frames/s':>9}{'x stock':>9}  range")
    for row in rows:
        spread = f"{row['ratio_min']:.1f}..{row['ratio_max']:.1f}"
        print(f"{row['name']:<32}{row['frames_per_second']:>9.0f}{row['ratio']:>9.1f}  {spread}")
    spread = max((row["ratio_max"] - row["ratio_min"]) / 2 / row["ratio"] for row in rows)
    noisy = ": something else runs here, or --frames is too small" if spread > NOISY else ""
    print(f"spread: ±{spread:.0%} at most{noisy}")


def agents_shares(frames: int) -> dict[str, dict[str, float]]:
    """Microseconds a frame of each part of an agent, on either game."""
    parts = random_parts()
    agents = {AGENT: new_agent(parts, 16), AGENT_V0: new_agent(parts, 16, CAR_RACING_V0)}
    return {name: measure_shares(agent, frames) for name, agent in agents.items()}


def print_shares(shares: dict[str, dict[str, float]]) -> None:
    print(f"\n{'microseconds a frame':<38}" + "".join(f"{name:>34}" for name in shares))
    totals = {name: sum(parts.values()) for name, parts in shares.items()}
    for part in PARTS:
        row = {
            name: f"{us[part]:.0f} ({us[part] / totals[name]:.0%})" for name, us in shares.items()
        }
        print(f"{part:<38}" + "".join(f"{cell:>34}" for cell in row.values()))


def paper_line(rows: list[dict]) -> str:
    """What the paper's schedule would take here at the agent's speed."""
    paper, cores = PRESETS["paper"].controller, records.cores()
    frames = paper.population * paper.episodes * paper.generations * 1000
    speed = next(row["frames_per_second"] for row in rows if row["name"] == AGENT)
    hours = frames / speed / 3600
    return (
        f"the paper's schedule ({paper.population} x {paper.episodes} x {paper.generations}"
        f" episodes of 1000 frames): {hours:,.0f} core-hours, {hours / cores / 24:.1f} days on"
        f" the {cores} cores here; evaluations not counted"
    )


def main(options: Options) -> None:
    if options.rounds < 1 or options.frames < 64:
        raise UserError("--rounds must be at least 1 and --frames at least 64")
    if options.json and not Path(options.json).resolve().parent.is_dir():
        raise UserError(f"--json {options.json}: no such folder")
    cores = os.sched_getaffinity(0)
    one_thread()
    os.sched_setaffinity(0, {min(cores)})
    print(f"{processor()}, {len(cores)} cores")
    rows = rows_of(measure(contenders(), options.frames, options.rounds))
    print_rows(rows)
    shares = agents_shares(4 * options.frames)
    print_shares(shares)
    os.sched_setaffinity(0, cores)
    print(f"\n{paper_line(rows)}")
    training = measure_training(TASK) if options.training else []
    for row in training:
        (unit, value) = list(row.items())[1]
        print(f"{row['name']}: {value:,.0f} {unit.replace('_', ' ')}")
    scaling = measure_scaling(3 * options.frames, options.rounds) if options.scaling else None
    if scaling:
        spread = f"{scaling['ratio_min']:.2f}..{scaling['ratio_max']:.2f}"
        print(f"{scaling['name']}: {scaling['ratio']:.2f} times the frames ({spread})")
    if options.json:
        facts = {
            "processor": processor(),
            "cores": len(cores),
            "rows": rows,
            "microseconds": shares,
            "training": training,
            "scaling": scaling,
            "versions": versions(),
        }
        files.write_json(Path(options.json), facts)


if __name__ == "__main__":
    run_script(lambda: main(parse_dataclass(Options, Options(), sys.argv[1:], __doc__)))
