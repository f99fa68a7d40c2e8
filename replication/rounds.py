"""Stage 4b: rounds of dreaming, driving and learning anew (World Models, 4 and 5).

    mpirun -n 3 python replication/rounds.py dreamt --rounds.count 10

In a round C searches in M's dream. The C at the start of the search and those at several points of
it drive the same tracks of the game, and the best goes on. It also drives with noise and with
random actions in between. M learns from what the latest rounds drove; C becomes the policy that
acts alike on the new M. No candidate's fitness comes from the game. Where a search only found what
M does not know, what it began with is the best, and the next search makes smaller steps. The first
round begins with a C of zeros, or with an agent's (--controller.start).

Reads V, M and the series, and the rollouts to start from an agent. Writes checkpoints/RUN/rounds/:
log.jsonl, a line a round; NN/, what each round made; rnn/ and controller.json, M and C of the round
that drove best. data/RUN/rounds/NN/ is what was driven. Killed and called again it goes on to the
same numbers, bit for bit.
"""

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

from replication.config import Config, UserError
from replication.dataset.driven import episodes_of, return_of, write_driven
from replication.parallel import mpi
from replication.rnn.batches import Share, rows_of
from replication.rnn.refine import refine
from replication.rnn.rnn import MDNRNN, heads_of
from replication.rnn.starts import find_starts
from replication.rollouts.agent import AgentParts, one_thread
from replication.rollouts.agent_files import load_parts
from replication.rollouts.dream_world import dream_rules
from replication.rollouts.loop import Trial
from replication.rollouts.workers import DreamSettings, NewM, record_all, run_all, start_worker
from replication.runs import files, folders, records
from replication.runs.logs import Log, read_log, seconds_of
from replication.runs.script import parse_run_cli
from replication.runs.seeds import Purpose, derive_seed, generator
from replication.search.course import Course, Standing, read_round, standing_after, standing_before
from replication.search.dream_search import DreamSearch
from replication.search.refit import refit
from replication.search.round_trials import clean_trials, disturbed_trials, dream_trials
from replication.search.search_start import read_rounds_start
from replication.search.whitening import Whitening, whitening_of
from replication.training import save_weights

import numpy as np

SOME = 30  # ours: episodes of a series that C's inputs are whitened on
SMALLER = 0.9  # ours: a round's first sigma, times that of the round before
# ours: the search's steps, times those before: where the start drove best, and where it did not
CAREFUL, BOLD, SMALLEST = 0.6, 1.5, 0.2
FINALISTS = 3  # ours: rounds whose C's drive once more, for the best of them to be chosen


@dataclass(frozen=True)
class Driven:
    """What was driven in a round, by the C's that the search began with and went through."""

    returns: np.ndarray  # (C's, tracks)
    dreams: np.ndarray  # (C's,): the mean return of each in the dream
    frames: int  # in all, those of the disturbed C too

    @property
    def best(self) -> int:
        """Which C has the greatest mean."""
        return best_of(self.returns)


# The parts of a round -------------------------------------------------------------------------


def make_m(course: Course, before: Standing) -> NewM:
    """The M of a round, and states that it dreams from."""
    config, number = course.config, before.number + 1
    random = generator(course.seed(number), Purpose.DREAM_STARTS)
    shares = course.shares(before.number)
    starts = find_starts(config.dream, course.watcher(before.weights), shares, random)
    rules = dream_rules(config.dream, config.env.max_steps)
    return NewM(str(number), before.weights, DreamSettings(starts, rules))


def whiten(course: Course, before: Standing) -> Whitening:
    """Steps for the search, by what C sees on that M."""
    inputs = []
    for series, _ in course.shares(before.number):
        some = series | {"offset": series["offset"][: SOME + 1]}
        last = some["offset"][-1]
        inputs.append(course.inputs_of_c(before.weights, some | {"mu": series["mu"][:last]}))
    return whitening_of(np.concatenate(inputs), course.parts.task)


def dream_up(
    course: Course, pool: mpi.Pool, before: Standing, whitening: Whitening, m: NewM, path: Path
) -> np.ndarray:
    """C at the start of the search in the dream and at points on its way: float32 (C's, P).

    path: the search's log.
    """
    settings, number = course.config.rounds, before.number + 1
    planned = max(settings.least_sigma, settings.sigma * SMALLER**before.number)
    search = DreamSearch(course.config, course.seed(number), planned * before.steps, m)
    return search.run(pool, before.parameters, whitening, path)


def drive(
    course: Course, pool: mpi.Pool, number: int, found: np.ndarray, whitening: Whitening, m: NewM
) -> Driven:
    """Every C (C's, P) on the same tracks, and the best one disturbed; M learns from all of it."""
    folder = folders.driven_folder(course.config, number)
    if not folder.exists():
        trials = clean_trials(course, number, found)
        episodes = record_all(pool, f"round {number}", trials, m)
        best = best_of(returns_of(course, episodes, len(found)))
        more = disturbed_trials(course, number, found[best], whitening)
        episodes += record_all(pool, f"round {number}, disturbed", more, m)
        seeds = [trial.seed for trial in trials + more]
        write_driven(episodes, seeds, course.parts.task, folder)
    series = course.driven(number)
    clean = episodes_of(series, len(found) * course.config.rounds.tracks)
    returns = returns_of(course, clean, len(found))
    dreamt = run_all(pool, f"round {number}", dream_trials(course, number, found), "dream", m)
    dreams = dreamt[:, 0].reshape(len(found), -1).mean(axis=1)
    return Driven(returns, dreams, int(series["offset"][-1]))


def best_of(returns: np.ndarray) -> int:
    """The C whose returns (C's, tracks) have the greatest mean."""
    return int(returns.mean(axis=1).argmax())


def returns_of(course: Course, episodes: list[dict], count: int) -> np.ndarray:
    """The returns of so many C's on the round's tracks: (C's, tracks)."""
    steps, idle = course.config.env.max_steps, course.parts.task.idle_reward or 0
    returns = [return_of(episode, steps, idle) for episode in episodes]
    return np.reshape(returns, (count, -1))


def learn(course: Course, before: Standing, kept: np.ndarray) -> tuple[MDNRNN, np.ndarray, dict]:
    """M, when it has learned from the new driving too, and a C that acts on it as `kept` did."""
    settings, number = course.config.rounds, before.number + 1
    rnn, own = course.build_rnn(before.weights), course.driven(number)
    seen = course.inputs_of_c(before.weights, own)
    (first, weight), *later = course.shares(number)
    shares = [Share(first, rows_of(first)[1], weight)]
    shares += [Share(series, np.arange(len(series["seed"])), share) for series, share in later]
    folder = course.of_round(number) / "rnn"
    folder.mkdir(exist_ok=True)
    refine(rnn, shares, settings.batches, settings.learning_rate, course.seed(number), folder)
    now = course.inputs_of_c(rnn.get_weights(), own)
    parameters, explained = refit(course.parts.controller, kept, seen, now)
    return rnn, parameters, explained


# Round after round ----------------------------------------------------------------------------


def play_round(course: Course, pool: mpi.Pool, before: Standing, log: Log) -> Standing:
    """A whole round; its last act is to write round.json."""
    number = before.number + 1
    folder = course.of_round(number)
    if not folder.exists():
        # A round begun anew: what stands there another search's C's have driven.
        shutil.rmtree(folders.driven_folder(course.config, number), ignore_errors=True)
        folder.mkdir()
    m, whitening = make_m(course, before), whiten(course, before)
    found = dream_up(course, pool, before, whitening, m, folder / "log.jsonl")
    driven = drive(course, pool, number, found, whitening, m)
    rnn, parameters, explained = learn(course, before, found[driven.best])
    weights = rnn.get_weights()
    save_weights(course.build_rnn(weights), folder / "rnn.weights.h5")  # without Adam's state
    change = BOLD if driven.best else CAREFUL
    steps = float(np.clip(before.steps * change, SMALLEST, 1))
    values = summary(driven, read_log(folder / "log.jsonl")) | {"explained": explained}
    log.write(number, **values, processes=mpi.workers())
    vectors = {"found": found[driven.best].tolist(), "parameters": parameters.tolist()}
    files.write_json(folder / "round.json", {"steps": steps, "log": values} | vectors)
    print(
        f"round {number}: {values['mean']:.1f} ± {values['std']:.1f} over {values['episodes']}"
        f" episodes of the game, {values['dream']:.1f} in the dream"
        + ("" if driven.best else "; the search found nothing better than what it began with")
    )
    return Standing(number, weights, parameters, steps)


def summary(driven: Driven, search: list[dict]) -> dict:
    """What the log says of a round. search: the log of its search."""
    returns = driven.returns[driven.best]
    return {
        "dream": float(driven.dreams[driven.best]),
        "mean": float(returns.mean()),
        "std": float(returns.std()),
        "worst": float(returns.min()),
        "episodes": len(returns),
        "means": driven.returns.mean(axis=1).round(1).tolist(),  # of all C's, the start's first
        "dreams": driven.dreams.round(2).tolist(),  # of the same C's
        "best": driven.best,
        "sigma": search[-1]["sigma"],
        "frames": driven.frames,
        "dream_steps": sum(line["frames"] for line in search),
    }


# The best round -------------------------------------------------------------------------------


def choose(course: Course, pool: mpi.Pool, rounds: int) -> tuple[int, np.ndarray]:
    """The round whose C drives best, and its returns on tracks that no round has driven.

    The rounds that drove best drive once more, as the best of many means is partly luck.
    """
    means = {n: read_round(course, n)["log"]["mean"] for n in range(1, rounds + 1)}
    finalists = sorted(means, key=means.get, reverse=True)[:FINALISTS]
    returns = {n: drive_again(course, pool, n) for n in sorted(finalists)}
    best = max(returns, key=lambda n: returns[n].mean())
    return best, returns[best]


def drive_again(course: Course, pool: mpi.Pool, number: int) -> np.ndarray:
    """Returns (N,) of a round's C, on the M that it was found with."""
    config, path = course.config, course.of_round(number) / "final.json"
    found = np.float32(read_round(course, number)["found"])
    seeds = [
        derive_seed(config.seed, Purpose.ROUND_FINAL, place) for place in range(config.rounds.final)
    ]
    known = files.read_json(path, "returns")["returns"] if path.exists() else []
    if len(known) != len(seeds):
        m = make_m(course, standing_before(course, number))
        trials = [Trial(seed, found) for seed in seeds]
        known = run_all(pool, f"round {number} again", trials, "real", m)[:, 0].tolist()
        files.write_json(path, {"returns": known})
    return np.array(known)


def publish(course: Course, number: int) -> str:
    """Put M and C of a round into place; returns M's fingerprint."""
    rnn = course.build_rnn(standing_before(course, number).weights)
    folder = course.folder / "rnn"
    folder.mkdir(exist_ok=True)
    files.write_json(folder / "rnn.json", dataclasses.asdict(rnn.config))
    settings = course.config.controller
    facts = {"round": number, "mode": settings.mode, "z": settings.z}
    facts["parameters"] = read_round(course, number)["found"]
    files.write_json(course.folder / "controller.json", facts)
    save_weights(rnn, folder / "rnn.weights.h5")  # last: with it the run's M is this one
    return files.fingerprint(rnn.get_weights())


def seconds_of_stopped(course: Course, before: Standing) -> float:
    """What a round that was stopped has taken: its search and M's learning, not its driving."""
    folder = course.of_round(before.number + 1)
    logs = folder / "log.jsonl", folder / "rnn" / "log.jsonl"
    return sum(seconds_of(read_log(path)) for path in logs)


def check_settings(config: Config, parts: AgentParts) -> None:
    """Raise UserError for no rounds or fewer than are over, for an M in whose dreams nothing
    happens, and for a C that cannot be fitted.
    """
    records.check_grows(config, "rounds")
    if not config.rounds.count:
        raise UserError("--rounds.count 0: give the number of rounds")
    if not heads_of(parts.rnn_config, parts.task):
        known = ", ".join(sorted(parts.task.heads))
        raise UserError(
            f"M predicts nothing that a dream could earn or end by: train it with --rnn.heads"
            f" ({config.task} has {known})"
        )
    if config.controller.mode == "z_hidden":
        raise UserError("--controller.mode z_hidden: rounds take a linear C")


def main(config: Config) -> None:
    one_thread()
    with records.open_stage(config, "rounds") as folder:
        run, settings = folders.run_folder(config.run), config.controller
        parts = load_parts(run, settings.mode, config.vision, settings.z, run / "rnn")
        check_settings(config, parts)
        start = read_rounds_start(config, parts)
        records.begin_stage(config, "rounds")
        start.save(folder)
        course = Course(config, parts, start.parameters, folder)
        standing = standing_after(course)
        log = Log(folder / "log.jsonl", standing.number, seconds_of_stopped(course, standing))
        parts.task.make_env(config.env.stock).close()  # the master compiles for all
        with mpi.pool(start_worker, (parts, config.env)) as pool:
            while standing.number < config.rounds.count:
                standing = play_round(course, pool, standing, log)
            best, returns = choose(course, pool, standing.number)
        output = publish(course, best)
        reached = (
            f"{returns.mean():.1f} ± {returns.std():.1f} over {len(returns)} episodes,"
            f" the C of round {best} of {standing.number}"
        )
        records.finish(config, "rounds", output, reached, log.seconds, processes=mpi.workers())
    print(f"rounds: {reached}, in {folders.shown(folder)}")


if __name__ == "__main__":
    mpi.run_parallel(lambda: main(parse_run_cli(doc=__doc__)))
