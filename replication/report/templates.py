"""HTML pages by jinja2 templates."""

from pathlib import Path

import jinja2


def environment_of(folder: Path) -> jinja2.Environment:
    """Templates of a folder: what is put in is escaped, and an unknown name is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
