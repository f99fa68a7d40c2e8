"""The script demo.py: the page of a whole run, of one that lacks something, and of none."""

import dataclasses

from replication import demo, pipeline
from replication.config import Rnn, UserError
from replication.presets import PRESETS
from replication.report.page_content import make_page
from replication.report.run_record import read_run
from replication.rnn.rnn import MDNRNN
from replication.runs import files, folders, records

import numpy as np
import pytest
from agents import RUN, write_agent
from made_up_game import CATCH, register

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="catch")


@pytest.fixture
def folder(home, write_episode):
    """A run of the made-up game, of random weights, with two recorded episodes."""
    register()
    folder = folders.run_folder("mine")
    write_agent(folder, MDNRNN(Rnn(hidden=8, heads="points,end"), CATCH))
    files.write_json(folder / "config.json", {"run": RUN | {"task": "catch"}})
    for seed in (1, 20):
        action = np.zeros((12, 2), np.float32)
        write_episode(folders.record_folder(CONFIG), seed, action=action)
    for name in ("train_vae", "train_rnn", "train_controller"):
        files.write_json(folders.stage_folder(CONFIG, name) / "done.json", done(name))
    return folder


def done(name: str) -> dict:
    return {"identity": {}, "output": name, "reached": "", "seconds": 1.0, "processes": 1}


def run() -> None:
    demo.main(demo.parse_options(["--run", "mine"]))


def test_a_whole_run_has_its_page_and_its_record(folder, capsys):
    run()
    html = (folder / "demo.html").read_text(encoding="utf-8")
    assert "The agent, fresh episode 2" in html and 'class="missing">checkpoints' not in html
    printed = capsys.readouterr().out
    assert printed.startswith("demo: checkpoints/mine/demo.html, ")
    assert "rounding moves a picture by" in printed
    record = records.done(records.load_config("mine"), "demo")
    assert record["identity"]["input train_controller"] == "train_controller"
    assert not list(folder.rglob(".tmp*"))


def test_the_page_is_the_same_again(folder):
    run()
    first = (folder / "demo.html").read_bytes()
    run()
    assert (folder / "demo.html").read_bytes() == first


@pytest.mark.parametrize(
    ("lost", "command", "parts"),
    [
        ("controller/best.json", "train_controller.py", {"see", "dream"}),
        ("rnn/rnn.weights.h5", "train_rnn.py", {"see"}),
        ("rnn/rnn.json", "train_rnn.py", {"see"}),
        ("vae/decoder.weights.h5", "train_vae.py", set()),
        ("vae/encoder.weights.h5", "train_vae.py", set()),
    ],
)
def test_what_a_run_lacks_is_named_and_the_rest_is_shown(folder, capsys, lost, command, parts):
    (folder / lost).unlink()
    run()
    line = f"checkpoints/mine/{lost} is missing: run python replication/{command} quick --run mine"
    assert f"demo: {line}\n" in capsys.readouterr().out
    html = (folder / "demo.html").read_text(encoding="utf-8")
    assert f'<p class="missing">{line}</p>' in html
    assert {name for name in ("see", "dream") if f'id="{name}-picture"' in html} == parts
    assert ("Recorded episode 20" in html) == bool(parts)
    assert not (folder / "demo" / "done.json").exists()  # the stage is not done


def test_a_run_without_c_and_without_rollouts_names_both(folder, capsys):
    (folder / "controller" / "best.json").unlink()
    for path in folders.record_folder(CONFIG).glob("*.npz"):
        path.unlink()
    run()
    assert "demo: data/mine/record is missing: run python" in capsys.readouterr().out
    assert 'id="see-picture"' not in (folder / "demo.html").read_text(encoding="utf-8")


def test_no_run_is_one_line(home):
    with pytest.raises(UserError, match="checkpoints/mine is no run"):
        run()
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["vae/decoder.weights.h5", "rnn/rnn.weights.h5"])
def test_a_damaged_file_is_named_and_no_page_is_written(folder, name):
    (folder / name).write_bytes(b"no weights")
    with pytest.raises(UserError, match=name):
        run()
    assert not (folder / "demo.html").exists()


def test_the_report_page_links_to_it(folder):
    of_run = read_run(records.load_config("mine"))
    assert make_page([of_run], []).article == ""
    (folder / "demo.html").write_text("")
    assert make_page([of_run], []).article == "demo.html"


def test_the_pipeline_makes_it_before_the_report():
    stages = list(pipeline.stages_of(CONFIG))
    assert stages[-2:] == ["demo", "figures"]
    words = pipeline.stage_command(CONFIG, "demo", ["quick", "--run", "mine", "--vae.epochs", "2"])
    assert words[-2:] == ["--run", "mine"]
    assert demo.parse_options(words[-2:]).run == "mine"


def test_a_preset_is_the_run_of_its_name():
    assert demo.parse_options(["laptop"]).run == "laptop"
    assert demo.parse_options([]).run == "quick"
    with pytest.raises(UserError, match="unknown preset"):
        demo.parse_options(["quikc"])
    options = demo.parse_options(["--run", "a/b", "--vision", "vaegan"])
    assert (options.run, options.vision) == ("a/b", "vaegan")
