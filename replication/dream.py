"""Rollouts inside M, decoded by V (World Models, 4): C drives in the dream, or you do.

    python replication/dream.py quick --temperature 0.7 --seconds 20 --video dream.mp4
    python replication/dream.py quick --run mine --keys

Dreams start from recorded first frames. Reads V, M, C, data/RUN/series/ and one held-out episode.
Writes the video and, where it is missing, figure 3 into checkpoints/RUN/dream/: rollout.npz (that
episode, V's reconstruction, and a dream with the same first frame and the same actions), fig3.mp4
and fig3.gif. With --component only the video: a dream of one Gaussian of M's mixture.
"""

import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.config import Config, UserError, Vision
from replication.dataset.episodes import HELD_OUT, episode_path, read_episode
from replication.dataset.series import encode, first_frames, load_series
from replication.envs.display import need_display
from replication.envs.dream import DreamEnv
from replication.report import video
from replication.rnn.dream import Starts
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import LinearControllers
from replication.rollouts.agent_files import load_agent, load_decoder, load_encoder, load_rnn
from replication.rollouts.dream_paths import dream_along, dream_path
from replication.rollouts.dream_world import DreamRules, DreamWorld
from replication.rollouts.loop import Trial
from replication.runs import files, folders, records
from replication.runs.command_line import parse_named_run
from replication.runs.script import run_script
from replication.runs.seeds import Purpose, generator
from replication.tasks.games import task_of
from replication.tasks.task import Task
from replication.tf import keras
from replication.vae.vae import decode, to_float

import numpy as np

MOMENTS = 10  # columns of figure 3
LONGEST = 600  # seconds: all frames of a dream are in memory, 0.4 GB
SHORTEST = 0.02  # seconds: a frame


@dataclass(frozen=True)
class Options:
    """Dream."""

    run: str = "quick"  # Name of the run: checkpoints/RUN. (default: the preset's)
    vision: Vision | None = None  # What its V was trained as. (default: what the run holds)
    temperature: float = 1.0  # Of M: log-weights / this, standard deviations * its root.
    component: int = 0  # The one of M's Gaussians, 1..5, that z is drawn from; 0: all of them.
    seconds: float = 10.0  # Length of the dream; with --keys Esc ends it.
    video: str = ""  # PATH.mp4 or .gif (default: in checkpoints/RUN/dream/; --keys: none).
    seed: int = 0  # Where the dream starts and all that is drawn in it.
    keys: bool = False  # Drive by the arrow keys in a window; needs a display.
    overwrite: bool = False  # Make figure 3's rollout anew.


def parse_options(argv: Sequence[str]) -> Options:
    """`[PRESET] [--run NAME] ...`: a preset's name stands for the run of that name."""
    options = parse_named_run(Options, argv, __doc__.partition("\n")[0])
    if not 0 < options.temperature < np.inf:
        raise UserError(f"--temperature {options.temperature}: must be positive")
    if not SHORTEST <= options.seconds <= LONGEST:
        raise UserError(f"--seconds {options.seconds}: must lie in {SHORTEST}..{LONGEST}")
    if options.seed < 0:
        raise UserError(f"--seed {options.seed}: must not be negative")
    if options.video:
        video.check_path(Path(options.video))
    return options


def check_component(options: Options, rnn: MDNRNN) -> int | None:
    """The component, from 0 on, that draws z alone; None: all of them do."""
    if options.component not in range(rnn.config.mixtures + 1):
        known = f"1..{rnn.config.mixtures} (0: all)"
        raise UserError(f"--component {options.component}: this M has {known}")
    return options.component - 1 if options.component else None


# C drives ------------------------------------------------------------------------------------


def write_dream(options: Options, config: Config, decoder: keras.Model, path: Path) -> None:
    """The video of C driving in the dream, on z_t and h_t as in the real environment."""
    parts, parameters = load_agent(folders.run_folder(config.run), options.vision)
    rnn, starts = parts.build_rnn(), Starts(*first_frames(load_series(config)))
    component = check_component(options, rnn)
    steps = round(options.seconds * parts.task.fps)
    world = DreamWorld(
        rnn, starts, DreamRules(options.temperature, steps, component=component), width=1
    )
    trial, controllers = Trial(options.seed, parameters), LinearControllers(parts.controller, 1)
    z, dreams = dream_path(world, controllers, trial, steps)
    frames = (video.enlarge(frame) for frame in decode(decoder, z))
    video.write(path, frames, parts.task.fps)
    total = sum(dream.total for dream in dreams)
    earned = f", M predicts {total:.1f} in all" if rnn.heads else ""
    again = f", began anew {len(dreams) - 1} times" if len(dreams) > 1 else ""
    print(
        f"dream: {steps} frames at temperature {options.temperature:g}{earned}{again}:"
        f" {folders.shown(path)}"
    )


# Figure 3 ------------------------------------------------------------------------------------


def recorded_episode(config: Config, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames uint8 (T, 64, 64, 3) and actions of an episode that neither V nor M was trained on."""
    seeds = load_series(config)["seed"]
    held_out = seeds[seeds % HELD_OUT == 0]
    chosen = generator(seed, Purpose.FIGURE_3_EPISODE).choice(held_out)
    path = episode_path(folders.record_folder(config), chosen)
    if not path.exists():
        command = records.command(config, "extract")
        raise UserError(f"{folders.shown(path)} is missing: run python replication/{command}")
    obs, action = read_episode(path, "obs", "action")
    return obs, action


def make_rollout(options: Options, config: Config, decoder: keras.Model) -> dict:
    """Environment, reconstruction and dream, each uint8 (T, 64, 64, 3), frame by frame."""
    rnn = load_rnn(folders.run_folder(config.run))
    obs, action = recorded_episode(config, options.seed)
    steps = round(options.seconds * rnn.task.fps)
    obs, action = obs[:steps], action[:steps]
    encoder = load_encoder(folders.run_folder(config.run))
    mu, logvar = encode(lambda frames: encoder(to_float(frames)), obs)  # (T, Z)
    world = DreamWorld(
        rnn,
        Starts(mu[:1], logvar[:1]),
        DreamRules(options.temperature, len(action)),
        width=1,
        purpose=Purpose.FIGURE_3_DREAM,
    )
    z = dream_along(world, action, options.seed)
    return {"environment": obs, "reconstruction": decode(decoder, mu), "dream": decode(decoder, z)}


def moments(length: int) -> np.ndarray:
    """Which of the frames figure 3 shows: closer together at the start, the last one included."""
    places = np.linspace(0, 1, MOMENTS) ** 2 * (length - 1)
    return np.unique(places.round().astype(int))


def write_rollout(
    panels: dict[str, np.ndarray], temperature: float, fps: int, folder: Path
) -> None:
    """rollout.npz, fig3.mp4 and fig3.gif."""
    shown = moments(len(panels["dream"]))
    stills = {name: frames[shown] for name, frames in panels.items()}
    with files.replacing(folder / "rollout.npz") as temporary:
        np.savez_compressed(temporary, **stills, seconds=shown / fps, temperature=temperature)
    video.write(folder / "fig3.mp4", video.side_by_side(panels), fps)
    video.write(folder / "fig3.gif", video.side_by_side(panels, times=2), fps)  # a few MB


# You drive -----------------------------------------------------------------------------------


def key_actions(task: Task, pygame) -> dict[tuple[int, ...], np.ndarray]:
    """The arrow keys' codes, as play sorts those held -> actions float32 (A,)."""
    return {
        tuple(sorted(getattr(pygame, f"K_{name.upper()}") for name in held)): np.float32(action)
        for held, action in task.keys.items()
    }


def drive_by_keys(options: Options, config: Config, decoder: keras.Model) -> None:
    """Drive in gymnasium's window until Esc; a dream that ends is followed by another."""
    import pygame  # comes with gymnasium; only a window needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a window of matplotlib's, which is not used
        from gymnasium.utils.play import play

    rnn = load_rnn(folders.run_folder(config.run))
    component = check_component(options, rnn)
    starts = first_frames(load_series(config))
    env = DreamEnv(rnn, *starts, decoder, True, options.temperature, "rgb_array", component)
    frames: list[np.ndarray] = []

    def keep_frame(before, after, action, reward, terminated, truncated, info) -> None:
        frames.append(after)

    env.reset(seed=options.seed)  # once: play would begin the same dream again and again
    still = np.zeros(rnn.task.action_size, np.float32)
    play(
        env, zoom=8, fps=rnn.task.fps, callback=keep_frame, noop=still,
        keys_to_action=key_actions(rnn.task, pygame),
    )  # fmt: skip
    print(f"dream: {len(frames)} frames at temperature {options.temperature:g}")
    if options.video and frames:
        enlarged = (video.enlarge(frame) for frame in frames)
        video.write(Path(options.video), enlarged, rnn.task.fps)


def main(options: Options) -> None:
    if options.keys:
        need_display("--keys", "without it C drives and a video is written")
    config = records.load_config(options.run)
    if options.keys and not task_of(config.task).keys:
        raise UserError(f"--keys: {config.task} says nothing of keys (Task.keys)")
    run = folders.run_folder(config.run)
    records.check_inputs(config, "train_rnn")
    decoder = load_decoder(run, options.vision)
    if options.keys:
        drive_by_keys(options, config, decoder)
        return
    begun, folder = time.monotonic(), run / "dream"
    folder.mkdir(exist_ok=True)
    with folders.lock(folder):  # only its own folder: a stage of the run may be at work
        name = f"component_{options.component}.mp4" if options.component else "dream.mp4"
        write_dream(options, config, decoder, Path(options.video or folder / name))
        if options.overwrite or not (options.component or records.done(config, "dream")):
            make_figure_3(options, config, decoder, begun)


def make_figure_3(options: Options, config: Config, decoder: keras.Model, begun: float) -> None:
    """The rollout of figure 3, and the stage's record."""
    folder = folders.stage_folder(config, "dream")
    panels = make_rollout(options, config, decoder)
    fps = task_of(config.task).fps
    write_rollout(panels, options.temperature, fps, folder)
    reached = f"{len(panels['dream'])} frames at temperature {options.temperature:g}"
    output, seconds = files.fingerprint([panels["dream"]]), time.monotonic() - begun
    records.finish(config, "dream", output, reached, seconds, processes=records.cores())
    print(f"figure 3: {folders.shown(folder)}")


if __name__ == "__main__":
    run_script(lambda: main(parse_options(sys.argv[1:])))
