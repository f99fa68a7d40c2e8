"""How a script starts, and how it ends when something is wrong: one line, exit status 2."""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from replication.config import Config, UserError, Vision
from replication.runs.command_line import given, parse_cli
from replication.runs.records import recorded_game


def parse_run_cli(
    argv: Sequence[str] | None = None, doc: str | None = None, vision: Vision = "vae"
) -> Config:
    """parse_cli's configuration; where --task or --frames is not given, as the run was begun."""
    args = list(sys.argv[1:] if argv is None else argv)
    config = parse_cli(args, doc, vision)
    game = recorded_game(config)
    begun = {key: value for key, value in game.items() if not given(args, f"--{key}")}
    return dataclasses.replace(config, **begun)


def run_script(main: Callable[[], None]) -> None:
    """Call a script's main; what the user can put right becomes one line and exit status 2."""
    name = Path(sys.argv[0]).name
    try:
        main()
    except UserError as error:
        sys.exit(_complain(f"{name}: {error}"))
    except KeyboardInterrupt:
        sys.exit(_complain(f"{name}: stopped; the same command goes on from what is saved", 130))
    except OSError as error:  # a full disk, a folder that may not be written, a missing file
        said = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
        sys.exit(_complain(f"{name}: {said or error}; nothing that was saved is lost"))


def _complain(line: str, status: int = 2) -> int:
    print(" ".join(line.split()), file=sys.stderr, flush=True)
    return status
