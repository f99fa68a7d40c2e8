"""Rounds of dreaming and driving: files, resume, equal numbers for any number of processes."""

import importlib
import json
import shutil
import sys
from pathlib import Path

from replication.config import Rnn
from replication.rnn.rnn import MDNRNN
from replication.runs import folders
from replication.tasks.car_racing import CAR_RACING_V3

import imageio.v2 as imageio
import numpy as np
import pytest
import tiny

FIELDS = """
    --rnn.heads tiles --rnn.z mean --controller.z mean --controller.generations 0
    --rounds.count 2 --rounds.generations 2 --rounds.population 6 --rounds.episodes 3
    --rounds.points 1 --rounds.tracks 2 --rounds.noisy 1 --rounds.bursts 1
    --rounds.batches 3 --rounds.final 2
    --dream.steps 30 --dream.starts recorded --dream.patience 20 --dream.cap 0.5 --dream.excess 1
    --dream.worst 0.5
"""
ARGV = [*tiny.SCHEDULE, *FIELDS.split()]


@pytest.fixture(scope="module")
def dreaming(finished, tmp_path_factory) -> Path:
    """A home up to the end of two rounds."""
    stages = ("extract", "train_vae", "series")
    home = tiny.copy_of(finished, tmp_path_factory.mktemp("rounds"), *stages)
    for name in ("train_rnn", "rounds"):
        ended = tiny.stage(name, *ARGV, home=home)
        assert ended.status == 0, ended.err
    return home


def weights_of(path: Path) -> list[np.ndarray]:
    """M's weights in a file."""
    rnn = MDNRNN(Rnn(hidden=8, heads="tiles"), CAR_RACING_V3)
    rnn.load_weights(path)
    return rnn.get_weights()


def numbers(home: Path) -> dict:
    """All that rounds came to, but for the time that they took."""
    folder = home / "checkpoints/t/rounds"
    logs = {number: tiny.log_of(home, f"rounds/{number}") for number in ("01", "02")}
    rounds = [json.loads((folder / number / "round.json").read_text()) for number in logs]
    driven = [np.load(home / f"data/t/rounds/{number}/mu.npy").tobytes() for number in logs]
    end = json.loads((folder / "controller.json").read_text())
    return {"logs": logs, "rounds": rounds, "driven": driven, "end": end}


@pytest.fixture
def copy(dreaming, tmp_path) -> Path:
    """The same home, for a test to work in."""
    return shutil.copytree(dreaming, tmp_path / "home")


@pytest.fixture
def again(copy) -> Path:
    """The same home before the rounds."""
    for folder in ("checkpoints/t/rounds", "data/t/rounds"):
        shutil.rmtree(copy / folder)
    return copy


def test_a_round_leaves_what_it_did(dreaming):
    log = tiny.log_of(dreaming, "rounds")
    assert [line["step"] for line in log] == [1, 2]
    for number, line in enumerate(log, 1):
        assert (
            line["episodes"] == 2
            and len(line["means"]) == 2
            and line["frames"] > 4
            and line["dream_steps"] > 100
        )
        series = dreaming / f"data/t/rounds/{number:02d}"
        offset = np.load(series / "offset.npy")
        assert len(offset) == 7 and offset[-1] == line["frames"] == len(np.load(series / "mu.npy"))
        returns = np.add.reduceat(np.float64(np.load(series / "reward.npy")), offset[:-1])
        means = returns[:4].reshape(2, 2).mean(axis=1)  # of two C's on two tracks
        np.testing.assert_allclose(line["means"], means, atol=0.06)
        assert line["best"] == means.argmax() and line["mean"] == pytest.approx(means.max())
        seeds = np.load(series / "seed.npy").tolist()
        assert seeds[:2] == seeds[2:4] and len(set(seeds)) == 4


def test_the_best_rounds_c_and_m_are_the_runs(dreaming):
    run = dreaming / "checkpoints/t"
    finals = {n: json.loads((run / f"rounds/0{n}/final.json").read_text()) for n in (1, 2)}
    best = max(finals, key=lambda n: np.mean(finals[n]["returns"]))
    end = json.loads((run / "rounds/controller.json").read_text())
    found = json.loads((run / f"rounds/{best:02d}/round.json").read_text())["found"]
    assert (end["round"], end["parameters"]) == (best, found)
    kept = [run / "rnn" / "rnn.weights.h5", *sorted(run.glob("rounds/0?/rnn.weights.h5"))]
    weights = [weights_of(path) for path in kept]  # before the first round, after it, ..
    published = weights_of(run / "rounds/rnn/rnn.weights.h5")
    same = [all(map(np.array_equal, published, others)) for others in weights]
    assert same.index(True) == best - 1 and sum(same) == 1


def test_three_processes_give_the_numbers_of_one(dreaming, again):
    ended = tiny.script("rounds", *ARGV, home=again, start=(tiny.MPIRUN, "-n", "3"))
    assert ended.status == 0, ended.err
    assert numbers(again) == numbers(dreaming)


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["--controller.mode", "z_hidden"], "--controller.mode z_hidden: rounds take a linear C"),
        (["--controller.z", "sample"], "M of checkpoints/t knows V's mean alone"),
        (["--rounds.population", "5"], "rounds.population 5: must be at least 6"),
        (["--rounds.new", "1.2"], "rounds.new 1.2: must be at most 1"),
        (["--rounds.count", "0"], "--rounds.count 0: give the number of rounds"),
    ],
)
def test_what_rounds_cannot_do_is_one_line(again, argv, complaint):
    ended = tiny.stage("rounds", *ARGV, *argv, home=again)
    assert ended.status == 2 and complaint in ended.complaint


def test_rounds_that_are_over_are_not_made_fewer(copy):
    (copy / "checkpoints/t/rounds/done.json").unlink()
    ended = tiny.stage("rounds", *ARGV, "--rounds.count", "1", home=copy)
    assert (
        ended.status == 2
        and "--rounds.count 1: checkpoints/t/rounds has 2 already" in ended.complaint
    )


def test_rounds_begun_anew_drive_anew(dreaming, copy):
    """What other rounds have driven is not taken for what these C's drive."""
    argv = [*ARGV, "--rounds.sigma", "0.5", "--rounds.count", "1"]
    ended = tiny.stage("rounds", *argv, "--overwrite", home=copy)
    assert ended.status == 0, ended.err
    driven = "data/t/rounds/01/action.npy"
    assert not np.array_equal(np.load(copy / driven), np.load(dreaming / driven))


@pytest.mark.parametrize("killed", ["searching", "learning"])
def test_rounds_go_on_where_they_stood(dreaming, again, killed):
    """What a process leaves that is killed in the second round, early and late."""
    for folder in ("checkpoints/t/rounds", "data/t/rounds"):
        shutil.copytree(dreaming / folder, again / folder)
    rounds = again / "checkpoints/t/rounds"
    shutil.rmtree(rounds / "rnn")
    (rounds / "02/round.json").unlink()
    log = rounds / "log.jsonl"
    log.write_text(log.read_text().splitlines(keepends=True)[0])
    log = rounds / "02/log.jsonl"
    lines = [json.loads(line) | {"seconds": 5000.0} for line in log.read_text().splitlines()]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if killed == "searching":
        shutil.rmtree(rounds / "02/rnn")
        shutil.rmtree(again / "data/t/rounds/02")
        log.write_text(json.dumps(lines[0]) + '\n{"step": 2, "sec')
    ended = tiny.stage("rounds", *ARGV, home=again)
    assert ended.status == 0, ended.err
    assert numbers(again) == numbers(dreaming)
    seconds = [json.loads(line)["seconds"] for line in (rounds / "log.jsonl").open()]
    assert seconds[1] - seconds[0] > 5000  # of the search that was stopped, too


def test_rounds_start_from_an_agent_and_the_search_from_the_rounds(finished, again):
    shutil.copytree(finished / "checkpoints/t", again / "checkpoints/another")
    argv = [*ARGV, "--rounds.count", "1", "--controller.start", "checkpoints/another"]
    ended = tiny.stage("rounds", *argv, home=again)
    assert ended.status == 0 and "acts most like checkpoints/another" in ended.out, ended.err
    run = again / "checkpoints/t"
    start = json.loads((run / "rounds/start.json").read_text())
    assert start["agent"] == "checkpoints/another" and np.ptp(start["parameters"]) > 0
    record = (run / "rounds/01/round.json").read_bytes()
    for path in (run / "rounds/01/round.json", run / "rounds/log.jsonl"):
        path.unlink()
    shutil.rmtree(again / "checkpoints/another")  # what is recorded is enough to go on
    assert tiny.stage("rounds", *argv, home=again).status == 0
    assert (run / "rounds/01/round.json").read_bytes() == record
    ended = tiny.stage("train_controller", *argv, home=again)
    assert ended.status == 0, ended.err
    best = json.loads((run / "controller/best.json").read_text())
    end = json.loads((run / "rounds/controller.json").read_text())
    assert best["parameters"] == end["parameters"]
    changed = {"mode": "z_c", "z": best["z"], "parameters": best["parameters"]}
    (run / "rounds/controller.json").write_text(json.dumps(changed))
    ended = tiny.stage("train_controller", *argv, "--overwrite", home=again)
    assert ended.status == 2 and "C of the rounds has z_c" in ended.complaint


def test_a_branch_of_rounds_has_their_m_and_a_c_of_its_own(copy):
    assert tiny.stage("train_controller", *ARGV, home=copy).status == 0
    assert tiny.stage("branch", "t", "other", home=copy).status == 0
    for name in ("mu", "reward", "offset"):
        arrays = [np.load(copy / f"data/{run}/series/{name}.npy") for run in ("t", "other")]
        np.testing.assert_array_equal(*arrays)
    runs = copy / "checkpoints"
    m = [(runs / path / "rnn.weights.h5").read_bytes() for path in ("t/rounds/rnn", "other/rnn")]
    assert m[0] == m[1]
    argv = [*ARGV, "--run", "other", "--data", "t", "--rounds.count", "0"]
    for start, source in (("zero", "other"), ("checkpoints/t", "t")):
        again = [*argv, "--controller.generations", "0", "--controller.start", start, "--overwrite"]
        ended = tiny.stage("train_controller", *again, home=copy)
        assert ended.status == 0, ended.err
        found = json.loads((runs / "other/controller/best.json").read_text())["parameters"]
        ours = json.loads((runs / "t/controller/best.json").read_text())["parameters"]
        assert found == (ours if source == "t" else [0.0] * len(ours))
    start = json.loads((runs / "other/controller/start.json").read_text())
    lines = map(json.loads, (runs / "t/rounds/log.jsonl").open())
    assert start["rounds"] == [{key: line[key] for key in start["rounds"][0]} for line in lines]
    search = ["--controller.world", "dream", "--controller.generations", "1", "--overwrite"]
    ended = tiny.stage("train_controller", *argv, *search, home=copy)
    assert ended.status == 0, ended.err
    assert tiny.stage("figures", "quick", "--run", "other", home=copy).status == 0
    ended = tiny.stage("rounds", *ARGV, "--run", "other", "--data", "t", home=copy)
    assert ended.status == 0, ended.err


def test_an_agent_that_is_not_there_is_one_line(again):
    ended = tiny.stage("rounds", *ARGV, "--controller.start", "checkpoints/nobody", home=again)
    assert ended.status == 2 and "checkpoints/nobody" in ended.complaint
    assert not (again / "checkpoints/t/rounds/start.json").exists()


def test_a_rounds_cs_are_shown_in_dream_and_game(copy):
    """docs/dream_against_game.py, which changes nothing of what it looks at."""
    before = numbers(copy)
    script, options = "../docs/dream_against_game", ("--steps", "8", "--first", "4")
    ended = tiny.stage(script, "t", "--number", "2", *options, "--dreams", "3", home=copy)
    assert ended.status == 0, ended.err
    lines = ended.out.splitlines()
    assert [line[:17].strip() for line in lines] == [
        *("C 0, in the game", "in the dream", "C 1, in the game", "in the dream")
    ]
    assert all(line.count("%") == 16 for line in lines)
    assert numbers(copy) == before
    for number in ("0", "3"):
        ended = tiny.stage(script, "t", "--number", number, *options, home=copy)
        assert f"--number {number}: t has no such finished round" in ended.complaint


@pytest.fixture
def study(copy, monkeypatch):
    """docs/dream_against_game.py as a module, at work in that home."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "docs")
    monkeypatch.setattr(folders, "HOME", copy)
    module = importlib.import_module("dream_against_game")
    monkeypatch.setattr(module, "one_thread", lambda: None)  # other tests have used TensorFlow
    return module


def test_lost_cars_are_those_that_find_nothing_more(study):
    tiles, reward = np.zeros((1200, 1)), np.full(1200, -0.1)
    found = (range(10, 301, 2), range(410, 800, 2), range(900, 941, 2), range(960, 1000, 2))
    for frames in found:  # one lost, one with nearly a lap, one that ends so, one lost too early
        tiles[frames], reward[frames] = 1, 5 - 0.1
    series = {"tiles": tiles, "reward": reward, "offset": np.array([0, 400, 850, 950, 1200])}
    assert study.losses(series, range(4)).tolist() == [300 - study.BEFORE]
    assert not len(study.losses(series, range(1, 4)))


def test_lost_cars_are_filmed_beside_their_dreams(study, copy, monkeypatch, capsys):
    film = copy / "lost.mp4"
    argv = ["dream_against_game.py", "t", "--number", "2", "--video", str(film)]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(study.UserError, match="C . of round 2 lost the road on no track"):
        study.main()
    monkeypatch.setattr(sys, "argv", [*argv, "--of", "2"])
    with pytest.raises(study.UserError, match="round 2 has C's from 0 to 1"):
        study.main()
    monkeypatch.setattr(study, "losses", lambda series, episodes: np.array([2, 3]))
    monkeypatch.setattr(study, "BEFORE", 4)
    monkeypatch.setattr(study, "AFTER", 2)
    monkeypatch.setattr(sys, "argv", [*argv, "--of", "1"])
    study.main()
    assert capsys.readouterr().out.startswith(f"{film}: 2 of 2 drives in which C 1 lost")
    frames = imageio.mimread(film)
    assert len(frames) == 2 * 6 and frames[0].shape == (280, 4 * 256, 3)


def test_a_search_is_repeated_in_other_dreams(copy):
    """docs/other_dreams.py, which changes nothing of what it looks at."""
    before = numbers(copy)
    script, options = "../docs/other_dreams", ("t", "--number", "2", "--tracks", "2")
    lines = []
    for temperature in ("1", "0.5", "1"):
        more = ("--dream.temperature", temperature)
        ended = tiny.stage(script, *options, *more, home=copy)
        assert ended.status == 0, ended.err
        lines.append(ended.out.splitlines())
        assert [line[:13].strip() for line in lines[-1]] == ["the start", "point 1 of 1"]
    assert lines[0] == lines[2] != lines[1] and "than the start    +0.0 ±  0.0" in lines[0][0]
    assert numbers(copy) == before
    ended = tiny.stage(script, *options, "--env.max_steps", "9", home=copy)
    assert ended.status == 2 and "only settings of dream and rounds" in ended.complaint
