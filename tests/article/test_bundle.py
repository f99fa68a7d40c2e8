"""Modules become one script."""

from replication.article.bundle import bundle
from replication.article.page import WEB

import pytest


def write(folder, **modules: str):
    for name, source in modules.items():
        (folder / f"{name}.js").write_text(source)
    return folder / "main.js"


def test_each_module_stands_once_behind_what_it_needs(tmp_path):
    entry = write(
        tmp_path,
        main='import { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\n\nb(c);\n',
        b='import { c } from "./c.js";\nexport const b = () => c;\n',
        c="export function c() {}\n",
        other="export const d = 1;\n",
    )
    lines = [line for line in bundle(entry).splitlines() if line]
    assert lines == [
        '"use strict";', "(() => {",
        "// c.js", "function c() {}",
        "// b.js", "const b = () => c;",
        "// main.js", "b(c);",
        "})();",
    ]  # fmt: skip


def test_a_name_that_two_modules_define_is_refused(tmp_path):
    source = 'import { b } from "./b.js";\nfunction same() {\n  const inner = 1;\n}\n'
    entry = write(tmp_path, main=source, b="const inner = 1;\nexport class same {}\n")
    with pytest.raises(ValueError, match="main.js and b.js both define same"):
        bundle(entry)


@pytest.mark.parametrize("entry", ["page/main.js", "worker/worker.js"])
def test_every_file_of_the_page_is_in_its_script(entry):
    path = WEB / entry
    script = bundle(path)
    assert {f"// {other.name}" for other in path.parent.iterdir()} <= set(script.splitlines())
    assert "import {" not in script and "export " not in script
    assert "</script" not in script  # it would end the script there
