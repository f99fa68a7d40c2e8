"""Stage 5: evolve C with CMA-ES on real rollouts (World Models, 3.2 and A.4).

    mpirun -n 3 python replication/train_controller.py quick

The master asks CMA-ES for candidates, the workers drive them. Reads V and M; writes
checkpoints/RUN/controller/: log.jsonl and best.json (C's vector: the best evaluated mean of the
search distribution); with --controller.start also start.json, the C that the search starts from;
with --controller.inputs whitened also whitening.npz. The rollouts are read for the latter, and to
start from an agent on another V or M, or in another mode.
Killed and called again it goes on to the same numbers, bit for bit.
"""

from pathlib import Path

from replication.config import Config, Controller, UserError, parse_cli
from replication.parallel import mpi
from replication.rollouts.agent import Weights, changed_part, flat_vector, load_weights, one_thread
from replication.rollouts.loop import Task, make_env
from replication.rollouts.workers import drive_all, start_worker
from replication.runs import files, folders, records, seeds
from replication.runs.logs import Log, read_log
from replication.search.cma_es import Evolution
from replication.search.history import fingerprint
from replication.search.warm_start import read_start
from replication.search.whitening import Whitening, keep_whitening, read_whitening

import numpy as np
from tqdm import tqdm


def generation_tasks(config: Config, generation: int, candidates: np.ndarray) -> list[Task]:
    """Every candidate's episodes, candidate by candidate."""
    tracks = config.controller
    short = generation <= tracks.short
    return [
        Task(
            seeds.derive_seed(
                config.seed, 11, generation, 0 if tracks.same_tracks else candidate, episode
            ),
            parameters,
            tracks.patience,
            tracks.short_steps if short else None,
        )
        for candidate, parameters in enumerate(candidates)
        for episode in range(tracks.episodes)
    ]


def evaluate_mean(pool: mpi.Pool, config: Config, es: Evolution) -> dict:
    """The mean of the search distribution on tracks that no candidate has driven."""
    name = f"generation {es.generation}, evaluation"
    tasks = [
        Task(seeds.derive_seed(config.seed, 12, es.generation, episode), es.mean)
        for episode in range(config.controller.eval_episodes)
    ]
    returns = drive_all(pool, name, tasks)[:, 0]
    return {
        "eval_mean": returns.mean(),
        "eval_std": returns.std(),
        "eval_episodes": len(returns),
    }


def run_generation(pool: mpi.Pool, config: Config, es: Evolution) -> dict:
    """One generation, told to CMA-ES; and the evaluation that is due after it. The log's values."""
    candidates = es.ask()
    generation = es.generation + 1
    tasks = generation_tasks(config, generation, candidates)
    results = drive_all(pool, f"generation {generation}", tasks)  # (population * episodes, 2)
    fitness = results[:, 0].reshape(len(candidates), -1).mean(axis=1)  # (population,)
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
        values |= evaluate_mean(pool, config, es)
    values = {name: float(value) for name, value in values.items()}
    return values | {"returns": fitness.tolist()}


def keep_best(es: Evolution, line: dict, settings: Controller, folder: Path) -> None:
    """Keep the mean of the search distribution if it has been evaluated, and better than before."""
    path = folder / "best.json"
    before = files.read_json(path, "eval_mean")["eval_mean"] if path.exists() else -np.inf
    if line.get("eval_mean", -np.inf) > before:
        facts = {key: line[key] for key in ("eval_mean", "eval_std", "eval_episodes")}
        seen = {"mode": settings.mode, "z": settings.z}
        parameters = es.mean.astype(np.float32).tolist()
        files.write_json(
            path, {"generation": es.generation, **seen, **facts, "parameters": parameters}
        )


def resume(
    config: Config, start: np.ndarray, path: Path, whitening: Whitening | None = None
) -> Evolution:
    """The search as a log left it: told again what every candidate returned."""
    es = Evolution(start, config.controller, config.seed, whitening)
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


def check_finished(config: Config, run: Path, weights: Weights) -> None:
    """Raise UserError if V or M is in the middle of more training than it is recorded with."""
    if changed := changed_part(run, weights, records.inputs_of(config, "train_controller")):
        raise UserError(
            f"{folders.shown(folders.stage_folder(config, changed))} is not as it was finished:"
            f" run python replication/{records.command(config, changed)}, or restore it"
        )


def main(config: Config) -> None:
    one_thread()
    with records.open_stage(config, "train_controller") as folder:
        run = folders.run_folder(config.run)
        weights = load_weights(run, config.controller.mode, config.vision, config.controller.z)
        check_finished(config, run, weights)
        start, whitening = read_start(config), read_whitening(config)
        first = np.zeros(weights.parameters)
        if start:
            first += flat_vector(start["parameters"], weights, folder / "start.json")
        records.begin_stage(config, "train_controller")
        if start and not (folder / "start.json").exists():
            files.write_json(folder / "start.json", start)
        if whitening and not (folder / "whitening.npz").exists():
            keep_whitening(whitening, folder / "whitening.npz")
        es = resume(config, first, folder / "log.jsonl", whitening)
        make_env(config.env).close()  # the master compiles for all
        with mpi.pool(start_worker, (weights, config.env)) as pool:
            seconds = evolve(pool, config, es, folder)
        report(config, weights, seconds, folder, earlier=len(start["log"]) if start else 0)


def report(config: Config, weights: Weights, seconds: float, folder: Path, earlier: int) -> None:
    best = files.read_json(folder / "best.json")
    reached = (
        f"{best['eval_mean']:.1f} ± {best['eval_std']:.1f} over {best['eval_episodes']:.0f} tracks"
        f" at generation {best['generation']} of {config.controller.generations}"
    )
    if earlier:
        reached += f", after {earlier} of earlier searches"
    output = fingerprint(best["parameters"])
    records.finish(
        config, "train_controller", output, reached, seconds,
        processes=mpi.workers(), parameters=weights.parameters,
    )  # fmt: skip
    print(f"controller: {reached}, in {folders.shown(folder)}")


if __name__ == "__main__":
    mpi.run_parallel(lambda: main(parse_cli(doc=__doc__)))
