"""Stage 4b: rounds of dreaming, driving and learning anew (World Models, 4 and 5).

    mpirun -n 3 python replication/rounds.py laptop --rounds.count 10

In a round C searches in M's dream; the C that is found drives in the game, as it is and disturbed;
M learns from all that was driven so far; C becomes the policy that acts alike on the new M. No
candidate's fitness comes from the game. A C that drives worse than the last good one is dropped:
its driving teaches M what it got wrong, and the search begins again, with smaller steps.

Reads V, M and the series. Writes checkpoints/RUN/rounds/: log.jsonl, a line a round; NN/, what each
round made; rnn/ and controller.json, M and C of the round that drove best. data/RUN/rounds/NN/ is
what was driven. Killed and called again it goes on to the same numbers, bit for bit.
"""

import dataclasses
from dataclasses import dataclass

from replication.config import Config
from replication.dataset.driven import returns_of, write_driven
from replication.parallel import mpi
from replication.rnn.batches import Share, rows_of
from replication.rnn.refine import refine
from replication.rnn.rnn import MDNRNN
from replication.rnn.starts import STARTS, recorded_starts
from replication.rollouts.agent import one_thread
from replication.rollouts.agent_files import load_parts
from replication.rollouts.dream_world import dream_rules
from replication.rollouts.loop import Trial
from replication.rollouts.workers import DreamSettings, NewM, record_all, start_worker
from replication.runs import files, folders, records
from replication.runs.logs import Log, read_log
from replication.runs.script import parse_run_cli
from replication.runs.seeds import Purpose, derive_seed, generator
from replication.search.course import Course, Standing, read_round, standing_of, weights_after
from replication.search.dream_search import DreamSearch
from replication.search.refit import refit
from replication.search.whitening import Whitening, whitening_of
from replication.training import save_weights

import numpy as np

SOME = 30  # ours: episodes of a series that C's inputs are whitened on
GIVE_UP = 150  # ours: frames without reward after which a recorded episode is given up
SMALLER = 0.9  # ours: a round's first sigma, times that of the round before
CAREFUL, BOLD = 0.5, 1.5  # ours: steps after a bad round and after a good one, times those before


@dataclass(frozen=True)
class Driven:
    """What a round's C drove."""

    series: dict  # as M learns it
    returns: np.ndarray  # of the episodes that C drove as it is
    frames: int

    @property
    def error(self) -> float:
        """The standard error of the mean return."""
        return float(self.returns.std() / np.sqrt(len(self.returns)))


# The parts of a round -------------------------------------------------------------------------


def make_m(course: Course, before: Standing) -> NewM:
    """The M of a round, and states that it dreams from."""
    config, number = course.config, before.number + 1
    random = generator(course.seed(number), Purpose.DREAM_STARTS)
    rnn = course.build_rnn(before.weights)
    starts = recorded_starts(rnn, course.shares(before.number), STARTS, random)
    rules = dream_rules(config.dream, config.env.max_steps)
    return NewM(str(number), before.weights, DreamSettings(starts, rules))


def whiten(course: Course, before: Standing) -> Whitening:
    """Steps for the search, by what C sees on that M."""
    rnn = course.build_rnn(before.weights)
    inputs = []
    for series, _ in course.shares(before.number):
        some = series | {"offset": series["offset"][: SOME + 1]}
        last = some["offset"][-1]
        inputs.append(course.inputs_of_c(rnn, some | {"mu": series["mu"][:last]}))
    return whitening_of(np.concatenate(inputs), course.parts.task)


def dream_up(
    course: Course, pool: mpi.Pool, before: Standing, whitening: Whitening, m: NewM
) -> tuple[np.ndarray, dict]:
    """C as the dream has made it, float32 (P,), and the last line of the search's log."""
    settings, number = course.config.rounds, before.number + 1
    planned = max(settings.least_sigma, settings.sigma * SMALLER**before.number)
    search = DreamSearch(course.config, course.seed(number), planned * before.steps, m)
    path = course.of_round(number) / "log.jsonl"
    return search.run(pool, before.parameters, whitening, path)


def drives(course: Course, number: int, found: np.ndarray, whitening: Whitening) -> list[Trial]:
    """The episodes that C drives in a round: as it is, with noise on it, with random bursts."""
    settings, seed = course.config.rounds, course.seed(number)
    patience = 0 if course.parts.task.idle_reward is None else GIVE_UP
    trials = []
    for kind, count in enumerate((settings.clean, settings.noisy, settings.bursts)):
        for episode in range(count):
            its_seed = derive_seed(seed, Purpose.ROUND_DRIVE, kind, episode)
            parameters = found
            if kind == 1:
                random = generator(its_seed, Purpose.RECORDING)
                step = random.standard_normal((1, len(found))) * random.uniform(0, settings.noise)
                parameters = np.float32(found + whitening.flat(step)[0])
            trials.append(Trial(its_seed, parameters, patience, bursts=kind == 2))
    return trials


def drive(
    course: Course, pool: mpi.Pool, number: int, found: np.ndarray, whitening: Whitening, m: NewM
) -> Driven:
    """What C drives in the game in a round; it is kept for M."""
    task, config = course.parts.task, course.config
    folder = folders.driven_folder(config, number)
    if not folder.exists():
        trials = drives(course, number, found, whitening)
        episodes = record_all(pool, f"round {number}", trials, m)
        write_driven(episodes, [trial.seed for trial in trials], task, folder)
    series = course.driven(number)
    returns = returns_of(series, config.env.max_steps, task.idle_reward or 0)
    return Driven(series, returns[: config.rounds.clean], int(series["offset"][-1]))


def learn(course: Course, before: Standing, kept: np.ndarray) -> tuple[MDNRNN, np.ndarray, dict]:
    """M, when it has learned from the new driving too, and a C that acts on it as `kept` did."""
    settings, number = course.config.rounds, before.number + 1
    rnn, own = course.build_rnn(before.weights), course.driven(number)
    seen = course.inputs_of_c(rnn, own)
    (first, weight), *later = course.shares(number)
    shares = [Share(first, rows_of(first)[1], weight)]
    shares += [Share(series, np.arange(len(series["seed"])), share) for series, share in later]
    folder = course.of_round(number) / "rnn"
    folder.mkdir(exist_ok=True)
    refine(rnn, shares, settings.batches, settings.learning_rate, course.seed(number), folder)
    now = course.inputs_of_c(rnn, own)
    parameters, explained = refit(course.parts.controller, kept, [seen], [now])
    return rnn, parameters, explained


# Round after round ----------------------------------------------------------------------------


def judge(before: Standing, driven: Driven) -> tuple[bool, dict]:
    """Whether the C of a round is as good as the last good one, by the round's own recordings.

    Returns what the next round must know of it.
    """
    mean, error = float(driven.returns.mean()), driven.error
    if mean >= before.mean - np.hypot(error, before.error):
        return True, {"mean": mean, "error": error, "steps": min(1.0, before.steps * BOLD)}
    kept = {"mean": before.mean, "error": before.error}
    return False, kept | {"steps": before.steps * CAREFUL}


def play_round(course: Course, pool: mpi.Pool, before: Standing, log: Log) -> Standing:
    """A whole round; its last act is to write round.json."""
    number = before.number + 1
    folder = course.of_round(number)
    folder.mkdir(exist_ok=True)
    m, whitening = make_m(course, before), whiten(course, before)
    found, searched = dream_up(course, pool, before, whitening, m)
    driven = drive(course, pool, number, found, whitening, m)
    good, standing = judge(before, driven)
    rnn, parameters, explained = learn(course, before, found if good else before.parameters)
    weights = rnn.get_weights()
    save_weights(course.build_rnn(weights), folder / "rnn.weights.h5")  # without Adam's state
    values = {
        "dream": searched["dream"],
        "mean": float(driven.returns.mean()),
        "std": float(driven.returns.std()),
        "worst": float(driven.returns.min()),
        "episodes": len(driven.returns),
        "good": good,
        "sigma": searched["sigma"],
        "explained": explained,
        "frames": driven.frames,
        "dream_steps": sum(line["frames"] for line in read_log(folder / "log.jsonl")),
    }
    log.write(number, **values, processes=mpi.workers())
    vectors = {"found": found.tolist(), "parameters": parameters.tolist()}
    files.write_json(folder / "round.json", standing | {"log": values} | vectors)
    print(
        f"round {number}: {values['dream']:.1f} in the dream, {values['mean']:.1f} ±"
        f" {values['std']:.1f} over {values['episodes']} episodes of the game"
        + ("" if good else "; worse than the last good one, which goes on with smaller steps")
    )
    return Standing(number, weights, parameters, **standing)


def publish(course: Course, rounds: int) -> dict:
    """Put M and C of the round that drove best into place; returns what the log says of it."""
    records_of = {n: read_round(course, n) for n in range(1, rounds + 1)}
    best = max(records_of, key=lambda n: records_of[n]["log"]["mean"])
    rnn = course.build_rnn(weights_after(course, best - 1))
    folder = course.folder / "rnn"
    folder.mkdir(exist_ok=True)
    files.write_json(folder / "rnn.json", dataclasses.asdict(rnn.config))
    settings = course.config.controller
    facts = {"round": best, "mode": settings.mode, "z": settings.z}
    facts["parameters"] = records_of[best]["found"]
    files.write_json(course.folder / "controller.json", facts)
    save_weights(rnn, folder / "rnn.weights.h5")  # last: with it the run's M is this one
    return records_of[best]["log"] | {"round": best, "output": files.fingerprint(rnn.get_weights())}


def main(config: Config) -> None:
    one_thread()
    with records.open_stage(config, "rounds") as folder:
        run, settings = folders.run_folder(config.run), config.controller
        parts = load_parts(run, settings.mode, config.vision, settings.z, run / "rnn")
        records.begin_stage(config, "rounds")
        course = Course(config, parts, folder)
        standing = standing_of(course)
        log = Log(folder / "log.jsonl", resume_at=standing.number)
        parts.task.make_env(config.env.stock).close()  # the master compiles for all
        with mpi.pool(start_worker, (parts, config.env)) as pool:
            while standing.number < config.rounds.count:
                standing = play_round(course, pool, standing, log)
        best = publish(course, standing.number)
    reached = (
        f"{best['mean']:.1f} ± {best['std']:.1f} over {best['episodes']} episodes"
        f" in round {best['round']} of {standing.number}"
    )
    facts = {"processes": mpi.workers()}
    records.finish(config, "rounds", best["output"], reached, log.seconds, **facts)
    print(f"rounds: {reached}, in {folders.shown(folder)}")


if __name__ == "__main__":
    mpi.run_parallel(lambda: main(parse_run_cli(doc=__doc__)))
