"""Frames per second of environments and whole agents, side by side in one process on one core.

    python replication/benchmark.py [--json PATH] [--rounds 7]

Everything takes turns, a tenth of a second each, so that a noisy machine slows all alike; a ratio
is taken within a round of many turns, and its median and quartiles over the rounds are shown. Then
what an agent's frame is spent on, how near each layer of V comes to a large product, what CMA-ES
takes of a generation, what the training steps of V and M process in a second, and what a second
process adds.
"""

import itertools
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
from replication.speed.layers import measure_layers
from replication.speed.processes import measure_scaling
from replication.speed.search import measure_search
from replication.speed.shares import PARTS, measure_shares
from replication.speed.training import measure_training
from replication.tasks.car_racing import CAR_RACING_V0

import numpy as np

TURN = 0.1  # seconds
SHARES = 1536  # frames of an agent, of which each part is clocked
FIRST = 64  # frames, by which a turn's number of frames is found
NOISY = 0.1  # half a ratio's middle half, relative to its median: an idle machine stays below
MOST = 3  # times the rounds that were asked for, where they are noisy


@dataclass(frozen=True)
class Options:
    """Measure this machine."""

    json: str = ""  # Write the figures to this file too.
    rounds: int = 7  # Rounds, each of which gives a ratio; up to thrice as many if they are noisy.
    seconds: float = 1.5  # Of each contender in a round, in turns of a tenth of a second.
    training: bool = True  # Measure the training steps of V and M as well.
    scaling: bool = True  # Measure two processes against one as well.


def measure(drivers: dict[str, Driver], turns: int, rounds: int) -> dict[str, np.ndarray]:
    """Seconds a frame of each driver in each round of so many turns: name -> (rounds,).

    Where the ratios of so many rounds spread by more than NOISY, there are more, up to MOST times.
    """
    frames = {name: frames_of_turn(run) for name, run in drivers.items()}
    times = {name: np.zeros(0) for name in drivers}
    while True:
        for name, seconds in measure_round(drivers, frames, turns).items():
            times[name] = np.append(times[name], seconds)
        done = len(times[STOCK])
        if done >= rounds and (spread_of(rows_of(times)) <= NOISY or done >= MOST * rounds):
            return times


def measure_round(
    drivers: dict[str, Driver], frames: dict[str, int], turns: int
) -> dict[str, float]:
    """Seconds a frame of each driver, which take so many turns of so many frames."""
    seconds, counts = dict.fromkeys(drivers, 0.0), dict.fromkeys(drivers, 0)
    for _ in range(turns):
        for name, run in drivers.items():
            start = time.perf_counter()
            counts[name] += run(frames[name])
            seconds[name] += time.perf_counter() - start
    return {name: seconds[name] / counts[name] for name in drivers}


def frames_of_turn(run: Driver) -> int:
    """How many frames take about TURN; at least 1."""
    run(FIRST)  # compiles
    start = time.perf_counter()
    count = run(FIRST)
    return max(1, round(TURN * count / (time.perf_counter() - start)))


def rows_of(times: dict[str, np.ndarray]) -> list[dict]:
    """Frames a second and the ratio to stock within the round: median and quartiles."""
    rows = []
    for name, seconds in times.items():
        low, ratio, high = np.quantile(times[STOCK] / seconds, (0.25, 0.5, 0.75)).tolist()
        speed = float(1 / np.median(seconds))
        row = {"name": name, "frames_per_second": speed, "ratio": ratio}
        rows.append(row | {"ratio_low": low, "ratio_high": high})
    return rows


def spread_of(rows: list[dict]) -> float:
    """The widest middle half of a ratio, halved, in units of its median."""
    return max((row["ratio_high"] - row["ratio_low"]) / 2 / row["ratio"] for row in rows)


def print_rows(rows: list[dict], rounds: int) -> None:
    print(f"\n{'one core':<32}{'frames/s':>9}{'x stock':>9}  middle half")
    for row in rows:
        half = f"{row['ratio_low']:.1f}..{row['ratio_high']:.1f}"
        print(f"{row['name']:<32}{row['frames_per_second']:>9.0f}{row['ratio']:>9.1f}  {half}")
    spread = spread_of(rows)
    noisy = ": something else runs here, or --seconds is too small" if spread > NOISY else ""
    print(f"spread over {rounds} rounds: ±{spread:.0%} at most{noisy}")


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


def print_facts(*measured: list[dict]) -> None:
    """Each row's name and its numbers, by their units."""
    for row in itertools.chain(*measured):
        units = [unit for unit in row if unit != "name"]
        facts = ", ".join(f"{row[unit]:,.0f} {unit.replace('_', ' ')}" for unit in units)
        print(f"{row['name']}: {facts}")


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
    if options.rounds < 1 or not TURN <= options.seconds < np.inf:
        raise UserError(f"--rounds must be at least 1 and --seconds at least {TURN}")
    if options.json and not Path(options.json).resolve().parent.is_dir():
        raise UserError(f"--json {options.json}: no such folder")
    cores = os.sched_getaffinity(0)
    one_thread()
    os.sched_setaffinity(0, {min(cores)})
    print(f"{processor()}, {len(cores)} cores")
    times = measure(contenders(), round(options.seconds / TURN), options.rounds)
    rows = rows_of(times)
    print_rows(rows, len(times[STOCK]))
    shares = agents_shares(SHARES)
    print_shares(shares)
    layers = measure_layers(TASK, options.rounds)
    search = measure_search(random_parts().controller.parameter_count)
    os.sched_setaffinity(0, cores)
    print(f"\n{paper_line(rows)}\n")
    training = measure_training(TASK) if options.training else []
    print_facts(layers, search, training)
    scaling = measure_scaling(SHARES, options.rounds) if options.scaling else None
    if scaling:
        spread = f"{scaling['ratio_min']:.2f}..{scaling['ratio_max']:.2f}"
        print(f"{scaling['name']}: {scaling['ratio']:.2f} times the frames ({spread})")
    if options.json:
        facts = {
            "processor": processor(),
            "cores": len(cores),
            "rows": rows,
            "microseconds": shares,
            "layers": layers,
            "search": search,
            "training": training,
            "scaling": scaling,
            "versions": versions(),
        }
        files.write_json(Path(options.json), facts)


if __name__ == "__main__":
    run_script(lambda: main(parse_dataclass(Options, Options(), sys.argv[1:], __doc__)))
