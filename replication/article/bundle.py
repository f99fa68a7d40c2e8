"""Several JavaScript modules as one script, which a page can hold in itself.

A module says what it needs by `import { a, b } from "./other.js";`. The script has each module
once, behind those that it needs; its imports and the word `export` are left out.
"""

import re
from pathlib import Path

IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)
NAME = re.compile(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)


def bundle(entry: Path) -> str:
    """The module and all that it needs. ValueError if two of them define the same name."""
    modules = _in_order(entry, {})
    owners: dict[str, str] = {}
    for path, source in modules.items():
        for name in NAME.findall(source):
            if name in owners:
                raise ValueError(f"{path.name} and {owners[name]} both define {name}")
            owners[name] = path.name
    parts = (f"// {path.name}\n{source}" for path, source in modules.items())
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _in_order(path: Path, modules: dict[Path, str]) -> dict[Path, str]:
    """Add a module's source, behind those that it imports, to `modules`."""
    if path not in modules:
        text = path.read_text(encoding="utf-8")
        for name in IMPORT.findall(text):
            _in_order(path.parent / name, modules)
        modules[path] = EXPORT.sub("", IMPORT.sub("", text))
    return modules
