"""README and docs/: short enough, without a dead link, with commands that parse and true scores."""

import csv
import importlib
import json
import re
import runpy
import shlex
import subprocess
from pathlib import Path
from types import ModuleType

from replication.runs import folders
from replication.runs.command_line import parse_cli, parse_dataclass

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "data" / "README.md", ROOT / "checkpoints" / "README.md", *DOCS]
TEXT = {path: path.read_text() for path in PAGES}
EVALUATIONS = sorted((ROOT / "checkpoints").glob("**/evaluation/*_tracks_seed_*.json"))
WHO = {
    "paper": "World Models, full",
    "Tallec et al.": "Tallec et al., trained M",
    "Wellmer": "Wellmer, generation 190",
    "2021 report": "The 2021 replication report",
}  # a row of the README's table -> the row of scores.csv


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked(paths: list[Path]) -> list[Path]:
    """Those that are kept with the repository, and not a user's own."""
    listed = subprocess.check_output(["git", "-C", str(ROOT), "ls-files", "checkpoints"], text=True)
    kept = {ROOT / name for name in listed.splitlines()}
    return [path for path in paths if path in kept]


def section(path: Path, title: str) -> str:
    """The text below a heading, up to the next one of any level."""
    return re.split(r"^#+ ", TEXT[path].split(f"# {title}\n", 1)[1], flags=re.M)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a text's tables, without the lines of dashes."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not re.fullmatch("-+", row[0])]


# Length -----------------------------------------------------------------------------------------


def test_the_readme_is_one_page():
    assert len(TEXT[README].splitlines()) <= 150
    assert README.stat().st_size <= 9_000


# Links ------------------------------------------------------------------------------------------


def links() -> list[tuple[Path, str, str]]:
    """Page, text and target of each link and image that stays in the repository."""
    found = [
        (path, label, target)
        for path, text in TEXT.items()
        for label, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", text)
    ]
    return [link for link in found if "://" not in link[2]]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", prose, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path):
    dead = []
    for page, _, target in links():
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        found = there.exists() and (not anchor or anchor in anchors(there.read_text()))
        if page == path and not found:
            dead.append(target)
    assert not dead


def test_every_page_of_docs_is_linked_from_the_readme():
    linked = {target.partition("#")[0] for page, _, target in links() if page == README}
    assert {named(path) for path in DOCS} <= linked


def test_names_of_code_stand_in_the_files_that_they_link_to():
    wrong = []
    for page, label, target in links():
        if target.endswith(".py") and (name := re.fullmatch(r"`(\w+)`", label)):
            file = page.parent / target
            defined = rf"^(def|class) {name[1]}\b"
            if not (file.exists() and re.search(defined, file.read_text(), flags=re.M)):
                wrong.append(f"{named(page)}: {name[1]} in {target}")
    assert not wrong


def test_the_rooms_of_the_map_exist():
    named_first = " ".join(row[0] for row in rows(section(README, "Map"))[1:])
    paths = re.findall(r"`([\w/]+(?:\.py)?)`", named_first)
    assert paths and not [path for path in paths if not (ROOT / "replication" / path).exists()]


# Commands ---------------------------------------------------------------------------------------


def commands() -> list[tuple[str, str]]:
    """Script and arguments of each command line in the pages; run_all.sh's are the pipeline's."""
    found = set()
    for text in TEXT.values():
        found |= set(re.findall(r"python replication/(\w+)\.py([^`\n#]*)", text))
        found |= {("pipeline", given) for given in re.findall(r"bash run_all\.sh([^`\n#]*)", text)}
    return sorted((name, given.strip()) for name, given in found if given.strip() != "test")


def parse(name: str, argv: list[str]) -> None:
    """Read a command line as the script does; UserError if it cannot."""
    script = importlib.import_module(f"replication.{name}")
    own = {key for key, value in vars(script).items() if is_of(script, value)}
    if readers := own & {"parse", "parse_options"}:
        getattr(script, readers.pop())(argv)
    elif "Options" in own:
        parse_dataclass(script.Options, script.Options(), argv)
    else:
        parse_cli(argv, vision="vaegan" if name == "train_vaegan" else "vae")


def is_of(script: ModuleType, value) -> bool:
    """Whether a script defines a class or function itself, and does not import it."""
    return getattr(value, "__module__", "") == script.__name__


@pytest.mark.parametrize(("name", "given"), commands())
def test_commands_parse(name, given):
    parse(name, shlex.split(given))


def test_each_stage_has_its_command_in_the_readme():
    stages = "extract train_vae train_vaegan series train_rnn gate rounds train_controller"
    stages += " evaluate dream"
    listed = re.findall(r"replication/(\w+)\.py", section(README, "Stages"))
    assert listed == [*stages.split(), "events", "demo", "figures"]


def test_the_readmes_python_runs(compiled, monkeypatch, tmp_path):
    (code,) = re.findall(r"^```python\n(.*?)^```", TEXT[README], flags=re.M | re.S)
    script = tmp_path / "snippet.py"
    script.write_text(code)
    monkeypatch.chdir(ROOT)
    got = runpy.run_path(str(script))
    assert (got["obs"].shape, got["z"].shape, len(got["parameters"])) == ((96, 96, 3), (32,), 867)
    assert got["tiles"] > 0  # the car stands on some
    assert (got["terminated"], got["truncated"]) == (False, False)


def test_the_python_of_other_learners_runs(monkeypatch, tmp_path):
    """All but the learner's own."""
    page = TEXT[ROOT / "docs" / "dream-env.md"]
    dream, game, _ = re.findall(r"^```python\n(.*?)^```", page, flags=re.M | re.S)
    script = tmp_path / "snippet.py"
    script.write_text(dream + game)
    monkeypatch.setattr(folders, "HOME", ROOT)
    got = runpy.run_path(str(script))
    assert (got["envs"].num_envs, got["rewards"].shape) == (64, (64,))
    assert got["envs"].single_observation_space.shape == got["obs"].shape == (32 + 256,)


# Scores -----------------------------------------------------------------------------------------


def score_of(path: Path) -> str:
    evaluation = json.loads(path.read_text())
    return f"{evaluation['mean']:.1f} ± {evaluation['std']:.1f}"


def test_the_readmes_own_score_is_that_of_the_evaluation():
    row = next(row for row in rows(section(README, "Results")) if "shipped" in row[0])
    assert row[2] == "100" and "--agent checkpoints/laptop/v3_seed_1" in row[5]
    agent = ROOT / "checkpoints" / "laptop" / "v3_seed_1"
    assert row[3] == f"**{score_of(agent / 'evaluation' / '100_tracks_seed_0.json')}**"


def test_the_readmes_scores_in_bold_are_those_of_kept_evaluations():
    bold = [row[3].strip("*") for row in rows(section(README, "Results")) if "**" in row[3]]
    assert bold and set(bold) <= {score_of(path) for path in tracked(EVALUATIONS)}


@pytest.mark.parametrize("who", WHO)
def test_the_readmes_published_scores_are_those_of_the_table(who):
    with open(ROOT / "data" / "reference" / "scores.csv", newline="") as file:
        published = {row["who"]: row for row in csv.DictReader(file)}[WHO[who]]
    (row,) = (row for row in rows(section(README, "Results")) if row[0] == who)
    mean = f"{float(published['mean_return']):.0f}"
    expected = f"{mean} ± {float(published['std']):.0f}" if published["std"] else mean
    assert row[1:3] == [published["environment"], published["episodes"]]
    assert row[3] == expected or row[3].startswith(f"{expected}, its best return")


@pytest.mark.parametrize("path", tracked(EVALUATIONS), ids=named)
def test_each_score_stands_once_in_docs_with_its_log(path):
    evaluation = json.loads(path.read_text())
    if "temperatures" in path.parts:
        page, temperature = ROOT / "docs" / "take-cover.md", path.parts[-3]
        (row,) = (row for row in rows(TEXT[page]) if row[0] == temperature)
        assert row[2] == score_of(path) and f"(../{named(path)})" in row[3]
    else:
        results = TEXT[ROOT / "docs" / "results.md"]
        (row,) = (row for row in rows(results) if f"(../{named(path)})" in row[-1])
        assert row[1] == str(evaluation["episodes"])
        assert row[2] == score_of(path)
        assert row[3] == f"{evaluation['min']:.1f} to {evaluation['max']:.1f}"
    assert sum(TEXT[page].count(score_of(path)) for page in DOCS) == 1


# Logs -------------------------------------------------------------------------------------------


def test_every_key_of_every_log_is_explained():
    explained = set(re.findall(r"`(\w+)`", TEXT[ROOT / "docs" / "logs.md"]))
    logs = tracked(sorted((ROOT / "checkpoints").glob("**/log.jsonl")))
    lines = [json.loads(line) for path in logs for line in path.read_text().splitlines()]
    others = tracked(sorted((ROOT / "checkpoints").glob("**/done.json")))
    others += tracked(EVALUATIONS)
    lines += [json.loads(path.read_text()) for path in others]
    assert lines and {key for line in lines for key in line} <= explained
