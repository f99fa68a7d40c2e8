"""Every setting of the package, and where it comes from.

The defaults are the paper's; a preset (presets.py) names only what it changes.
"""

import dataclasses
import math
import re
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args, get_type_hints

import tyro

Vision = Literal["vae", "vaegan"]
VISIONS: tuple[str, ...] = get_args(Vision)


class UserError(Exception):
    """Something that the user can put right: shown as one line, exit status 2."""


@dataclass(frozen=True)
class AtLeast:
    """The smallest value of a field; a number without one must be positive."""

    bound: float


@dataclass(frozen=True)
class AtMost:
    """The largest value of a field."""

    bound: float


Count = Annotated[int, AtLeast(0)]
Weight = Annotated[float, AtLeast(0)]
Fraction = Annotated[float, AtLeast(0), AtMost(1)]


@dataclass(frozen=True)
class Env:
    """The environment that rollouts are made in (evaluate.py always uses the stock one)."""

    stock: bool = False  # Use gymnasium's own renderer: the same pixels, slower. [ours]
    max_steps: int = 1000  # Frames in an episode at most. [CarRacing's own limit]


@dataclass(frozen=True)
class Extract:
    """Stage 1: rollouts to learn from."""

    episodes: int = 10_000  # Episodes to record. [paper, 3.2]
    # The policy agent is the second round of the paper's iterative procedure (section 5).
    policy: str = "original"  # Who drives: one of the task's, or agent. [original; Tallec]
    agent: str = "checkpoints/quick"  # With policy agent: its folder. [ours]
    noise: Weight = 0.1  # With policy agent: spread of the noise on C, at most. [ours: C's sigma]
    skip_bad: bool = False  # Leave out files that cannot be read, naming them. [ours]


@dataclass(frozen=True)
class Vae:
    """Stage 2: V."""

    epochs: int = 10  # Epochs. [original vae_train.py]
    iterations: Count = 0  # Batches in an epoch; 0: one pass over the frames. [original: 0]
    batch_size: int = 100  # Frames in a batch. [original vae_train.py]
    learning_rate: float = 1e-4  # Of Adam. [original vae_train.py]
    recon_weight: Weight = 1.0  # Times the squared error. [original vae.py; report 2.1: 0.5]
    kl_weight: Weight = 1.0  # Times the KL divergence. [original vae.py; report 2.1: 0.5]
    free_bits: Weight = 0.5  # An image's KL counts this times z's size at least. [original vae.py]
    log_every: int = 100  # Batches between two lines of the log. [ours: 90 points in the report]


@dataclass(frozen=True)
class Vaegan:
    """Stage 2b: V, trained as a VAE-GAN."""

    epochs: int = 7  # Epochs. [report 3.4]
    iterations: Count = 5000  # Batches in an epoch; 0: one pass over the frames. [report 3.4]
    batch_size: int = 64  # Frames in a batch. [Larsen et al. 2015]
    learning_rate: float = 3e-4  # Of RMSProp, one for each network. [Larsen et al. 2015]
    # Deviation where it is not 0: encoder and decoder, without normalisation here, learn by Adam.
    adam_rate: Weight = 0.0  # Of Adam, for these two; 0: RMSProp, as Larsen. [Larsen: RMSProp]
    width: float = 1.0  # Units of the discriminator's layers, times Larsen's. [Larsen et al. 2015]
    gamma: float = 1e-5  # Times the dissimilarity for the decoder. [Larsen's celeba_aegan.py]
    recon_weight: Weight = 0.0  # Times the squared error, beside the dissimilarity. [Larsen: none]
    kl_weight: Weight = 1.0  # Times the KL divergence, in the encoder's. [Larsen et al. 2015]
    free_bits: Weight = 0.5  # An image's KL counts this times z's size at least. [ours: as V's]
    equilibrium: float = 0.68  # Cross-entropy at which both sides are even. [Larsen's aegan.py]
    margin: float = 0.35  # A side that is ahead by more rests for a batch. [Larsen's aegan.py]
    log_every: int = 100  # Batches between two lines of the log. [ours: as V's]


@dataclass(frozen=True)
class Rnn:
    """Stage 4: M."""

    hidden: int = 256  # Units of the LSTM. [paper, A.2]
    mixtures: int = 5  # Gaussians for each dimension of z. [paper, A.2]
    # With 0 epochs M keeps its random weights, as in Tallec et al. (2018).
    epochs: Count = 5  # Epochs. [original: 4000 steps; report 2.2: 5 x 800]
    iterations: int = 800  # Batches in an epoch. [report 2.2]
    batch_size: int = 100  # Sequences in a batch. [original rnn_train.py]
    sequence: int = 999  # Steps of a sequence. [original rnn_train.py]
    learning_rate: float = 1e-3  # Of Adam. [original rnn_train.py]
    clip: float = 1.0  # Gradients are clipped to +- this. [original rnn_train.py]
    beyond: Count = 0  # Steps beyond a long episode's end that a sequence may reach. [ours]
    # The task names them: the car has tiles, reward and termination. Dreams earn what M predicts.
    heads: str = "none"  # What M predicts beside z, with commas between. [after Wellmer]
    # Deviation where it is "mean": V's mu with a little noise, instead of samples.
    z: Literal["sample", "mean"] = "sample"  # What M learns and dreams. [original: sample]
    z_noise: float = 0.15  # With z mean: the noise's standard deviation. [ours]
    log_every: int = 20  # Batches between two lines of the log. [original rnn_train.py]


@dataclass(frozen=True)
class Controller:
    """Stage 5: C, evolved by CMA-ES."""

    # "dream": C's fitness comes from M's dreams; evaluations stay real. [paper 4: Doom's C]
    world: Literal["real", "dream"] = "real"  # Where candidates act. [paper, 3.3: real]
    mode: Literal["z_h", "z", "z_hidden", "z_c", "z_c_h"] = "z_h"  # What C sees. [paper, 3.3]
    # Deviation where it is "mean": V's mu, without the noise that the paper adds to it.
    z: Literal["sample", "mean"] = "sample"  # What C and M get of V. [original; Tallec: the mean]
    population: Annotated[int, AtLeast(6)] = 64  # Candidates in a generation. [paper, A.4]
    episodes: int = 16  # Rollouts whose mean is a candidate's fitness. [paper, A.4]
    generations: Count = 1800  # In all; 0: C as it starts, evaluated. [paper, A.4]
    # Deviation where it is a folder: a new search from an agent's C; where its V, M or mode are
    # others, from the C that acts most like that agent on the run's rollouts.
    # Its generations count on from that agent's, so its tracks are others.
    # Rounds begin with it, and the search after them with what they made of it.
    start: str = "zero"  # What C starts from: zero, or an agent's folder. [original: 0]
    sigma: float = 0.1  # First step size of CMA-ES. [original train.py]
    # Deviation where it is not 0: chance moves the mean of a search that has settled, and less the
    # mean of many such means (Polyak and Juditsky 1992). The search itself is the same.
    average: Fraction = 0.0  # Share of generations, the last: C is the mean of their means. [ours]
    # Deviation where it is "whitened": CMA-ES's first covariance is such that its steps try the
    # directions of C's inputs more alike. C stays the linear policy it is.
    inputs: Literal["raw", "whitened"] = "raw"  # What the search's steps are made for. [paper: raw]
    # Deviation where it is "diagonal": separable CMA-ES (Ros & Hansen 2008), which learns 867
    # variances instead of 867 x 867 covariances, and so learns them sooner.
    covariance: Literal["full", "diagonal"] = "full"  # What CMA-ES adapts. [original: full]
    # Deviation where it is True: the paper draws tracks for each candidate.
    same_tracks: bool = False  # All candidates of a generation drive the same tracks. [paper: no]
    # Deviation where it is set: a car that found no new tile for so many frames is given up.
    patience: Count = 0  # Frames; the rest of the episode then counts as standing. [paper: 0, none]
    # Deviation where it is not 0: short episodes cost less while most cars are soon lost.
    short: Count = 0  # Generations, the first ones, whose episodes are short. [paper: 0, none]
    short_steps: int = 300  # Frames of a short episode at most. [ours]
    eval_every: int = 25  # Generations between two evaluations of the mean. [paper, A.4]
    eval_episodes: int = 1024  # Rollouts of such an evaluation. [paper, A.4]
    judge: Literal["real", "dream"] = "real"  # Where these take place. [paper, 3.3: real; 4: dream]
    game_episodes: Count = 0  # Games beside each evaluation, for the log alone. [ours]


@dataclass(frozen=True)
class Dream:
    """M's dreams as the world of C's search: --controller.world dream, and the rounds."""

    temperature: float = 1.0  # Of M's mixture. [paper, 4: 1.15 for Doom]
    steps: Count = 0  # Of a dream at most; 0: as many as an episode has. [paper, 4: the game's]
    # Deviation where it is "recorded": states of an M that watches recordings, on the way too.
    starts: Literal["first", "recorded"] = "first"  # Where dreams start. [paper, 4: first frames]
    ends: Literal["likely", "drawn"] = "likely"  # At half a chance, or by lot. [paper, 4]
    # Deviations where these are not 0. The units are those that M predicts: tiles, for the car.
    patience: Count = 0  # Steps that count for nothing until it is over; 0: any. [paper: none]
    cap: Weight = 0.0  # Reward that counts, per step so far; 0: all. [paper: none]
    excess: Weight = 0.0  # What it costs to earn 1 above the cap. [paper: none]
    worst: Fraction = 0.0  # The worst quarter's share in a candidate's fitness. [paper: none]


@dataclass(frozen=True)
class Rounds:
    """Search in the dream, drive and record, refine M, begin again. [paper, 5: proposed]"""

    count: Count = 0  # Rounds; 0: none. [paper: one world model, learned once]
    generations: int = 20  # Of the search in a round. [ours]
    population: Annotated[int, AtLeast(6)] = 64  # Candidates in a generation. [paper, A.4]
    episodes: int = 8  # Dreams of a candidate, the same for all. [ours]
    sigma: float = 0.08  # Size of the search's first steps, for whitened inputs. [ours]
    # Smaller still after rounds whose search found nothing better than its start.
    least_sigma: float = 0.03  # Sigma falls by a tenth a round, to this. [ours]
    points: int = 4  # C's on the way of a search that drive, besides the one at its start. [ours]
    tracks: int = 8  # Tracks that each of these drives; the best goes on. [ours]
    noisy: int = 8  # Episodes with noise on the best C. [ours]
    bursts: int = 6  # Episodes with bursts of random actions. [ours]
    final: int = 32  # Tracks on which the best rounds' C's are compared in the end. [ours]
    noise: float = 0.3  # Spread of the noise on C at most, for whitened inputs. [ours]
    batches: int = 60  # M's batches in a round. [ours]
    learning_rate: float = 5e-4  # Of Adam as a round begins; it falls to a tenth. [ours]
    new: Fraction = 0.6  # Share of a batch that was driven in rounds. [ours]
    age: float = 0.7  # The weight of what was driven falls to this share each round. [ours]


@dataclass(frozen=True)
class Gate:
    """Whether M's dream is fit for C to learn in."""

    episodes: int = 100  # Of each blind policy, in the game and in the dream. [ours]


@dataclass(frozen=True)
class Evaluate:
    """Stage 6: the score."""

    episodes: int = 100  # Fresh tracks. [paper, 3.3]
    seed: Count = 0  # Which fresh tracks: they start at 2**32 + seed * 2**20. [ours]


@dataclass(frozen=True)
class Events:
    """Figure 8: which component of M's mixture speaks in which event."""

    episodes: int = 20  # Tracks: the first of evaluate.seed 0. [ours: enough for 30 tests]


@dataclass(frozen=True)
class Config:
    """A run."""

    preset: tyro.conf.Suppress[str] = "paper"
    # The preset of the run before, whose agent drives here and begins the search; "": none.
    after: tyro.conf.Suppress[str] = ""
    task: str = "car_racing_v0"  # The game; car_racing_v3 is today's CarRacing. [paper, 3]
    vision: Vision = "vae"  # What V is trained as: train_vae.py or train_vaegan.py. [paper, A.1]
    # Deviation where it is plain: the original stretches each frame's contrast and then wraps it.
    frames: Literal["plain", "stretched"] = "plain"  # What V sees. [original: stretched]
    run: str = "paper"  # Name: checkpoints/RUN. (default: the preset's; PRESET-vaegan with vaegan)
    data: str = ""  # Set of rollouts: data/DATA. (default: the run's name; PRESET with no --run)
    seed: int = 0  # Everything random follows from it. [ours]
    overwrite: bool = False  # Throw away what this stage made before and start anew. [ours]
    env: Env = field(default_factory=Env)
    extract: Extract = field(default_factory=Extract)
    vae: Vae = field(default_factory=Vae)
    vaegan: Vaegan = field(default_factory=Vaegan)
    rnn: Rnn = field(default_factory=Rnn)
    controller: Controller = field(default_factory=Controller)
    dream: Dream = field(default_factory=Dream)
    rounds: Rounds = field(default_factory=Rounds)
    gate: Gate = field(default_factory=Gate)
    evaluate: Evaluate = field(default_factory=Evaluate)
    events: Events = field(default_factory=Events)

    @property
    def rollouts(self) -> str:
        """The set of rollouts that this run uses."""
        return self.data or self.run


def default_run(preset: str, vision: str) -> str:
    """The name of a run to which the user gives none."""
    base, place = preset.removesuffix(place_of(preset)), place_of(preset)
    return preset if vision == VISIONS[0] else f"{base}-{vision}{place}"


def place_of(preset: str) -> str:
    """What a preset's name ends with if others follow it: laptop_1, laptop."""
    return re.search(r"(_\d+)?$", preset).group()


def is_named(config: Config) -> bool:
    """Whether a run has another name than the one that it gets where the user gives none."""
    return config.run != default_run(config.preset, config.vision)


def run_before(config: Config) -> str:
    """The run whose agent a run goes on from: mine_1 before mine, or mine_dreamt."""
    if not is_named(config):
        return default_run(config.after, config.vision)
    base = config.run.removesuffix(place_of(config.preset))
    return base + (place_of(config.after) or f"_{config.after}")


def agent_before(config: Config) -> str:
    """The folder of that run's agent, as settings name it."""
    return f"checkpoints/{run_before(config)}"


def check(config: Config) -> None:
    """Raise UserError for values that no stage could work with."""
    for name in ("run", "rollouts"):
        if not re.fullmatch(r"([\w.-]*\w/)?[\w.-]*\w", getattr(config, name)):
            raise UserError(
                f"{name} {getattr(config, name)!r}: letters, digits, '.', '_' and '-';"
                " one '/' for a run in a folder"
            )
    if not 0 <= config.seed < 40_000:
        raise UserError(f"seed {config.seed}: must lie in 0..39999")
    for section in dataclasses.fields(config):
        values = getattr(config, section.name)
        if dataclasses.is_dataclass(values):
            _check_section(section.name, values)


def _check_section(name: str, section) -> None:
    hints = get_type_hints(type(section), include_extras=True)
    for key, value in dataclasses.asdict(section).items():
        if isinstance(value, bool | str):
            continue
        bounds = getattr(hints[key], "__metadata__", ())
        if not bounds and not value > 0:
            raise UserError(f"{name}.{key} {value}: must be positive")
        for end in bounds:
            if isinstance(end, AtLeast) and not value >= end.bound:
                raise UserError(f"{name}.{key} {value}: must be at least {end.bound:g}")
            if isinstance(end, AtMost) and not value <= end.bound:
                raise UserError(f"{name}.{key} {value}: must be at most {end.bound:g}")
        if not math.isfinite(value):
            raise UserError(f"{name}.{key} {value}: must be finite")
