"""The command line: a preset, and `--field value` for every setting that is to be another.

A stage is called as `python replication/train_vae.py [PRESET] [--run NAME] [--vae.epochs 2 ...]`.
"""

import contextlib
import dataclasses
import io
import itertools
import re
import sys
from collections.abc import Sequence

from replication.config import Config, UserError, Vision, agent_before, check, default_run
from replication.presets import PRESETS

import tyro


def parse_cli(
    argv: Sequence[str] | None = None, doc: str | None = None, vision: Vision = "vae"
) -> Config:
    """Read `[PRESET] [--field value ...]`; raises UserError in one line for what it cannot read.

    vision: of the presets, in the script that is made for it.
    """
    preset, args = split_preset(sys.argv[1:] if argv is None else argv)
    preset = preset or "quick"
    return parse_run(Config, dataclasses.replace(PRESETS[preset], vision=vision), args, doc)


def split_preset(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The preset that a command line begins with, "" if it names none, and the other words."""
    args = list(argv)
    preset = args.pop(0) if args and not args[0].startswith("-") else ""
    if preset and preset not in PRESETS:
        raise UserError(f"unknown preset {preset!r}: choose from {', '.join(sorted(PRESETS))}")
    return preset, args


def parse_run(cls, default: Config, args: Sequence[str], doc: str | None = None):
    """The command line of a run, checked; a VAE-GAN of a preset gets a name of its own."""
    config = parse_dataclass(cls, default, args, doc, presets=True)
    if not given(args, "--run"):
        run = default_run(config.preset, config.vision)
        shared = "" if run == config.preset or config.after else config.preset
        config = dataclasses.replace(config, run=run, data=config.data or shared)
    check(config)
    return follow(config, args)


def follow(config: Config, args: Sequence[str] = ()) -> Config:
    """A pass goes on from the agent that is named, or from that of the run before."""
    if not config.after:
        return config
    agent = config.extract.agent if given(args, "--extract.agent") else agent_before(config)
    start = config.controller.start if given(args, "--controller.start") else agent
    extract = dataclasses.replace(config.extract, agent=agent)
    controller = dataclasses.replace(config.controller, start=start)
    return dataclasses.replace(config, extract=extract, controller=controller)


def given(args: Sequence[str], option: str) -> bool:
    """Whether a command line has an option, such as "--run"."""
    return any(arg.partition("=")[0] == option for arg in args)


def parse_named_run(cls, argv: Sequence[str], doc: str):
    """A script's own options, for a run: a preset's name stands for the run of that name."""
    preset, args = split_preset(argv)
    options = parse_dataclass(cls, cls(run=preset) if preset else cls(), args, doc, presets=True)
    check(Config(run=options.run))
    return options


def parse_dataclass(
    cls, default, args: Sequence[str], doc: str | None = None, presets: bool = False
):
    """tyro's command line for a dataclass, its errors folded into the one line of a UserError.

    presets: whether a preset may stand before args, as --help then says.
    """
    errors, prog = io.StringIO(), sys.argv[0]
    if presets:
        prog += " [PRESET]"
        known = f"PRESET sets the defaults: {', '.join(PRESETS)}; quick if none."
        doc = f"{doc or cls.__doc__}\n\n{known}"
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(
                cls,
                default=default,
                args=_plain_flags(args),
                prog=prog,
                description=doc,
                use_underscores=True,
            )
    except SystemExit as stop:
        if not stop.code:  # --help
            raise
    lines = [re.sub(r"[│╭╮╰╯─]+", " ", line).strip() for line in errors.getvalue().splitlines()]
    said = list(itertools.takewhile(bool, lines[1:]))  # the first paragraph of tyro's box
    raise UserError(" ".join(said) or lines[0])


def _plain_flags(args: Sequence[str]) -> list[str]:
    """Let `--env.stock true` and `--env.stock false` stand beside `--env.stock`."""
    plain: list[str] = []
    for arg in args:
        if arg.lower() == "true" and plain and plain[-1].startswith("--"):
            continue
        if arg.lower() == "false" and plain and plain[-1].startswith("--"):
            head, _, name = plain[-1][2:].rpartition(".")
            plain[-1] = f"--{head + '.' if head else ''}no-{name}"
        else:
            plain.append(arg)
    return plain
