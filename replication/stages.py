"""The stages of the pipeline, in order: what each reads and writes, and what it depends on."""

from dataclasses import dataclass


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
        Stage("series", "series", ("data", "extract"), "extract.episodes", ("train_vae",)),
        Stage("train_rnn", "rnn", ("seed", "rnn"), "rnn.epochs", ("series",)),
        Stage(
            "train_controller",
            "controller",
            ("seed", "env", "controller"),
            "controller.generations",
            ("train_vae", "train_rnn"),
        ),
        Stage("evaluate", "evaluation", ("evaluate",), "", ("train_controller",)),
        Stage(
            "figures", "figures", (), "", ("train_vae", "train_rnn", "train_controller", "evaluate")
        ),
    )
}

# Fields that change nothing that a stage makes; growing fields are compared on their own.
FREE = {"extract.skip_bad", "vae.log_every", "rnn.log_every", "env.stock"}
