"""Settings: the paper's are the defaults, each is read, and each number has a bound."""

import ast
import dataclasses
import re
from pathlib import Path
from typing import get_type_hints

import replication
from replication import config as config_module
from replication import presets as presets_module
from replication.config import (
    AtLeast,
    Config,
    Controller,
    Dream,
    Env,
    Evaluate,
    Events,
    Extract,
    Gate,
    Rnn,
    Rounds,
    UserError,
    Vae,
    Vaegan,
    check,
    default_run,
    run_before,
)
from replication.presets import PRESETS

import pytest

SECTIONS = {
    "env": Env, "extract": Extract, "vae": Vae, "vaegan": Vaegan, "rnn": Rnn,
    "controller": Controller, "dream": Dream, "rounds": Rounds,
    "gate": Gate, "evaluate": Evaluate, "events": Events,
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
                "learning_rate": 1e-3, "clip": 1, "heads": "none", "z": "sample", "z_noise": 0.15,
            },
        ),
        (
            Controller(),
            {
                "world": "real", "mode": "z_h", "population": 64,
                "episodes": 16, "generations": 1800,
                "sigma": 0.1, "same_tracks": False, "patience": 0, "short": 0,
                "eval_every": 25, "eval_episodes": 1024,
            },
        ),
        (
            Dream(),
            {
                "temperature": 1, "steps": 0, "starts": "first", "ends": "likely",
                "patience": 0, "cap": 0, "worst": 0,
            },
        ),
        (Rounds(), {"count": 0}),
        (Gate(), {"episodes": 100}),
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


def test_presets_play_the_game_of_what_they_replicate():
    """The paper and the report drove on CarRacing-v0, and the original stretched its frames."""
    v0 = ("paper", "report", "quick", "laptop_1", "laptop_2", "laptop")
    cars = dict.fromkeys(v0, "car_racing_v0")
    cars |= dict.fromkeys(("one_pass", "dreamt", "laptop_v3"), "car_racing_v3")
    games = {name: preset.task for name, preset in PRESETS.items()}
    assert games == cars | dict.fromkeys(("doom", "doom_quick", "doom_rounds"), "take_cover")
    assert {preset.frames for preset in PRESETS.values()} == {"plain"}


def test_presets_are_valid():
    for name, preset in PRESETS.items():
        check(preset)
        assert (preset.preset, preset.run, preset.rollouts) == (name, name, name)
        assert preset.vae.log_every <= preset.vae.iterations or not preset.vae.iterations
        assert preset.vaegan.log_every <= preset.vaegan.iterations
        assert preset.rnn.log_every <= preset.rnn.iterations
    assert PRESETS["paper"] == Config()


def test_a_preset_goes_on_from_the_agent_of_the_one_that_it_names():
    followers = {name: preset for name, preset in PRESETS.items() if preset.after}
    before = {name: preset.after for name, preset in followers.items()}
    assert before == {"laptop_2": "laptop_1", "laptop": "laptop_2", "laptop_v3": "dreamt"}
    for preset in followers.values():
        before = f"checkpoints/{preset.after}"
        assert (preset.extract.policy, preset.extract.agent) == ("agent", before)
        assert preset.controller.start == before
        assert preset.task == PRESETS[preset.after].task


def test_the_run_before_has_the_same_name_and_the_number_before():
    middle, last = PRESETS["laptop_2"], PRESETS["laptop"]
    assert (run_before(middle), run_before(last)) == ("laptop_1", "laptop_2")
    assert run_before(dataclasses.replace(middle, run="mine_2")) == "mine_1"
    assert run_before(dataclasses.replace(last, run="seeds/mine")) == "seeds/mine_2"


def test_the_run_before_has_its_presets_name_where_that_has_no_number():
    preset = PRESETS["laptop_v3"]
    assert run_before(preset) == "dreamt"
    assert run_before(dataclasses.replace(preset, run="seeds/mine")) == "seeds/mine_dreamt"
    gan = dataclasses.replace(preset, vision="vaegan", run="laptop_v3-vaegan")
    assert run_before(gan) == "dreamt-vaegan"


def test_a_preset_with_a_vae_gan_has_a_run_of_its_own():
    assert [default_run(name, "vaegan") for name in ("laptop_1", "laptop", "doom_quick")] == [
        "laptop-vaegan_1",
        "laptop-vaegan",
        "doom_quick-vaegan",
    ]


def test_presets_name_only_what_they_change():
    """Every keyword in PRESETS differs from its class's default."""
    tree = ast.parse(Path(presets_module.__file__).read_text())
    presets = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "PRESETS"
    )
    classes = {cls.__name__: cls() for cls in (*SECTIONS.values(), Config)}
    named = 0
    for call in (node for node in ast.walk(presets) if isinstance(node, ast.Call)):
        for keyword in call.keywords:
            if isinstance(keyword.value, ast.Call | ast.Name):
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
    reads = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            owner = node.value
            name = getattr(owner, "attr", None) or getattr(owner, "id", None)
            reads.add((name, node.attr))
    return reads


# What the code calls a section that it has in hand, beside its name.
CALLED = {
    "env": {"config", "STOCK"}, "extract": set(), "vae": {"config"}, "vaegan": {"config"},
    "rnn": {"config"},
    "controller": {"settings", "tracks"}, "dream": {"settings"}, "rounds": {"settings"},
    "gate": set(), "evaluate": {"settings"},
    "events": set(),
}  # fmt: skip


def test_every_field_is_read_outside_config():
    package = Path(replication.__file__).parent
    files = [
        path
        for path in sorted(package.rglob("*.py"))
        if path.name not in ("config.py", "presets.py")
    ]
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


# Bounds ------------------------------------------------------------------------------------


def bounds() -> list[tuple[str, str, float | None]]:
    """Each number of each section, and its bound; None: it must be positive."""
    numbers = []
    for section, cls in SECTIONS.items():
        for name, hint in get_type_hints(cls, include_extras=True).items():
            if isinstance(getattr(cls(), name), bool | str):
                continue
            limits = [x.bound for x in getattr(hint, "__metadata__", ()) if isinstance(x, AtLeast)]
            numbers.append((section, name, limits[0] if limits else None))
    return numbers


def test_every_number_has_a_bound_and_its_default_keeps_it():
    assert len(bounds()) > 40
    for section, name, bound in bounds():
        for preset in PRESETS.values():
            value = getattr(getattr(preset, section), name)
            assert value > 0 if bound is None else value >= bound


@pytest.mark.parametrize(("section", "name", "bound"), bounds())
def test_a_bound_is_kept_by_the_check(section, name, bound):
    def with_value(value) -> Config:
        part = dataclasses.replace(SECTIONS[section](), **{name: value})
        return dataclasses.replace(Config(), **{section: part})

    least = 1e-9 if bound is None else bound
    limit = "positive" if bound is None else f"at least {bound:g}"
    check(with_value(least))
    for value in (least - 0.5, float("nan")):
        with pytest.raises(UserError, match=rf"^{section}\.{name} .*: must be {limit}$"):
            check(with_value(value))
    with pytest.raises(UserError, match=rf"^{section}\.{name} inf: must be (finite|at most 1)$"):
        check(with_value(float("inf")))
