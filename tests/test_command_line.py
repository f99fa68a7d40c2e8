"""The command line: a preset, then fields; what nobody can mean is one line."""

import dataclasses
import re

from replication.config import Config, UserError
from replication.presets import PRESETS
from replication.runs.command_line import parse_cli, split_preset

import pytest

SECTIONS = [
    field.name
    for field in dataclasses.fields(Config)
    if dataclasses.is_dataclass(getattr(PRESETS["paper"], field.name))
]


def complaint(*argv: str) -> str:
    with pytest.raises(UserError) as error:
        parse_cli(argv)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_preset_then_fields():
    config = parse_cli(["report", "--run", "mine", "--vae.epochs", "2", "--rnn.clip", "0.5"])
    assert (config.preset, config.run, config.rollouts) == ("report", "mine", "mine")
    assert config.vae == dataclasses.replace(PRESETS["report"].vae, epochs=2)
    assert config.rnn.clip == 0.5
    assert config.controller == PRESETS["report"].controller


def test_quick_is_the_preset_of_none():
    assert parse_cli([]) == PRESETS["quick"]
    assert parse_cli(["--vae.epochs", "7"]).preset == "quick"


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_alone_is_what_it_says(name):
    assert parse_cli([name]) == PRESETS[name]


@pytest.mark.parametrize(
    ("argv", "run", "rollouts"),
    [
        (["one_pass", "--vision", "vaegan"], "one_pass-vaegan", "one_pass"),
        (["--vision", "vaegan"], "quick-vaegan", "quick"),
        (["--vision", "vaegan", "--data", "laptop"], "quick-vaegan", "laptop"),
        (["--vision", "vaegan", "--run", "mine"], "mine", "mine"),
        (["--vision=vaegan", "--run=quick"], "quick", "quick"),
        (["--vision", "vae", "--data", "laptop"], "quick", "laptop"),
    ],
)
def test_a_vae_gan_has_a_run_of_its_own_on_the_presets_rollouts(argv, run, rollouts):
    config = parse_cli(argv)
    assert (config.run, config.rollouts) == (run, rollouts)


@pytest.mark.parametrize(
    ("argv", "agent", "rollouts"),
    [
        (["laptop_2"], "checkpoints/laptop_1", "laptop_2"),
        (["laptop_2", "--run", "mine_2"], "checkpoints/mine_1", "mine_2"),
        (["laptop"], "checkpoints/laptop_2", "laptop"),
        (["laptop", "--run", "mine"], "checkpoints/mine_2", "mine"),
        (["laptop_v3"], "checkpoints/dreamt", "laptop_v3"),
        (["laptop_v3", "--run", "mine"], "checkpoints/mine_dreamt", "mine"),
        (["laptop", "--vision", "vaegan"], "checkpoints/laptop-vaegan_2", "laptop-vaegan"),
    ],
)
def test_a_preset_goes_on_from_the_agent_of_the_run_before(argv, agent, rollouts):
    config = parse_cli(argv)
    assert (config.extract.agent, config.controller.start) == (agent, agent)
    assert config.rollouts == rollouts
    usual = f"checkpoints/{config.after}"
    for named in ("there", usual):
        after = parse_cli([*argv, "--extract.agent", named])
        assert (after.extract.agent, after.controller.start) == (named, named)
    other = parse_cli([*argv, "--controller.start", "elsewhere", "--extract.agent", "there"])
    assert (other.extract.agent, other.controller.start) == ("there", "elsewhere")


def test_the_first_of_several_runs_shares_its_presets_rollouts():
    config = parse_cli(["laptop_1", "--vision", "vaegan"])
    assert (config.run, config.rollouts) == ("laptop-vaegan_1", "laptop_1")
    assert (config.extract.policy, config.controller.start) == ("brownian", "zero")


def test_a_script_made_for_one_kind_of_v_needs_no_option():
    assert parse_cli(["laptop"], vision="vaegan") == parse_cli(["laptop", "--vision", "vaegan"])


def test_a_set_of_rollouts_can_be_shared():
    assert parse_cli(["quick", "--run", "b", "--data", "a"]).rollouts == "a"


@pytest.mark.parametrize(
    ("argv", "stock"),
    [
        ([], False),
        (["--env.stock"], True),
        (["--env.stock", "true"], True),
        (["--env.stock", "True", "--seed", "3"], True),
        (["--env.stock", "false"], False),
        (["--env.no-stock"], False),
    ],
)
def test_flags_may_have_a_value(argv, stock):
    assert parse_cli(["quick", *argv]).env.stock is stock


def test_other_flags():
    assert parse_cli(["--extract.skip_bad"]).extract.skip_bad
    assert parse_cli(["--extract.skip_bad", "true"]).extract.skip_bad
    assert parse_cli(["--overwrite"]).overwrite
    assert not parse_cli(["one_pass", "--controller.same_tracks", "false"]).controller.same_tracks
    assert parse_cli(["--controller.same_tracks", "true"]).controller.same_tracks


def test_a_task_is_given_by_name():
    assert parse_cli(["quick"]).task == parse_cli(["paper"]).task == "car_racing_v0"
    assert parse_cli(["dreamt"]).task == parse_cli(["one_pass"]).task == "car_racing_v3"
    assert parse_cli(["quick", "--task", "other"]).task == "other"  # records know which there are


def test_a_preset_is_split_off():
    assert split_preset(["laptop", "--run", "quick"]) == ("laptop", ["--run", "quick"])
    assert split_preset(["--run", "quick"]) == ("", ["--run", "quick"])
    assert split_preset([]) == ("", [])
    with pytest.raises(
        UserError,
        match="^unknown preset 'tiny': choose from doom, doom_quick, doom_rounds, dreamt, laptop",
    ):
        split_preset(["tiny", "--run", "quick"])


def test_unknown_preset_is_one_line():
    known = ", ".join(sorted(PRESETS))
    assert complaint("tiny") == f"unknown preset 'tiny': choose from {known}"


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["--vae.epoch", "3"], "--vae.epoch"),
        (["--nothing", "3"], "--nothing"),
        (["--vae.epochs", "many"], "many"),
        (["--vae.epochs", "1.5"], "1.5"),
        (["--vae.epochs"], "--vae.epochs"),
        (["--controller.mode", "h"], "h"),
        (["--vision", "gan"], "gan"),
        (["--env.stock", "perhaps"], "perhaps"),
        (["quick", "paper"], "paper"),
    ],
)
def test_unknown_fields_and_values_are_named(argv, named):
    assert named in complaint(*argv)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vae.epochs", "0"),
        ("vae.epochs", "-1"),
        ("vae.learning_rate", "-0.1"),
        ("vae.learning_rate", "nan"),
        ("vae.free_bits", "-1"),
        ("vae.batch_size", "0"),
        ("vaegan.width", "0"),
        ("vaegan.gamma", "-1"),
        ("rnn.iterations", "0"),
        ("rnn.sequence", "0"),
        ("rnn.log_every", "0"),
        ("controller.episodes", "0"),
        ("controller.sigma", "0"),
        ("controller.eval_every", "0"),
        ("controller.population", "3"),
        ("env.max_steps", "0"),
        ("extract.episodes", "0"),
    ],
)
def test_values_that_no_stage_can_work_with(field, value):
    assert field in complaint(f"--{field}", value)


def test_zero_is_allowed_where_it_means_something():
    config = parse_cli(["--vae.iterations", "0", "--vae.free_bits", "0", "--vae.kl_weight", "0"])
    assert (config.vae.iterations, config.vae.free_bits, config.vae.kl_weight) == (0, 0, 0)
    config = parse_cli(["--vaegan.iterations", "0", "--vaegan.kl_weight", "0"])
    assert (config.vaegan.iterations, config.vaegan.kl_weight) == (0, 0)
    zeros = "--rnn.epochs 0 --controller.patience 0 --controller.short 0 --seed 0"
    config = parse_cli(zeros.split())
    given = config.controller
    assert (config.rnn.epochs, given.patience, given.short, config.seed) == (0, 0, 0, 0)


@pytest.mark.parametrize("name", ["../other", "a/../b", "a/b/c", "/a", "a/", "", "-x y", "."])
def test_names_of_runs_stay_inside_their_folder(name):
    assert "letters, digits" in complaint(f"--run={name}")


def test_a_run_can_stand_in_a_folder():
    assert parse_cli(["report", "--run", "report/two_cores"]).rollouts == "report/two_cores"


def test_seeds_leave_room_for_every_episode():
    assert parse_cli(["--seed", "39999"]).seed == 39_999
    for seed in ("-1", "40000"):
        assert "seed" in complaint("--seed", seed)


def test_help_lists_every_field_with_its_default(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")  # one column of boxes
    with pytest.raises(SystemExit) as stop:
        parse_cli(["report", "--help"], "What the script does.")
    assert not stop.value.code
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "What the script does." in shown
    assert "[PRESET]" in shown and all(f" {name}" in shown for name in PRESETS)
    for section in SECTIONS:
        for name, value in dataclasses.asdict(getattr(PRESETS["report"], section)).items():
            option, default = f"--{section}.{name}", re.escape(str(value))
            assert re.search(rf"{option}\b[^()]*( --[^()]*)?\(default: {default}\)", shown), option
    for name in ("task", "vision", "run", "data", "seed", "overwrite"):
        assert f"--{name}" in shown
