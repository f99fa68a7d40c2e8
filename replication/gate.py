"""Whether M's dream is fit for C to learn in, asked before C learns (World Models, 4.5).

    python replication/gate.py doom

Does M foresee the ends of held-out episodes, and do policies that do not look live as long in the
dream as in the game? Where it does not, this says so and C is trained all the same. Writes
checkpoints/RUN/gate/gate.json.
"""

import time
from pathlib import Path

from replication.config import Config, UserError
from replication.dataset.series import first_frames, load_series
from replication.rnn.batches import for_m, rows_of
from replication.rnn.dream import Starts
from replication.rnn.ends import EndScore, end_head, measure_ends
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent_files import load_rnn
from replication.rollouts.blind import blind_returns
from replication.rollouts.dream_world import DreamWorld, dream_rules
from replication.rollouts.real_world import RealWorld
from replication.runs import files, folders, records
from replication.runs.script import parse_run_cli, run_script
from replication.runs.seeds import Purpose, derive_seed
from replication.tasks.games import task_of

import numpy as np
from tqdm import tqdm

GAMES = 4  # in lockstep
# What a dream must hold. ours: the original's own M passes the first at its step 500.
LOSS, FOUND, TIMES = 0.05, 0.5, 1.5


def worlds_of(config: Config, rnn: MDNRNN, series: dict) -> dict:
    """The game and the dream, in which blind policies act."""
    task, steps = rnn.task, config.env.max_steps
    envs = [task.make_env(config.env.stock) for _ in range(min(GAMES, config.gate.episodes))]
    starts = Starts(*first_frames(for_m(series, rnn.config, task)))
    return {
        "game": RealWorld(task, envs, max_steps=steps, frames=config.frames),
        "dream": DreamWorld(rnn, starts, dream_rules(config.dream, steps)),
    }


def compare_lives(config: Config, worlds: dict) -> dict[str, dict[str, list[float]]]:
    """The returns of each of the task's controls, in the game and in the dream: one a seed."""
    task, count = task_of(config.task), config.gate.episodes
    seeds = [derive_seed(config.seed, Purpose.GATE, episode) for episode in range(count)]
    lives: dict[str, dict[str, list[float]]] = {}
    with tqdm(total=2 * len(task.controls), desc="gate", unit="policy") as bar:
        for policy in task.controls:
            lives[policy] = {}
            for name, world in worlds.items():
                lives[policy][name] = blind_returns(task, policy, world, seeds).tolist()
                bar.update()
    return lives


def complaints(ends: EndScore, lives: dict[str, dict[str, list[float]]]) -> list[str]:
    """What is wrong with the dream, a few words each; empty if it is fit."""
    wrong = [] if ends.deaths else ["no held-out recording ends"]
    if ends.loss >= LOSS:
        wrong.append(f"the end's loss is {ends.loss:.3f}, not below {LOSS:g}")
    if ends.found < FOUND * ends.deaths:
        wrong.append(f"{ends.found} of {ends.deaths} ends are foreseen")
    if ends.alarms - ends.early > ends.found:
        wrong.append(f"{ends.alarms - ends.early} false alarms, more than ends foreseen")
    for policy, returns in lives.items():
        game, dream = np.mean(returns["game"]), np.mean(returns["dream"])
        if not 1 / TIMES <= dream / game <= TIMES:
            wrong.append(f"{policy}: {dream:.0f} in the dream, {game:.0f} in the game")
    return wrong


def main(config: Config) -> None:
    begun = time.monotonic()
    records.check_stage(config, "gate")
    with records.open_stage(config, "gate") as folder:
        series, rnn = load_series(config), load_rnn(folders.run_folder(config.run))
        if not end_head(rnn.task, rnn.heads):
            raise UserError("gate.py needs an M that foresees ends: give train_rnn --rnn.heads")
        records.begin_stage(config, "gate")
        held_out, _ = rows_of(series)
        ends = measure_ends(rnn, series, held_out, config.seed)
        lives = compare_lives(config, worlds_of(config, rnn, series))
        wrong = complaints(ends, lives)
        facts = {"temperature": config.dream.temperature, "ends": ends._asdict(), "lives": lives}
        files.write_json(folder / "gate.json", facts | {"wrong": wrong})
        report(config, ends, wrong, folder, time.monotonic() - begun)


def report(config: Config, ends: EndScore, wrong: list[str], folder: Path, seconds: float) -> None:
    verdict = "the dream is fit" if not wrong else f"WARNING: not fit: {'; '.join(wrong)}"
    reached = (
        f"held-out end loss {ends.loss:.4f}, {ends.found} of {ends.deaths} ends foreseen,"
        f" {ends.alarms} alarms in {ends.steps:,} other steps ({ends.early} of them early);"
        f" {verdict}"
    )
    output = files.fingerprint([np.fromfile(folder / "gate.json", np.uint8)])
    records.finish(config, "gate", output, reached, seconds, processes=records.cores())
    print(f"gate: {reached}, in {folders.shown(folder)}")


if __name__ == "__main__":
    run_script(lambda: main(parse_run_cli(doc=__doc__)))
