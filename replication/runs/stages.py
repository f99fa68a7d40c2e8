"""The stages of the pipeline, in order: what each reads and writes, and what it depends on.

A run has one V: a VAE, which train_vae makes in vae/, or a VAE-GAN, by train_vaegan in vaegan/.
"""

from dataclasses import dataclass
from pathlib import Path

from replication.config import VISIONS, Config, UserError

V = "V"  # among a stage's needs: the one of the two that made the run's V


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline and the facts by which its work is recognised."""

    name: str  # the script: replication/NAME.py
    folder: str  # where its done.json stands, under checkpoints/RUN or data/SET
    sections: tuple[str, ...]  # of the configuration, on which its result depends
    grows: str = ""  # the field that may be raised later: the work goes on
    needs: tuple[str, ...] = ()  # the stages whose output it reads


STAGES = {
    stage.name: stage
    for stage in (
        Stage("extract", "record", ("seed", "env", "extract"), "extract.episodes"),
        Stage("train_vae", "vae", ("seed", "data", "vae"), "vae.epochs", ("extract",)),
        Stage("train_vaegan", "vaegan", ("seed", "data", "vaegan"), "vaegan.epochs", ("extract",)),
        Stage("series", "series", ("data", "extract"), "extract.episodes", (V,)),
        Stage("train_rnn", "rnn", ("seed", "rnn"), "rnn.epochs", ("series",)),
        Stage(
            "train_controller",
            "controller",
            ("seed", "env", "controller"),
            "controller.generations",
            (V, "train_rnn"),
        ),
        Stage("evaluate", "evaluation", ("evaluate",), "evaluate.episodes", ("train_controller",)),
        Stage("dream", "dream", (), "", ("series", "train_rnn", "train_controller")),
        Stage("events", "events", ("env", "events"), "", ("train_rnn", "train_controller")),
        Stage(
            "figures",
            "figures",
            (),
            "",
            (V, "train_rnn", "train_controller", "evaluate", "dream", "events"),
        ),
    )
}

# Fields that change nothing that a stage makes; growing fields are compared on their own.
FREE = {"extract.skip_bad", "vae.log_every", "vaegan.log_every", "rnn.log_every", "env.stock"}

# Settings that older records lack, at the values that those runs were made with.
ADDED = {
    "extract.agent": "checkpoints/quick",
    "extract.noise": 0.1,
    "vaegan.adam_rate": 0.0,
    "controller.z": "sample",
    "controller.start": "zero",
    "controller.inputs": "raw",
}


def differing(recorded: dict, asked: dict, grows: str) -> list[str]:
    """The settings of a stage that are not as they were recorded, but for the one that may grow."""
    made = {key: value for key, value in ADDED.items() if key in asked} | recorded
    return [
        f"{key} {made.get(key)!r} there, {asked.get(key)!r} here"
        for key in sorted(made.keys() | asked.keys())
        if key != grows and made.get(key) != asked.get(key)
    ]


def check_names(config: Config) -> None:
    """Raise UserError if a run in a folder would stand where a stage of that run stands."""
    for name in (config.run, config.rollouts):
        outer, _, inner = name.rpartition("/")
        if outer and inner in {stage.folder for stage in STAGES.values()}:
            raise UserError(f"{name!r}: {inner} is where a stage of {outer} stands: another name")


def visions_in(run: Path) -> list[str]:
    """The kinds of V that stand in a run's folder: one, or none yet."""
    return [kind for kind in VISIONS if any(f.stat().st_size for f in (run / kind).glob("*.*"))]


def stages_of(vision: str) -> list[str]:
    """The names of the stages of a run whose V is of this kind, in order."""
    others = {f"train_{kind}" for kind in VISIONS if kind != vision}
    return [name for name in STAGES if name not in others]


def needs_of(name: str, vision: str) -> list[str]:
    """The stages whose output a stage reads, in a run whose V is of this kind."""
    return [f"train_{vision}" if need == V else need for need in STAGES[name].needs]
