"""Settings: the paper's are the defaults, each is read, and what nobody can mean is one line."""

import ast
import dataclasses
import re
from pathlib import Path

import replication
from replication import config as config_module
from replication.config import (
    PRESETS,
    Config,
    Controller,
    Env,
    Evaluate,
    Events,
    Extract,
    Rnn,
    UserError,
    Vae,
    Vaegan,
    check,
    parse_cli,
)

import pytest

SECTIONS = {
    "env": Env, "extract": Extract, "vae": Vae, "vaegan": Vaegan, "rnn": Rnn,
    "controller": Controller, "evaluate": Evaluate, "events": Events,
}  # fmt: skip


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (Env(), {"stock": False, "max_steps": 1000}),
        (Extract(), {"episodes": 10_000, "policy": "original"}),
        (
            Vae(),
            {
                "epochs": 10, "iterations": 0, "batch_size": 100, "learning_rate": 1e-4,
                "recon_weight": 1, "kl_weight": 1, "free_bits": 0.5,
            },
        ),
        (
            Vaegan(),
            {
                "epochs": 7, "iterations": 5000, "batch_size": 64, "learning_rate": 3e-4,
                "width": 1, "gamma": 1e-5, "kl_weight": 1, "equilibrium": 0.68, "margin": 0.35,
            },
        ),
        (
            Rnn(),
            {
                "hidden": 256, "mixtures": 5, "batch_size": 100, "sequence": 999,
                "learning_rate": 1e-3, "clip": 1, "reward_head": False, "termination_head": False,
            },
        ),
        (
            Controller(),
            {
                "mode": "z_h", "population": 64, "episodes": 16, "generations": 1800,
                "sigma": 0.1, "same_tracks": False, "patience": 0, "short": 0,
                "eval_every": 25, "eval_episodes": 1024,
            },
        ),
        (Evaluate(), {"episodes": 100}),
        (Events(), {"episodes": 20}),
    ],
    ids=SECTIONS,
)  # fmt: skip
def test_defaults_are_the_papers(section, values):
    assert {name: getattr(section, name) for name in values} == values


def test_m_is_trained_for_4000_steps():
    assert Rnn().epochs * Rnn().iterations == 4000


def test_the_reports_schedule():
    report = PRESETS["report"]
    assert (report.vae.epochs, report.vae.iterations) == (9, 1000)
    assert (report.vae.recon_weight, report.vae.kl_weight) == (0.5, 0.5)
    assert (report.rnn.epochs, report.rnn.iterations) == (5, 800)


def test_presets_are_four_and_valid():
    assert sorted(PRESETS) == ["laptop", "paper", "quick", "report"]
    for name, preset in PRESETS.items():
        check(preset)
        assert (preset.preset, preset.run, preset.rollouts) == (name, name, name)
        assert preset.vae.log_every <= preset.vae.iterations or not preset.vae.iterations
        assert preset.vaegan.log_every <= preset.vaegan.iterations
        assert preset.rnn.log_every <= preset.rnn.iterations
    assert PRESETS["paper"] == Config()


def test_presets_name_only_what_they_change():
    """Every keyword in PRESETS differs from its class's default."""
    tree = ast.parse(Path(config_module.__file__).read_text())
    presets = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "PRESETS"
    )
    classes = {cls.__name__: cls() for cls in (*SECTIONS.values(), Config)}
    named = 0
    for call in (node for node in ast.walk(presets) if isinstance(node, ast.Call)):
        for keyword in call.keywords:
            if isinstance(keyword.value, ast.Call):
                continue
            default = getattr(classes[call.func.id], keyword.arg)
            same = ast.literal_eval(keyword.value) == default
            may_be_said_again = (call.func.id, keyword.arg) == ("Vae", "epochs")
            assert not same or may_be_said_again, f"{call.func.id}.{keyword.arg}"
            named += 1
    assert named > 20


# Every field is read -----------------------------------------------------------------------


def reads_of(path: Path) -> set[tuple[str, str]]:
    """(name, attribute) of each `name.attribute` or `.name.attribute` that a file reads."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            owner = node.value
            name = getattr(owner, "attr", None) or getattr(owner, "id", None)
            found.add((name, node.attr))
    return found


# What the code calls a section that it has in hand, beside its name.
CALLED = {
    "env": {"config", "STOCK"}, "extract": set(), "vae": {"config"}, "vaegan": {"config"},
    "rnn": {"config"},
    "controller": {"settings", "tracks"}, "evaluate": {"settings"},
    "events": set(),
}  # fmt: skip


def test_every_field_is_read_outside_config():
    package = Path(replication.__file__).parent
    files = [path for path in sorted(package.rglob("*.py")) if path.name != "config.py"]
    reads = set().union(*map(reads_of, files))
    for section, cls in SECTIONS.items():
        for field in dataclasses.fields(cls):
            names = {section} | CALLED[section]
            assert any((name, field.name) in reads for name in names), f"{section}.{field.name}"
    for field in dataclasses.fields(Config):
        own = {"rollouts"} if field.name == "data" else {field.name}  # data is read through it
        assert any(("config", name) in reads for name in own), field.name


def test_every_field_of_every_section_says_where_it_comes_from():
    """Behind each default stands its help, and its source in brackets."""
    source = Path(config_module.__file__).read_text()
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    classes = [node for node in classes if node.name in {cls.__name__ for cls in SECTIONS.values()}]
    lines = [
        source.splitlines()[field.lineno - 1]
        for node in classes
        for field in node.body
        if isinstance(field, ast.AnnAssign)
    ]
    assert len(lines) == sum(len(dataclasses.fields(cls)) for cls in SECTIONS.values())
    assert [line for line in lines if not re.search(r"  # .+ \[[^\]]+\]$", line)] == []


# The command line --------------------------------------------------------------------------


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
        (["laptop", "--vision", "vaegan"], "laptop-vaegan", "laptop"),
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


def test_a_script_made_for_one_kind_of_v_needs_not_be_told():
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
    assert not parse_cli(["laptop", "--controller.same_tracks", "false"]).controller.same_tracks
    assert parse_cli(["--rnn.reward_head", "true", "--rnn.termination_head"]).rnn.termination_head


def test_unknown_preset_is_one_line():
    assert complaint("tiny") == "unknown preset 'tiny': choose from laptop, paper, quick, report"


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
        (["--extract.policy", "expert"], "expert"),
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
    for section in SECTIONS:
        for name, value in dataclasses.asdict(getattr(PRESETS["report"], section)).items():
            option, default = f"--{section}.{name}", re.escape(str(value))
            assert re.search(rf"{option}\b[^()]*( --[^()]*)?\(default: {default}\)", shown), option
    for name in ("vision", "run", "data", "seed", "overwrite"):
        assert f"--{name}" in shown
