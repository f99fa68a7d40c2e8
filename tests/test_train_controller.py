"""What a generation drives, and how C's training goes on from its log."""

import dataclasses
import json
import shutil

from replication import train_controller
from replication.config import Config, Controller, UserError
from replication.presets import PRESETS
from replication.rollouts.agent_files import load_agent, load_encoder, load_rnn
from replication.runs import files
from replication.runs.logs import read_log
from replication.search.cma_es import Evolution
from replication.search.history import read_history
from replication.search.search_start import SearchStart
from replication.train_controller import generation_trials, resume

import numpy as np
import pytest
import tiny

DIMENSIONS = 5
CONFIG = dataclasses.replace(PRESETS["quick"], controller=Controller(population=6), seed=3)


@pytest.fixture
def search(tmp_path) -> Evolution:
    """Four generations, as they stand in log.jsonl."""
    es = Evolution(np.zeros(DIMENSIONS), CONFIG.controller, CONFIG.seed)
    with open(tmp_path / "log.jsonl", "w") as log:
        for step in range(1, 5):
            returns = np.sin(es.ask()).sum(axis=1).tolist()
            es.tell(returns)
            log.write(json.dumps({"step": step, "seconds": step, "returns": returns}) + "\n")
    return es


def resumed(tmp_path, config: Config = CONFIG) -> Evolution:
    return resume(config, SearchStart(np.zeros(DIMENSIONS)), tmp_path / "log.jsonl")


def test_a_search_goes_on_from_its_log(tmp_path, search):
    again = resumed(tmp_path)
    assert again.generation == 4
    np.testing.assert_array_equal(again.ask(), search.ask())


def test_what_an_evaluated_search_found_is_kept(tmp_path, search):
    """Also by a search that goes on from its log: best.json may be lost."""
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    lines[-1] |= {"eval_mean": 5.0, "eval_std": 1.0, "eval_episodes": 2}
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    kept = {}
    for share in (0.0, 0.5):
        settings = Controller(population=6, average=share)
        es = resumed(tmp_path, dataclasses.replace(CONFIG, controller=settings))
        kept[share] = files.read_json(tmp_path / "best.json")["parameters"]
        np.testing.assert_array_equal(kept[share], np.float32(es.found))
        (tmp_path / "best.json").unlink()
    np.testing.assert_array_equal(kept[0.0], np.float32(search.mean))
    np.testing.assert_allclose(kept[0.5], np.mean(search.means[2:], axis=0), rtol=1e-6)


def test_without_a_log_it_begins(tmp_path):
    assert resumed(tmp_path).generation == 0


def test_a_log_that_is_not_this_searchs_is_refused(tmp_path, search):
    lines = (tmp_path / "log.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_text("".join(lines[:2] + lines[3:]))
    with pytest.raises(UserError, match=r"log\.jsonl lacks the returns of generation 3: .*--overw"):
        resumed(tmp_path)
    (tmp_path / "log.jsonl").write_text(json.dumps({"step": 1, "seconds": 1}) + "\n")
    with pytest.raises(UserError, match="lacks the returns of generation 1"):
        resumed(tmp_path)
    (tmp_path / "log.jsonl").write_text("".join(lines))
    larger = dataclasses.replace(CONFIG, controller=Controller(population=8))
    with pytest.raises(UserError, match="lacks the returns of generation 1"):
        resumed(tmp_path, larger)


def test_the_first_generations_are_short():
    short = Controller(population=6, short=2, short_steps=30, patience=9)
    config = dataclasses.replace(CONFIG, controller=short)
    for generation, steps in ((1, 30), (2, 30), (3, None)):
        trials = generation_trials(config, generation, np.zeros((6, DIMENSIONS)))
        assert {(trial.max_steps, trial.patience) for trial in trials} == {(steps, 9)}


@pytest.mark.parametrize("same, tracks", [(True, 2), (False, 12)])
def test_candidates_drive_the_same_tracks_or_their_own(same, tracks):
    settings = Controller(population=6, episodes=2, same_tracks=same)
    config = dataclasses.replace(CONFIG, controller=settings)
    first, second = (generation_trials(config, at, np.eye(6)) for at in (1, 2))
    assert [trial.parameters.argmax() for trial in first] == [i // 2 for i in range(12)]
    assert len({trial.seed for trial in first}) == tracks
    assert not {trial.seed for trial in first} & {trial.seed for trial in second}


def test_a_search_that_goes_on_from_others_has_tracks_that_they_did_not(tmp_path, monkeypatch):
    """After one generation of another search its first one has the tracks of a second."""
    seeds = []

    def run_all(pool, name, trials, world="real"):
        seeds.append([trial.seed for trial in trials])
        return np.sin(np.arange(2.0 * len(trials))).reshape(-1, 2)

    monkeypatch.setattr(train_controller, "run_all", run_all)
    settings = Controller(population=6, eval_every=1, eval_episodes=3)
    config = dataclasses.replace(CONFIG, controller=settings)
    for earlier, generations in (0, 2), (1, 1):
        start = SearchStart(np.zeros(DIMENSIONS), log=earlier * [{"step": 1}])
        es = resume(config, start, tmp_path / "log.jsonl")
        for _ in range(generations):
            train_controller.run_generation(None, config, es)
    first, second, after_one = seeds[:2], seeds[2:4], seeds[4:]
    assert after_one == second != first


AGENT = ("train_vae", "train_rnn", "train_controller")


@pytest.fixture
def beside(tmp_path, finished):
    """The tiny run, and another one on its V and M, whose C is still to come; its settings."""
    home = tiny.copy_of(finished, tmp_path, "extract", *AGENT)
    shutil.copytree(home / "checkpoints/t", home / "checkpoints/on")
    shutil.rmtree(home / "checkpoints/on/controller")
    argv = [*tiny.SCHEDULE, "--run", "on", "--data", "t", "--controller.z", "mean"]
    return home, [*argv, "--controller.start", "checkpoints/t"]


def test_a_search_starts_from_an_agent_and_stands_for_itself(beside):
    home, argv = beside
    first, ours = (home / "checkpoints" / run / "controller" for run in ("t", "on"))
    fewer = [*argv, "--controller.generations", "1", "--controller.sigma", "1e-9"]
    ended = tiny.stage("train_controller", *fewer, home=home)
    assert "at generation 1 of 1, after 3 of earlier searches" in ended.last
    best, start = (json.loads((ours / name).read_text()) for name in ("best.json", "start.json"))
    assert (best["z"], best["mode"]) == ("mean", "z_h")
    assert start["parameters"] == json.loads((first / "best.json").read_text())["parameters"]
    np.testing.assert_allclose(best["parameters"], start["parameters"], atol=1e-6)
    history = read_history(ours)
    assert [line["step"] for line in history] == [1, 2, 3, 4]
    assert [line["mean"] for line in history[:3]] == [
        line["mean"] for line in tiny.log_of(home, "controller")
    ]
    assert load_agent(ours.parent)[0].z == "mean"
    shutil.rmtree(first)  # what a search started from is kept: it goes on without
    again = [*argv, "--controller.generations", "2"]
    more = [*again, "--controller.sigma", "1e-9"]
    assert tiny.stage("train_controller", *more, home=home).status == 0
    assert len(read_log(ours / "log.jsonl")) == 2
    (ours / "log.jsonl").rename(ours / "in_two.jsonl")
    assert tiny.stage("train_controller", *more, home=home).status == 0
    in_two, at_once = (
        [line["returns"] for line in read_log(ours / name)]
        for name in ("in_two.jsonl", "log.jsonl")
    )
    assert in_two == at_once


def test_a_search_may_end_where_it_was_stopped(tmp_path, finished):
    """Before its first evaluation: its C is evaluated all the same, as if nothing had been."""
    home = tiny.copy_of(finished, tmp_path, *AGENT)
    folder = home / "checkpoints/t/controller"
    first, *_ = (folder / "log.jsonl").read_text().splitlines(keepends=True)
    (folder / "log.jsonl").write_text(first)
    for name in ("best.json", "done.json"):
        (folder / name).unlink()
    argv = [*tiny.SCHEDULE, "--controller.generations", "1"]
    ended = tiny.stage("train_controller", *argv, home=home)
    assert ended.status == 0 and "at generation 1 of 1" in ended.last, ended.err
    best = (folder / "best.json").read_bytes()
    assert tiny.stage("train_controller", *argv, "--overwrite", home=home).status == 0
    assert (folder / "best.json").read_bytes() == best


def test_a_start_that_is_lost_or_spoilt_is_named(beside):
    home, argv = beside
    fewer = [*argv, "--controller.generations", "1"]
    assert tiny.stage("train_controller", *fewer, home=home).status == 0
    kept = home / "checkpoints/on/controller/start.json"
    start = json.loads(kept.read_text())
    for broken, expected in (
        ([0.5] * 7, "start.json holds 7 finite parameters; mode z_h on this M takes 123"),
        ([float("nan")] * 123, "start.json holds 0 finite parameters"),
        ({}, "start.json: parameters are not numbers"),
    ):
        files.write_json(kept, start | {"parameters": broken})
        assert expected in tiny.stage("train_controller", *argv, home=home).complaint
    kept.unlink()
    ended = tiny.stage("train_controller", *argv, home=home)
    assert "controller/start.json is missing: restore it, or --overwrite" in ended.complaint


def test_starts_that_do_not_fit_are_refused(beside):
    home, argv = beside
    ended = tiny.stage("train_controller", *argv, "--controller.mode", "z_hidden", home=home)
    assert (
        "--controller.start: mode z_hidden is not linear, and cannot be fitted" in ended.complaint
    )
    white = [*argv, "--controller.inputs", "whitened", "--controller.mode", "z_hidden"]
    ended = tiny.stage("train_controller", *white, "--controller.start", "zero", home=home)
    assert "--controller.inputs whitened: mode z_hidden is not linear" in ended.complaint
    ended = tiny.stage("train_controller", *argv[:-1], "checkpoints/nobody", home=home)
    assert "checkpoints/nobody: no such folder" in ended.complaint
    own = home / "checkpoints/t/controller/best.json"
    kept = own.read_bytes()
    itself = [*tiny.SCHEDULE, "--controller.start", "checkpoints/t", "--overwrite"]
    ended = tiny.stage("train_controller", *itself, home=home)
    assert "checkpoints/t: must be of another run" in ended.complaint
    assert own.read_bytes() == kept


def test_a_search_that_has_begun_takes_no_other_start_and_no_other_inputs(beside):
    home, argv = beside
    from_zero = [*argv[:-2], "--controller.generations", "1"]
    assert tiny.stage("train_controller", *from_zero, home=home).status == 0
    for option, value in (("start", "checkpoints/t"), ("inputs", "whitened")):
        other = [*from_zero, f"--controller.{option}", value]
        complaint = tiny.stage("train_controller", *other, home=home).complaint
        assert f"controller was made with other settings: controller.{option}" in complaint


def test_on_another_m_or_another_mode_the_start_acts_like_the_agent(beside):
    home, argv = beside
    done, rnn = home / "checkpoints/on/rnn/done.json", load_rnn(home / "checkpoints/on")
    rnn.set_weights([0.999 * weight for weight in rnn.get_weights()])
    rnn.save_weights(done.with_name("rnn.weights.h5"))
    another = {"output": files.fingerprint(rnn.get_weights())}
    files.write_json(done, json.loads(done.read_text()) | another)
    ours, fewer = home / "checkpoints/on/controller", ["--controller.generations", "1"]
    still = [*fewer, "--controller.sigma", "1e-9", "--overwrite"]
    for mode, z, count in (("z_h", "sample", 123), ("z_h", "mean", 123), ("z", "mean", 99)):
        asked = ["--controller.mode", mode, "--controller.z", z]
        ended = tiny.stage("train_controller", *argv, *still, *asked, home=home)
        assert "starts as the C that acts most like checkpoints/t: it explains" in ended.out
        best, start = (
            json.loads((ours / name).read_text()) for name in ("best.json", "start.json")
        )
        assert len(start["parameters"]) == count
        assert sorted(start["fit"]) == ["brake", "gas", "steer"]
        if z == "sample":  # what the agent saw: only what lies beyond the outputs' limits is lost
            assert min(start["fit"].values()) > 0.9
        np.testing.assert_allclose(best["parameters"], start["parameters"], atol=1e-6)
    shutil.rmtree(home / "data/t")
    ended = tiny.stage("train_controller", *argv, *still, home=home)
    assert "data/t/record holds no episode: run extract.py" in ended.complaint


def test_a_whitened_search_goes_on_with_the_whitening_it_has(beside):
    home, argv = beside
    white = [*argv, "--controller.inputs", "whitened", "--controller.generations"]
    folder = home / "checkpoints/on/controller"
    kept, log = folder / "whitening.npz", folder / "log.jsonl"
    assert tiny.stage("train_controller", *white, "1", home=home).status == 0
    before = kept.read_bytes()
    shutil.rmtree(home / "data/t")
    assert tiny.stage("train_controller", *white, "2", home=home).status == 0
    assert kept.read_bytes() == before
    in_two = [line["returns"] for line in read_log(log)]
    log.unlink()
    assert tiny.stage("train_controller", *white, "2", home=home).status == 0
    assert [line["returns"] for line in read_log(log)] == in_two
    assert tiny.stage("train_controller", *argv, home=home).complaint.count("inputs") == 1


def test_a_whitening_that_is_lost_or_spoilt_is_named_and_nothing_is_thrown_away(beside):
    home, argv = beside
    white = [*argv, "--controller.inputs", "whitened"]
    folder = home / "checkpoints/on/controller"
    kept = folder / "whitening.npz"
    fewer = ["--controller.generations", "1"]
    assert tiny.stage("train_controller", *white, *fewer, home=home).status == 0

    def others() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir() if path != kept}

    def complaint(*more: str) -> str:
        ended = tiny.stage("train_controller", *white, *more, home=home)
        assert others() == before
        return ended.complaint

    before = others()
    kept.write_bytes(kept.read_bytes()[:100])
    assert "controller/whitening.npz cannot be read" in complaint()
    for mean, root in ((np.zeros(7), np.eye(7)), (np.full(40, np.nan), np.eye(40))):
        np.savez(kept, mean=mean, root=root)
        assert "controller/whitening.npz cannot be read" in complaint()
    kept.unlink()
    assert "controller/whitening.npz is missing: restore it, or --overwrite" in complaint()
    shutil.rmtree(home / "data/t")
    assert "data/t/record holds no episode" in complaint("--overwrite")


def test_a_v_that_is_in_the_middle_of_more_training_is_not_built_on(beside):
    home, argv = beside
    weights = home / "checkpoints/on/vae/encoder.weights.h5"
    encoder = load_encoder(home / "checkpoints/on")
    encoder.set_weights([1.01 * weight for weight in encoder.get_weights()])
    encoder.save_weights(weights)
    ended = tiny.stage("train_controller", *argv, home=home)
    expected = "checkpoints/on/vae is not as it was finished: run python replication/train_vae"
    assert expected in ended.complaint
