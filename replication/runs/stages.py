"""The stages of the pipeline, in order: what each reads and writes, and what it depends on.

A run has one V: a VAE, which train_vae makes in vae/, or a VAE-GAN, by train_vaegan in vaegan/.
"""

from dataclasses import dataclass
from pathlib import Path

from replication.config import VISIONS, Config, UserError
from replication.tasks.games import task_of

V = "V"  # among a stage's needs: the one of the two that made the run's V
M = "M"  # the one that made its M: train_rnn, or the rounds after it


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline and the facts by which its work is recognised."""

    name: str  # the script: replication/NAME.py
    folder: str  # where its done.json stands, under checkpoints/RUN or data/SET
    sections: tuple[str, ...]  # of the configuration, on which its result depends
    grows: str = ""  # the field that may be raised later: the work goes on
    needs: tuple[str, ...] = ()  # the stages whose output it reads
    optional: bool = False  # only the tasks have it that name it in their extra_stages
    fields: tuple[str, ...] = ()  # single settings of other sections on which it depends


STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            "extract", "record", ("task", "frames", "seed", "env", "extract"), "extract.episodes"
        ),
        Stage(
            "train_vae",
            "vae",
            ("task", "frames", "seed", "data", "vae"),
            "vae.epochs",
            ("extract",),
        ),
        Stage(
            "train_vaegan",
            "vaegan",
            ("task", "frames", "seed", "data", "vaegan"),
            "vaegan.epochs",
            ("extract",),
        ),
        Stage("series", "series", ("data", "extract"), "extract.episodes", (V,)),
        Stage("train_rnn", "rnn", ("task", "frames", "seed", "rnn"), "rnn.epochs", ("series",)),
        Stage(
            "gate",
            "gate",
            ("task", "frames", "seed", "env", "dream", "gate"),
            "",
            ("series", "train_rnn"),
            optional=True,
        ),
        Stage(
            "rounds",
            "rounds",
            ("task", "frames", "seed", "env", "dream", "rounds"),
            "rounds.count",
            (V, "series", "train_rnn"),
            fields=("controller.mode", "controller.z", "controller.start"),
        ),
        Stage(
            "train_controller",
            "controller",
            ("task", "frames", "seed", "env", "controller"),
            "controller.generations",
            (V, M),
        ),
        Stage("evaluate", "evaluation", ("evaluate",), "evaluate.episodes", ("train_controller",)),
        Stage("dream", "dream", (), "", ("series", M, "train_controller")),
        Stage(
            "events",
            "events",
            ("env", "events"),
            "",
            (M, "train_controller"),
            optional=True,
        ),
        Stage("demo", "demo", (), "", (V, M, "train_controller")),
        Stage(
            "figures",
            "figures",
            (),
            "",
            (V, M, "train_controller", "evaluate", "dream", "events"),
        ),
    )
}

# Fields that change nothing that a stage makes; growing fields are compared on their own.
FREE = {"extract.skip_bad", "vae.log_every", "vaegan.log_every", "rnn.log_every", "env.stock"}
FREE |= {"controller.game_episodes"}


def differing(recorded: dict, asked: dict, grows: str) -> list[str]:
    """The settings of a stage that are not as they were recorded, but for the one that may grow."""
    return [
        f"{key} {recorded.get(key)!r} there, {asked.get(key)!r} here"
        for key in sorted(recorded.keys() | asked.keys())
        if key != grows and recorded.get(key) != asked.get(key)
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


def stages_of(config: Config) -> list[str]:
    """The names of a run's stages, in order: those of its kind of V and of its task."""
    others = {f"train_{kind}" for kind in VISIONS if kind != config.vision}
    others |= set() if config.rounds.count else {"rounds"}
    extra = task_of(config.task).extra_stages
    return [
        stage.name
        for stage in STAGES.values()
        if stage.name not in others and (not stage.optional or stage.name in extra)
    ]


def needs_of(name: str, config: Config) -> list[str]:
    """The stages whose output a stage reads, in a run of this kind."""
    makers = dict(zip((V, M), models_of(config), strict=True))
    needs = [makers.get(need, need) for need in STAGES[name].needs]
    if name == "train_controller" and _dreams(config):
        needs.append("series")  # whose frames dreams start from
    return [need for need in needs if need in stages_of(config)]


def models_of(config: Config) -> tuple[str, str]:
    """The stages that make a run's V and its M."""
    return f"train_{config.vision}", "rounds" if config.rounds.count else "train_rnn"


def sections_of(name: str, config: Config) -> tuple[str, ...]:
    """The sections of the configuration on which the result of a run's stage depends."""
    extra = ("dream",) if name == "train_controller" and _dreams(config) else ()
    return STAGES[name].sections + extra


def _dreams(config: Config) -> bool:
    """Whether C is searched for, or judged, in dreams."""
    return "dream" in (config.controller.world, config.controller.judge)
