"""Stage 5: evolve C with CMA-ES on rollouts (World Models, 3.2 and A.4), or in dreams (4).

    mpirun -n 3 python replication/train_controller.py quick

The master asks CMA-ES for candidates, the workers run their episodes. Reads V and M; writes
checkpoints/RUN/controller/: log.jsonl and best.json (C's vector, the best that was evaluated: the
mean of the search distribution, or with --controller.average the mean of its last means); with
--controller.start also start.json, the C that the search starts from; with --controller.inputs
whitened also whitening.npz. The rollouts are read for the latter, and to start from an agent on
another V or M, or in another mode. With --controller.world dream the series are read, whose first
frames dreams start from.
Killed and called again it goes on to the same numbers, bit for bit.
"""

import time
from pathlib import Path

from replication.config import Config, Controller, UserError
from replication.dataset.series import load_series
from replication.parallel import mpi
from replication.rnn.batches import for_m
from replication.rnn.starts import find_starts
from replication.rollouts.agent import AgentParts, one_thread
from replication.rollouts.agent_files import changed_part, load_parts
from replication.rollouts.dream_world import dream_rules
from replication.rollouts.loop import Trial
from replication.rollouts.workers import DreamSettings, run_all, start_worker
from replication.runs import files, folders, records
from replication.runs.logs import Log, read_log
from replication.runs.script import parse_run_cli
from replication.runs.seeds import Purpose, derive_seed, generator
from replication.search.cma_es import Evolution
from replication.search.fitness import fitness_of
from replication.search.search_start import SearchStart, read_search_start

import numpy as np
from tqdm import tqdm


def generation_trials(
    config: Config, generation: int, candidates: np.ndarray, earlier: int = 0
) -> list[Trial]:
    """Every candidate's episodes, candidate by candidate.

    earlier: generations of the searches before this one; their tracks do not come again.
    """
    settings = config.controller
    short = generation <= settings.short
    dreams = settings.world == "dream"
    return [
        Trial(
            derive_seed(
                config.seed,
                Purpose.CANDIDATE,
                earlier + generation,
                0 if settings.same_tracks else candidate,
                episode,
            ),
            parameters,
            config.dream.patience if dreams else settings.patience,
            settings.short_steps if short else None,
        )
        for candidate, parameters in enumerate(candidates)
        for episode in range(settings.episodes)
    ]


def evaluate_found(pool: mpi.Pool, config: Config, es: Evolution) -> dict:
    """What the search has found, in episodes that no candidate has had.

    It is judged by eval_mean. Where the judge is a dream, games can stand beside it; no choice
    depends on these.
    """
    settings = config.controller
    name = f"generation {es.generation}, evaluation"
    age, found = es.earlier + es.generation, es.found
    trials = [
        Trial(derive_seed(config.seed, Purpose.EVALUATION, age, episode), found)
        for episode in range(max(settings.eval_episodes, settings.game_episodes))
    ]
    judged, games = trials[: settings.eval_episodes], trials[: settings.game_episodes]
    values = _spread("eval", run_all(pool, name, judged, settings.judge)[:, 0])
    if games:
        values |= _spread("game", run_all(pool, f"{name} in the game", games)[:, 0])
    return values


def _spread(name: str, returns: np.ndarray) -> dict:
    return {
        f"{name}_mean": float(returns.mean()),
        f"{name}_std": float(returns.std()),
        f"{name}_episodes": float(len(returns)),
    }


def run_generation(pool: mpi.Pool, config: Config, es: Evolution) -> dict:
    """One generation, told to CMA-ES; and the evaluation that is due after it. The log's values."""
    candidates = es.ask()
    generation = es.generation + 1
    trials = generation_trials(config, generation, candidates, es.earlier)
    world = config.controller.world
    results = run_all(pool, f"generation {generation}", trials, world)  # (trials, 2)
    returns = results[:, 0].reshape(len(candidates), -1)  # (population, episodes)
    fitness = fitness_of(returns, config.dream.worst if world == "dream" else 0)
    es.tell(fitness)
    values = {
        "best": fitness.max(),
        "mean": fitness.mean(),
        "worst": fitness.min(),
        "std": fitness.std(),
        "sigma": es.sigma,
        "frames": results[:, 1].sum(),
    }
    due = generation % config.controller.eval_every == 0
    if due or generation == config.controller.generations:
        values |= evaluate_found(pool, config, es)
    values = {name: float(value) for name, value in values.items()}
    return values | {"returns": fitness.tolist()}


def keep_best(es: Evolution, line: dict, settings: Controller, folder: Path) -> None:
    """Keep what the search has found if it has been evaluated, and better than before."""
    path = folder / "best.json"
    before = files.read_json(path, "eval_mean")["eval_mean"] if path.exists() else -np.inf
    if line.get("eval_mean", -np.inf) > before:
        facts = {key: line[key] for key in ("eval_mean", "eval_std", "eval_episodes")}
        inputs = {"mode": settings.mode, "z": settings.z}
        parameters = es.found.astype(np.float32).tolist()
        files.write_json(
            path, {"generation": es.generation, **inputs, **facts, "parameters": parameters}
        )


def resume(config: Config, start: SearchStart, path: Path) -> Evolution:
    """The search as a log left it: told again what every candidate returned."""
    es = Evolution(
        start.parameters, config.controller, config.seed, start.whitening, len(start.log)
    )
    for line in read_log(path):
        returns = line.get("returns", [])
        if line["step"] != es.generation + 1 or len(returns) != config.controller.population:
            raise UserError(
                f"{folders.shown(path)} lacks the returns of generation {es.generation + 1}:"
                " restore it, or --overwrite"
            )
        es.ask()
        es.tell(returns)
        keep_best(es, line, config.controller, path.parent)  # where best.json is lost
    return es


def evolve(pool: mpi.Pool, config: Config, es: Evolution, folder: Path) -> float:
    """Go on to the last generation; returns the seconds of work, all sessions together."""
    log = Log(folder / "log.jsonl", resume_at=es.generation)
    generations = config.controller.generations
    with tqdm(
        total=generations, initial=es.generation, desc="controller", unit="generation"
    ) as bar:
        while es.generation < generations:
            values = run_generation(pool, config, es)
            keep_best(es, values, config.controller, folder)
            # Last: it is what a run is resumed from.
            log.write(es.generation, **values, processes=mpi.workers())
            bar.update()
            bar.set_postfix(mean=f"{values['mean']:.0f}", best=f"{values['best']:.0f}")
    return log.seconds


def is_evaluated(path: Path) -> bool:
    """Whether a log's last generation was: not if its C is what rounds, or another run, made of it,
    nor if a search that was stopped is to end where it stopped.
    """
    log = read_log(path)
    return bool(log) and "eval_mean" in log[-1]


def check_settings(config: Config, parts: AgentParts) -> None:
    """Raise UserError for settings that the task, or a search that has begun, has no use for."""
    records.check_grows(config, "train_controller")
    if config.controller.patience and parts.task.idle_reward is None:
        raise UserError(f"--controller.patience: {parts.task.name} has no idle steps; give 0")


def check_finished(config: Config, run: Path, parts: AgentParts) -> None:
    """Raise UserError if V or M is in the middle of more training than it is recorded with."""
    outputs = records.input_outputs(config, "train_controller")
    if changed := changed_part(run, parts, outputs):
        raise UserError(
            f"{folders.shown(folders.stage_folder(config, changed))} is not as it was finished:"
            f" run python replication/{records.command(config, changed)}, or restore it"
        )


def dream_settings(config: Config, parts: AgentParts) -> DreamSettings | None:
    """Where dreams start, and how they go, if C acts in dreams."""
    if "dream" not in (config.controller.world, config.controller.judge):
        return None
    series = for_m(load_series(config), parts.rnn_config, parts.task)
    random = generator(config.seed, Purpose.DREAM_STARTS)
    starts = find_starts(config.dream, parts.build_rnn(), [(series, 1.0)], random)
    return DreamSettings(starts, dream_rules(config.dream, config.env.max_steps))


def main(config: Config) -> None:
    one_thread()
    with records.open_stage(config, "train_controller") as folder:
        run, settings = folders.run_folder(config.run), config.controller
        parts = load_parts(run, settings.mode, config.vision, settings.z)
        check_settings(config, parts)
        check_finished(config, run, parts)
        start, dream = read_search_start(config, parts), dream_settings(config, parts)
        records.begin_stage(config, "train_controller")
        start.save(folder)
        es = resume(config, start, folder / "log.jsonl")
        if "real" in (settings.world, settings.judge) or settings.game_episodes:
            parts.task.make_env(config.env.stock).close()  # the master compiles for all
        with mpi.pool(start_worker, (parts, config.env, dream)) as pool:
            seconds = evolve(pool, config, es, folder)
            if not is_evaluated(folder / "log.jsonl"):
                begun = time.monotonic()
                keep_best(es, evaluate_found(pool, config, es), config.controller, folder)
                seconds += time.monotonic() - begun
        report(config, parts, seconds, folder, earlier=len(start.log))


def report(config: Config, parts: AgentParts, seconds: float, folder: Path, earlier: int) -> None:
    best = files.read_json(folder / "best.json")
    reached = (
        f"{best['eval_mean']:.1f} ± {best['eval_std']:.1f} over {best['eval_episodes']:.0f}"
        f" {'tracks' if config.controller.judge == 'real' else 'dreams'}"
        f" at generation {best['generation']} of {config.controller.generations}"
    )
    if earlier:
        reached += f", after {earlier} of earlier searches"
    output = files.controller_fingerprint(best["parameters"])
    parameters = parts.controller.parameter_count
    facts = {"processes": mpi.workers(), "parameters": parameters}
    records.finish(config, "train_controller", output, reached, seconds, **facts)
    print(f"controller: {reached}, in {folders.shown(folder)}")


if __name__ == "__main__":
    mpi.run_parallel(lambda: main(parse_run_cli(doc=__doc__)))
