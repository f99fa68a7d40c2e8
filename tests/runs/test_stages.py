"""Run folders: a stage's lock, its inputs, its configuration, its record."""

import contextlib
import dataclasses
from pathlib import Path

from replication.config import UserError, Vae
from replication.presets import PRESETS
from replication.runs import files, folders, records, stages

import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")


def config(**sections):
    """CONFIG with other fields: config(vae={"epochs": 9}, seed=3)."""
    changed = {
        name: dataclasses.replace(getattr(CONFIG, name), **value)
        if isinstance(value, dict)
        else value
        for name, value in sections.items()
    }
    return dataclasses.replace(CONFIG, **changed)


def finish(name: str, configuration=CONFIG, output: str = "1") -> None:
    folders.stage_folder(configuration, name).mkdir(parents=True, exist_ok=True)
    records.finish(configuration, name, output, f"{name} done", 1.0)


@contextlib.contextmanager
def begun(configuration, name: str):
    """A stage that has read what it reads."""
    with records.open_stage(configuration, name) as folder:
        records.begin_stage(configuration, name)
        yield folder


def test_a_stage_locks_its_run(home):
    finish("extract")
    with begun(CONFIG, "train_vae"):
        refused = pytest.raises(UserError, match="another process is writing checkpoints/mine")
        with refused, begun(CONFIG, "train_vae"):
            pass
        with begun(config(run="other", data="mine"), "train_vae"):
            pass  # another run on the same rollouts


@pytest.mark.parametrize("name", ["mine/vae", "mine/series", "mine/controller"])
def test_a_run_does_not_stand_where_a_stage_of_another_does(home, name):
    for configuration in (config(run=name), config(data=name)):
        refused = pytest.raises(UserError, match=f"'{name}': .* is where a stage of mine stands")
        with refused, begun(configuration, "extract"):
            pass
    assert not (home / "checkpoints" / "mine").exists() and not (home / "data" / "mine").exists()


def test_folders(home):
    shared = config(data="rollouts")
    places = {name: folders.stage_folder(shared, name) for name in stages.STAGES}
    assert places["extract"] == home / "data" / "rollouts" / "record"
    assert places["series"] == home / "data" / "mine" / "series"
    assert places["train_vae"] == home / "checkpoints" / "mine" / "vae"
    assert places["train_rnn"] == home / "checkpoints" / "mine" / "rnn"
    assert places["train_controller"] == home / "checkpoints" / "mine" / "controller"


def test_a_missing_input_names_the_stage_to_run(home):
    for name, missing in (
        ("train_vae", "extract"),
        ("series", "train_vae"),
        ("train_rnn", "series"),
        ("train_controller", "train_rnn"),
    ):
        expected = rf"is missing: run python replication/{missing}\.py quick --run mine"
        with pytest.raises(UserError, match=expected), begun(CONFIG, name):
            pass
        finish(missing)
        with begun(CONFIG, name) as folder:
            assert folder.is_dir()


def test_a_folder_made_otherwise_is_refused_field_by_field(home):
    finish("extract")
    with begun(CONFIG, "train_vae") as folder:
        (folder / "log.jsonl").write_text('{"step": 2, "seconds": 1}\n')
    other = config(vae={"learning_rate": 0.5, "kl_weight": 2.0}, seed=3)
    with pytest.raises(UserError) as error, begun(other, "train_vae"):
        pass
    complaint = str(error.value)
    assert complaint.startswith("checkpoints/mine/vae was made with other settings: ")
    for part in (
        "seed 0 there, 3 here",
        "vae.kl_weight 1.0 there, 2.0 here",
        "vae.learning_rate 0.0005 there, 0.5 here",
        "--overwrite",
    ):
        assert part in complaint
    assert "epochs" not in complaint
    assert (folder / "log.jsonl").exists()
    with begun(CONFIG, "train_vae"):
        pass  # what is recorded is still what made it


def test_what_is_finished_is_not_made_less(home):
    finish("extract")
    five, nine = (config(vae={"epochs": epochs}) for epochs in (5, 9))
    with begun(nine, "train_vae") as folder:
        (folder / "log.jsonl").write_text('{"step": 2, "seconds": 1}\n')
    with begun(five, "train_vae"):
        pass  # it had not come so far
    finish("train_vae", nine)
    with pytest.raises(UserError, match="vae.epochs 9 there, 5 here"), begun(five, "train_vae"):
        pass
    assert records.done(five, "train_vae")


def test_a_record_that_lacks_a_setting_is_of_another_configuration(home):
    """Records of older formats are migrated or made anew: nothing is assumed for them."""
    for name in ("extract", "train_vae", "train_rnn", "train_controller"):
        finish(name)
    path = folders.stage_folder(CONFIG, "train_controller") / "done.json"
    record = files.read_json(path)
    assert records.done(CONFIG, "train_controller") == record
    for key in ("controller.z", "controller.world", "task"):
        identity = {name: value for name, value in record["identity"].items() if name != key}
        files.write_json(path, record | {"identity": identity})
        assert records.done(CONFIG, "train_controller") is None


def test_another_input_is_another_configuration(home):
    finish("extract")
    finish("train_vae", output="v1")
    with begun(CONFIG, "series") as folder:
        (folder / "mu.npy").write_text("x")
    finish("train_vae", output="v2")
    refused = pytest.raises(UserError, match="input train_vae 'v1' there, 'v2' here")
    with refused, begun(CONFIG, "series"):
        pass


def test_a_search_in_dreams_goes_on_with_the_series_that_it_began_with(home):
    dreaming = config(controller={"world": "dream"})
    for name in ("extract", "train_vae", "series", "train_rnn"):
        finish(name, dreaming)
    with begun(dreaming, "train_controller") as folder:
        (folder / "log.jsonl").write_text('{"step": 1, "seconds": 1}\n')
    finish("series", dreaming, "2")
    refused = pytest.raises(UserError, match="input series '1' there, '2' here")
    with refused, begun(dreaming, "train_controller"):
        pass


VAEGAN = dataclasses.replace(CONFIG, vision="vaegan")


def give_v(kind: str, run: str = "mine") -> Path:
    """A run that has a V of this kind."""
    folder = folders.run_folder(run) / kind
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text('{"step": 2, "seconds": 1}\n')
    return folder


@pytest.mark.parametrize("name", ["train_vaegan", "series", "train_rnn", "train_controller"])
def test_a_run_has_one_v(home, name):
    finish("extract")
    give_v("vae")
    for config in (VAEGAN, dataclasses.replace(VAEGAN, overwrite=True)):
        with pytest.raises(UserError) as error, begun(config, name):
            pass
        assert str(error.value) == (
            "checkpoints/mine has another V, made by train_vae.py:"
            " give --vision vae, or another run"
        )


def test_a_vae_gan_is_made_by_its_own_script(home):
    finish("extract")
    for config, name, other in (
        (CONFIG, "train_vaegan", "train_vae"),
        (VAEGAN, "train_vae", "train_vaegan"),
    ):
        refused = pytest.raises(UserError, match=rf"made by {other}\.py, not by {name}\.py")
        with refused, begun(config, name):
            pass
    with begun(VAEGAN, "train_vaegan") as folder:
        assert folder == home / "checkpoints" / "mine" / "vaegan"


def test_where_v_stands(home):
    run = folders.run_folder("mine")
    assert folders.v_folder(run) == run / "vae"  # it is named when it is missed
    assert folders.v_folder(run, "vaegan") == run / "vaegan"
    (run / "vae").mkdir(parents=True)
    folder = give_v("vaegan")
    assert folders.v_folder(run) == folders.v_folder(run, "vaegan") == folder
    with pytest.raises(UserError, match=r"made by train_vaegan\.py: give --vision vaegan"):
        folders.v_folder(run, "vae")


def test_commands_of_a_vae_gans_run(home):
    """As short as the user may type them."""
    usual = dataclasses.replace(VAEGAN, run="quick-vaegan", data="quick")
    assert records.command(usual, "series") == "series.py quick --vision vaegan"
    other = dataclasses.replace(VAEGAN, run="quick-vaegan", data="laptop")
    assert records.command(other, "series") == "series.py quick --vision vaegan --data laptop"
    assert records.command(VAEGAN, "series") == "series.py quick --vision vaegan --run mine"
    with pytest.raises(
        UserError, match=r"run python replication/extract\.py quick --vision vaegan"
    ):
        records.check_inputs(usual, "train_vaegan")


def test_overwrite_starts_anew(home):
    finish("extract")
    finish("train_vae")
    with begun(CONFIG, "train_vae") as folder:
        (folder / "state.npz").write_text("x")
    other = config(vae={"learning_rate": 0.5}, overwrite=True)
    assert records.done(other, "train_vae") is None
    with begun(other, "train_vae") as folder:
        assert list(folder.iterdir()) == []
    assert folders.record_folder(CONFIG).exists()  # only this stage's folder is emptied
    recorded = files.read_json(folder.parent / "config.json")
    assert recorded["train_vae"]["vae.learning_rate"] == 0.5


def test_an_empty_folder_is_nobodys(home):
    """A stage that was stopped before it had written anything binds no one."""
    finish("extract")
    with begun(CONFIG, "train_vae"):
        pass
    with begun(config(seed=9), "train_vae"):
        pass


@pytest.mark.parametrize(
    ("name", "section", "field"),
    [
        ("extract", "extract", "episodes"),
        ("train_vae", "vae", "epochs"),
        ("train_rnn", "rnn", "epochs"),
        ("train_controller", "controller", "generations"),
        ("evaluate", "evaluate", "episodes"),
    ],
)
def test_a_finished_stage_may_grow(home, name, section, field):
    for need in ("extract", "train_vae", "series", "train_rnn", "train_controller"):
        finish(need)
    finish(name)
    with begun(CONFIG, name):
        pass
    asked = getattr(getattr(CONFIG, section), field)
    more, less = (config(**{section: {field: value}}) for value in (asked + 5, asked - 1))
    assert records.done(CONFIG, name)["reached"] == f"{name} done"
    assert records.done(less, name)
    assert records.done(more, name) is None
    with begun(more, name) as folder:
        assert (folder / "done.json").exists()  # it goes on from what is there


@pytest.mark.parametrize("free", [{"vae": {"log_every": 7}}, {"extract": {"skip_bad": True}}])
def test_fields_that_change_no_result_bind_nobody(home, free):
    finish("extract")
    finish("train_vae")
    with begun(CONFIG, "train_vae"):
        pass
    with begun(config(**free), "train_vae"):
        assert records.done(config(**free), "train_vae")


def test_done_is_over_when_an_input_is_made_anew(home):
    finish("extract")
    finish("train_vae", output="v1")
    finish("series")
    assert records.done(CONFIG, "series")
    finish("train_vae", output="v2")
    assert records.done(CONFIG, "series") is None


def test_what_a_finished_stage_leaves(home):
    finish("extract", output="brownian 0")
    folder = folders.stage_folder(CONFIG, "train_vae")
    folder.mkdir(parents=True)
    records.finish(CONFIG, "train_vae", "abc", "all of it", 12.345, parameters=7)
    record = files.read_json(folder / "done.json")
    assert record["identity"]["vae.epochs"] == CONFIG.vae.epochs
    assert record["identity"]["input extract"] == "brownian 0"
    assert (record["output"], record["reached"], record["seconds"], record["parameters"]) == (
        "abc", "all of it", 12.3, 7,
    )  # fmt: skip
    assert records.output_of(CONFIG, "train_vae") == "abc"
    assert records.output_of(CONFIG, "train_rnn") is None


def test_config_and_versions_are_recorded(home):
    finish("extract")
    with begun(CONFIG, "train_vae") as folder:
        pass
    recorded = files.read_json(folder.parent / "config.json")["train_vae"]
    assert recorded["vae.free_bits"] == 0.5
    fields = {f"vae.{f.name}" for f in dataclasses.fields(Vae)} - {"vae.log_every"}
    assert fields == {name for name in recorded if name.startswith("vae.")}
    versions = files.read_json(folder.parent / "versions.json")
    assert {"python", "tensorflow", "gymnasium", "numpy", "cma", "mpi4py"} <= set(versions)
