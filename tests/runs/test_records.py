"""What a run says of itself: its preset, task, kind of V and rollouts, and its settings again."""

import dataclasses

from replication.config import UserError
from replication.presets import PRESETS
from replication.runs import files, folders, records
from replication.runs.script import parse_run_cli
from replication.tasks import games
from replication.tasks.car_racing import CAR_RACING_V3

import pytest

CONFIG = dataclasses.replace(PRESETS["one_pass"], run="mine", data="shared", seed=3)


@pytest.fixture
def other_game(monkeypatch) -> str:
    """A second task."""
    game = dataclasses.replace(CAR_RACING_V3, name="other_game")
    monkeypatch.setitem(games.TASKS, game.name, game)
    return game.name


def begin(config, name: str) -> None:
    """A stage that has read what it reads, and finished."""
    with records.open_stage(config, name):
        records.begin_stage(config, name)
    records.finish(config, name, name, f"{name} done", 1.0)


def recorded(run: str) -> dict:
    return files.read_json(folders.run_folder(run) / "config.json")


def test_a_run_says_what_it_is(home):
    begin(CONFIG, "extract")
    begin(CONFIG, "train_vae")
    assert recorded("mine")["run"] == {
        "preset": "one_pass",
        "task": "car_racing_v3",
        "frames": "plain",
        "vision": "vae",
        "data": "shared",
    }
    own = dataclasses.replace(CONFIG, run="own", data="")
    begin(own, "extract")
    begin(own, "train_vae")
    assert recorded("own")["run"]["data"] == "own"


def test_a_set_of_rollouts_is_no_run(home):
    begin(CONFIG, "extract")
    assert list(files.read_json(home / "data/shared/config.json")) == ["extract"]
    with pytest.raises(UserError, match="^checkpoints/shared is no run: "):
        records.load_config("shared")


def test_a_configuration_is_read_back(home):
    """Whatever a stage depends on is as it was; what no stage has recorded is the preset's."""
    changed = dataclasses.replace(
        CONFIG,
        env=dataclasses.replace(CONFIG.env, max_steps=77),
        extract=dataclasses.replace(CONFIG.extract, episodes=9, noise=0.25),
        vae=dataclasses.replace(CONFIG.vae, epochs=2, kl_weight=0.5),
        rnn=dataclasses.replace(CONFIG.rnn, hidden=8, heads="tiles"),
        controller=dataclasses.replace(CONFIG.controller, world="dream", generations=4),
    )
    stages = ("extract", "train_vae", "series", "train_rnn", "train_controller")
    for name in stages:
        begin(changed, name)
    loaded = records.load_config("mine")
    assert loaded == changed
    for name in stages:
        assert records.identity(loaded, name) == records.identity(changed, name)
        assert records.done(loaded, name)["reached"] == f"{name} done"


def test_a_run_that_has_just_begun_has_its_presets_settings(home):
    begin(CONFIG, "extract")
    begin(CONFIG, "train_vae")
    loaded = records.load_config("mine")
    assert loaded.rnn == PRESETS["one_pass"].rnn
    assert (loaded.seed, loaded.rollouts) == (3, "shared")


def test_a_runs_seed_is_not_that_of_anothers_rollouts(home):
    begin(dataclasses.replace(CONFIG, run="shared", data="", seed=8), "extract")
    begin(CONFIG, "train_vae")
    assert records.load_config("mine").seed == 3


def test_a_vae_gan_is_read_back_as_one(home):
    vaegan = dataclasses.replace(CONFIG, vision="vaegan")
    begin(vaegan, "extract")
    begin(vaegan, "train_vaegan")
    assert records.load_config("mine") == vaegan


@pytest.mark.parametrize("content", [None, "{}", '{"train_vae": {}}'])
def test_what_is_no_run_is_one_line(home, content):
    folder = folders.run_folder("mine")
    folder.mkdir(parents=True)
    if content:
        (folder / "config.json").write_text(content)
    with pytest.raises(UserError, match="^checkpoints/mine is no run: ") as error:
        records.load_config("mine")
    assert "\n" not in str(error.value)


# The task ----------------------------------------------------------------------------------


def test_a_run_keeps_to_its_task(home, other_game):
    assert records.recorded_game(CONFIG) == {}
    begin(CONFIG, "extract")
    expected = {"task": "car_racing_v3", "frames": "plain"}
    assert records.recorded_game(CONFIG) == expected  # its rollouts say so
    other = dataclasses.replace(CONFIG, task=other_game)
    expected = "^--task other_game: checkpoints/mine and its rollouts are of car_racing_v3; give"
    with pytest.raises(UserError, match=expected), records.open_stage(other, "train_vae"):
        pass
    begin(CONFIG, "train_vae")
    for config in (other, dataclasses.replace(other, data="elsewhere")):
        with pytest.raises(UserError, match=expected):
            records.check_game(config)
    records.check_game(dataclasses.replace(other, overwrite=True))
    records.check_game(dataclasses.replace(other, run="second", data=""))


def test_an_unknown_task_is_one_line(home):
    unknown = dataclasses.replace(CONFIG, task="chess")
    with pytest.raises(UserError, match="--task chess: no such game; there are .*car_racing_v3"):
        records.check_game(unknown)


def test_stages_of_another_task_are_other_stages(home, other_game):
    other = dataclasses.replace(CONFIG, task=other_game)
    for name in ("extract", "train_vae", "train_rnn", "train_controller"):
        assert records.identity(CONFIG, name)["task"] == "car_racing_v3"
        assert records.identity(other, name)["task"] == other_game


def test_the_command_line_takes_the_task_that_a_run_was_begun_with(home, other_game):
    other = dataclasses.replace(PRESETS["quick"], run="mine", task=other_game)
    begin(other, "extract")
    assert parse_run_cli(["quick", "--run", "mine"]).task == other_game
    assert parse_run_cli(["quick", "--run", "new", "--data", "mine"]).task == other_game
    assert parse_run_cli(["one_pass", "--run", "new"]).task == "car_racing_v3"
    for words in (["--task", "car_racing_v3"], ["--task=car_racing_v3"]):
        assert parse_run_cli(["quick", "--run", "mine", *words]).task == "car_racing_v3"
    begin(other, "train_vae")
    assert parse_run_cli(["quick", "--run", "mine", "--data", "none"]).task == other_game
    assert parse_run_cli(["quick", "--run", "mine", "--frames", "stretched"]).task == other_game


def test_a_run_keeps_to_its_frames(home):
    stretched = dataclasses.replace(PRESETS["quick"], run="mine", frames="stretched")
    begin(stretched, "extract")
    assert parse_run_cli(["quick", "--run", "mine"]).frames == "stretched"
    plain = parse_run_cli(["quick", "--run", "mine", "--frames", "plain"])
    with pytest.raises(UserError, match="^--frames plain: .* are of stretched; give another --run"):
        records.check_game(plain)


@pytest.mark.parametrize(
    "facts", [{"task": "car_racing_v3", "frames": "plain"}, {"preset": "gone"}]
)
def test_an_agents_folder_that_is_no_run_is_one_line(home, facts):
    begin(CONFIG, "extract")
    begin(CONFIG, "train_vae")
    path = folders.run_folder("mine") / "config.json"
    whole = recorded("mine")
    changed = whole["run"] | facts if "preset" in facts else facts
    files.write_json(path, whole | {"run": changed})
    with pytest.raises(UserError, match="checkpoints/mine is no run: it has no config.json with a"):
        records.load_config("mine")
