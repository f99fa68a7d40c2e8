"""The shape of the package: rooms and their direction, sizes, and what may know of a game."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import replication

import pytest

PACKAGE = Path(replication.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
RUN = '__name__ == "__main__"'
SCRIPTS = {path.stem for path in PACKAGE.glob("*.py") if RUN in path.read_text()}
# The top-level modules that are rooms of their own.
MODULES = {"compiled", "config", "presets", "training", "tf"}
LINES, LINES_OF_A_FUNCTION = 350, 45
# Who may name a game in code.
GAMES = ("carracing", "takecover", "vizdoom")
GAME_FILES = (
    *("tasks/", "envs/", "events.py", "probe.py", "benchmark.py", "speed/", "import_original.py"),
)
CAPTIONS = ("report/", "figures.py")  # of the page: they say which game was played


def name_of(path: Path) -> str:
    """A file's module: rollouts/loop.py is replication.rollouts.loop."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in FILES}


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def nodes_of(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it that run: those under `if TYPE_CHECKING:` do not."""
    yield node
    children = node.orelse if is_type_checking(node) else ast.iter_child_nodes(node)
    for child in children:
        yield from nodes_of(child)


def imports_of(source: str) -> set[str]:
    """The modules of the package that a source imports, wherever in it."""
    modules = set()
    for node in nodes_of(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            modules |= {name if name in NAMES else node.module for name in below}
    return {name for name in modules if name.startswith("replication.")}


def room_of(module: str) -> str:
    """replication.rollouts.loop -> rollouts; a script is no room: "scripts"."""
    first = module.split(".")[1]
    return "scripts" if first in SCRIPTS else first


def rooms() -> dict[str, set[str]]:
    """Each room, and the rooms that its files import."""
    graph: dict[str, set[str]] = {}
    for path in FILES:
        if (module := name_of(path)) != "replication":
            room = room_of(module)
            others = {room_of(name) for name in imports_of(path.read_text())} - {room}
            graph.setdefault(room, set()).update(others)
    return graph


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """Rooms that need each other: what is left when rooms that need no other are taken away."""
    left = {room: set(others) for room, others in graph.items()}
    while free := [room for room, others in left.items() if not others & left.keys()]:
        for room in free:
            del left[room]
    return sorted(left)


def test_imports_are_read_wherever_they_stand():
    source = """
from typing import TYPE_CHECKING
import replication.rnn.rnn
from replication.runs import files, folders
if TYPE_CHECKING:
    from replication.search.cma_es import Evolution
else:
    from replication.tf import tf
def late():
    from replication.report.run_record import read_run
"""
    assert imports_of(source) == {
        "replication.rnn.rnn",
        "replication.runs.files",
        "replication.runs.folders",
        "replication.tf",
        "replication.report.run_record",
    }


def test_a_circle_is_seen():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == list("abcd")


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_no_script_imports_a_script(name):
    imported = imports_of((PACKAGE / f"{name}.py").read_text())
    assert [module for module in imported if room_of(module) == "scripts"] == []


def test_nothing_imports_a_script():
    importers = [room for room, others in rooms().items() if "scripts" in others]
    assert importers == []


def test_rooms_have_a_direction():
    graph = rooms()
    assert {"scripts", "rollouts", "search", "report", "dataset", "tasks", "runs"} < graph.keys()
    assert circle_in(graph) == []


def test_rooms_names_are_nobody_elses():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    modules = {path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    assert modules == SCRIPTS | MODULES
    assert folders & modules == set()
    assert (folders | modules) & set(sys.stdlib_module_names) == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_are_short(path):
    source = path.read_text()
    assert len(source.splitlines()) <= LINES
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, functions) and node.end_lineno - node.lineno + 1 > LINES_OF_A_FUNCTION
    ]
    assert long == []


def docstrings(tree: ast.AST) -> set[int]:
    """The nodes, by id, that are strings standing alone: docstrings, and those of type aliases."""
    alone = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return {id(node) for node in alone if isinstance(node, ast.Constant)}


def names_of_a_game(source: str, strings: bool = True) -> list[str]:
    """What a source calls by a game's name: variables, modules and, if asked, strings."""
    tree, words = ast.parse(source), []
    left_out = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words += [node.value] if strings and id(node) not in left_out else []
        elif isinstance(node, ast.ImportFrom | ast.alias):
            words.append(getattr(node, "module", None) or getattr(node, "name", ""))
        elif isinstance(node, ast.Name | ast.Attribute):
            words.append(getattr(node, "id", "") or getattr(node, "attr", ""))
    plain = [(word, word.lower().replace("_", "").replace(" ", "")) for word in words]
    return [word for word, letters in plain if any(game in letters for game in GAMES)]


def test_a_game_is_seen_in_code_and_not_in_prose():
    source = '''
"""About CarRacing."""
from replication.tasks.car_racing import CAR_RACING_V3 as game
def f():
    """CarRacing."""
    return "CarRacing-v3", other.CAR_RACING_V3  # car_racing
'''
    names = ["CAR_RACING_V3", "CAR_RACING_V3", "replication.tasks.car_racing"]
    assert sorted(names_of_a_game(source, strings=False)) == names
    assert sorted(names_of_a_game(source)) == sorted([*names, "CarRacing-v3"])


OTHERS = [path for path in FILES if not str(path.relative_to(PACKAGE)).startswith(GAME_FILES)]


@pytest.mark.parametrize("path", OTHERS, ids=name_of)
def test_only_its_task_and_its_environment_know_of_a_game(path):
    place = str(path.relative_to(PACKAGE))
    words = names_of_a_game(path.read_text(), strings=not place.startswith(CAPTIONS))
    presets = [*["car_racing_v3"] * 3, *["take_cover"] * 3]  # which game each is of
    named = {"config.py": ["car_racing_v0"], "presets.py": presets}
    assert sorted(words) == named.get(place, [])
