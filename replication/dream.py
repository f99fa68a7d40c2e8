"""Rollouts inside M, decoded by V (World Models, 4): C drives in the dream, or you do.

    python replication/dream.py --run quick --temperature 0.7 --seconds 20 --video dream.mp4
    python replication/dream.py --run quick --keys

Dreams start from recorded first frames. Reads V, M, C, data/RUN/series/ and one held-out episode;
writes the video and checkpoints/RUN/dream/: rollout.npz (figure 3: that episode, V's
reconstruction, and a dream with the same first frame and the same actions), fig3.mp4, fig3.gif.
With --component only the video: what M makes of the world with one Gaussian of its mixture.
"""

import dataclasses
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.config import PRESETS, Config, UserError, Vision, check, parse_dataclass
from replication.controller import controller
from replication.dataset.episodes import HELD_OUT, read_episode
from replication.envs.display import need_display
from replication.envs.dream import FPS, Dreams, decode
from replication.report import video
from replication.report.run_record import read_run
from replication.rollouts.agent import load_agent, load_encoder, load_into, load_rnn
from replication.runs import files, folders, records, script
from replication.series import encode, load_series
from replication.tf import keras
from replication.vae.vae import build_decoder, to_float

import numpy as np

MOMENTS = 10  # columns of figure 3
LONGEST = 600  # seconds: all frames of a dream are in memory, 0.4 GB


@dataclass(frozen=True)
class Options:
    """Dream."""

    run: str = "quick"  # Name of the run: checkpoints/RUN.
    vision: Vision | None = None  # What its V was trained as. (default: what the run holds)
    temperature: float = 1.0  # Of M: log-weights / this, standard deviations * its root.
    component: int = 0  # The one of M's Gaussians, 1..5, that z is drawn from; 0: all of them.
    seconds: float = 10.0  # Length of the dream, 50 frames each; with --keys Esc ends it.
    video: str = ""  # PATH.mp4 or .gif (default: in checkpoints/RUN/dream/; --keys: none).
    seed: int = 0  # Where the dream starts and all that is drawn in it.
    keys: bool = False  # Drive by the arrow keys in a window; needs a display.


def parse_options(argv: Sequence[str]) -> Options:
    """`[PRESET] [--run NAME] ...`: a preset's name stands for the run of that name."""
    preset = [argv[0]] if argv and argv[0] in PRESETS else []
    options = parse_dataclass(
        Options, Options(*preset), argv[len(preset) :], __doc__.partition("\n")[0]
    )
    check(Config(run=options.run))
    if not 0 < options.temperature < np.inf:
        raise UserError(f"--temperature {options.temperature}: must be positive")
    if not 1 / FPS <= options.seconds <= LONGEST:
        raise UserError(f"--seconds {options.seconds}: must lie in {1 / FPS}..{LONGEST}")
    if options.seed < 0:
        raise UserError(f"--seed {options.seed}: must not be negative")
    if options.video:
        video.check_path(Path(options.video))
    return options


def load_dreams(config: Config, temperature: float, component: int = 0) -> Dreams:
    """A dream of the run's M that starts where its series start; component: as in Options."""
    rnn = load_rnn(folders.run_folder(config.run))
    if component not in range(rnn.config.mixtures + 1):
        raise UserError(f"--component {component}: this M has 1..{rnn.config.mixtures} (0: all)")
    records.check_inputs(config, "train_rnn")
    series = load_series(config)
    starts = series["mu"][:, 0], series["logvar"][:, 0]
    return Dreams(rnn, *starts, temperature, component=component - 1 if component else None)


def load_decoder(folder: Path, vision: str | None = None) -> keras.Model:
    decoder = build_decoder()
    load_into(decoder, folders.v_folder(folder, vision) / "decoder.weights.h5")
    return decoder


# C drives ------------------------------------------------------------------------------------


def dream_of_agent(dreams: Dreams, mode: str, parameters: np.ndarray, random, steps: int):
    """z of every frame, (T, Z), the sum of the rewards, and how many dreams ended and began anew.

    C acts as in the real environment: on z_t and h_t, with the same flat vector.
    """
    dreams.begin(0, random)
    path, total, ends = [dreams.z.copy()], 0.0, 0
    while len(path) < steps:
        action = controller.act(mode, parameters[None], dreams.z, dreams.h, dreams.c)  # (1, A)
        (reward,), (ended,) = dreams.step(action)
        total += float(reward)
        if ended:
            dreams.begin(0, random)
            ends += 1
        path.append(dreams.z.copy())
    return np.concatenate(path), total, ends


def write_dream(options: Options, dreams: Dreams, decoder: keras.Model, agent, path: Path) -> None:
    """The video of C driving in the dream; agent: load_agent's weights and flat vector."""
    weights, parameters = agent
    random = np.random.default_rng([options.seed, 14])
    steps = round(options.seconds * FPS)
    z, total, ends = dream_of_agent(dreams, weights.mode, parameters, random, steps)
    video.write(path, (video.enlarge(frame) for frame in decode(decoder, z)), FPS)
    earned = f", M's rewards sum to {total:.1f}" if dreams.rnn.reward_head is not None else ""
    again = f", began anew {ends} times" if ends else ""
    print(
        f"dream: {steps} frames at temperature {options.temperature:g}{earned}{again}:"
        f" {folders.shown(path)}"
    )


# Figure 3 ------------------------------------------------------------------------------------


def recorded_episode(config: Config, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames uint8 (T, 64, 64, 3) and actions of an episode that neither V nor M was trained on."""
    seeds = load_series(config)["seed"]
    held_out = seeds[seeds % HELD_OUT == 0]
    chosen = np.random.default_rng([seed, 13]).choice(held_out)
    path = folders.record_folder(config) / f"{chosen:010d}.npz"
    if not path.exists():
        command = records.command(config, "extract")
        raise UserError(f"{folders.shown(path)} is missing: run python replication/{command}")
    obs, action = read_episode(path, "obs", "action")
    return obs, action


def dream_along(rnn, mu, logvar, action: np.ndarray, temperature: float, random) -> np.ndarray:
    """z (T, Z) of a dream from one first frame, mu and logvar (Z,), under given actions (T, A)."""
    dreams = Dreams(rnn, mu[None], logvar[None], temperature)
    dreams.begin(0, random)
    return walk(dreams, action)


def walk(dreams: Dreams, action: np.ndarray) -> np.ndarray:
    """z (T, Z) of a dream that has begun, under given actions (T, A).

    The last action leads out of the episode and is not taken.
    """
    path = [dreams.z.copy()]
    for each in action[:-1]:
        dreams.step(each[None])
        path.append(dreams.z.copy())
    return np.concatenate(path)


def make_rollout(options: Options, config: Config, rnn, decoder: keras.Model) -> dict:
    """Environment, reconstruction and dream, each uint8 (T, 64, 64, 3), frame by frame."""
    obs, action = recorded_episode(config, options.seed)
    steps = round(options.seconds * FPS)
    obs, action = obs[:steps], action[:steps]
    encoder = load_encoder(folders.run_folder(config.run))
    mu, logvar = encode(lambda frames: encoder(to_float(frames)), obs)  # (T, Z)
    random = np.random.default_rng([options.seed, 15])
    z = dream_along(rnn, mu[0], logvar[0], action, options.temperature, random)
    return {"environment": obs, "reconstruction": decode(decoder, mu), "dream": decode(decoder, z)}


def moments(length: int) -> np.ndarray:
    """Which of the frames figure 3 shows: closer together at the start, the last one included."""
    places = np.linspace(0, 1, MOMENTS) ** 2 * (length - 1)
    return np.unique(places.round().astype(int))


def write_rollout(panels: dict[str, np.ndarray], temperature: float, folder: Path) -> None:
    """rollout.npz, fig3.mp4 and fig3.gif."""
    shown = moments(len(panels["dream"]))
    stills = {name: frames[shown] for name, frames in panels.items()}
    with files.replacing(folder / "rollout.npz") as temporary:
        np.savez_compressed(temporary, **stills, seconds=shown / FPS, temperature=temperature)
    video.write(folder / "fig3.mp4", video.side_by_side(panels), FPS)
    video.write(folder / "fig3.gif", video.side_by_side(panels, times=2), FPS)  # a few MB


# You drive -----------------------------------------------------------------------------------


def keyboard_action(pygame) -> np.ndarray:
    """Arrow keys, as in gymnasium's CarRacing: steer, gas, brake float32 (3,)."""
    held = pygame.key.get_pressed()
    steer = int(held[pygame.K_RIGHT]) - int(held[pygame.K_LEFT])
    return np.float32([steer, held[pygame.K_UP], 0.8 * held[pygame.K_DOWN]])


def dream_by_keys(dreams: Dreams, decoder: keras.Model, random) -> np.ndarray:
    """Drive until Esc or the window's end; Return begins another dream. z (T, Z) as it was seen."""
    import pygame  # comes with gymnasium; only a window needs it

    pygame.display.init()
    window = pygame.display.set_mode((512, 512))
    pygame.display.set_caption("Dream: arrow keys drive, Return begins anew, Esc ends")
    clock, path, ended = pygame.time.Clock(), [], True
    while True:
        events = pygame.event.get()
        pressed = {event.key for event in events if event.type == pygame.KEYDOWN}
        if ended or pygame.K_RETURN in pressed:
            dreams.begin(0, random)
        if pygame.K_ESCAPE in pressed or any(event.type == pygame.QUIT for event in events):
            break
        path.append(dreams.z.copy())
        frame = pygame.surfarray.make_surface(decode(decoder, dreams.z)[0].swapaxes(0, 1))
        pygame.transform.scale(frame, window.get_size(), window)
        pygame.display.flip()
        ended = dreams.step(keyboard_action(pygame)[None])[1][0]
        clock.tick(FPS)
    pygame.display.quit()
    return np.concatenate(path or [dreams.z])


def drive_by_keys(options: Options, dreams: Dreams, decoder: keras.Model) -> None:
    random = np.random.default_rng([options.seed, 14])
    path = dream_by_keys(dreams, decoder, random)
    print(f"dream: {len(path)} frames at temperature {options.temperature:g}")
    if options.video:
        frames = (video.enlarge(frame) for frame in decode(decoder, path))
        video.write(Path(options.video), frames, FPS)


def main(options: Options) -> None:
    if options.keys:
        need_display("--keys", "without it C drives and a video is written")
    config = read_run(dataclasses.replace(PRESETS["quick"], run=options.run)).config
    folder = folders.run_folder(config.run)
    decoder = load_decoder(folder, options.vision)
    dreams = load_dreams(config, options.temperature, options.component)
    if options.keys:
        drive_by_keys(options, dreams, decoder)
        return
    begun, agent = time.monotonic(), load_agent(folder)
    (folder / "dream").mkdir(exist_ok=True)
    with folders.lock(folder / "dream"):  # only its own folder: a stage of the run may be at work
        name = f"component_{options.component}.mp4" if options.component else "dream.mp4"
        write_dream(options, dreams, decoder, agent, Path(options.video or folder / "dream" / name))
        if options.component:
            return
        panels = make_rollout(options, config, dreams.rnn, decoder)
        write_rollout(panels, options.temperature, folder / "dream")
        reached = f"{len(panels['dream'])} frames at temperature {options.temperature:g}"
        output, seconds = files.fingerprint([panels["dream"]]), time.monotonic() - begun
        records.finish(config, "dream", output, reached, seconds, processes=records.cores())
        print(f"figure 3: {folders.shown(folder / 'dream')}")


if __name__ == "__main__":
    script.run_script(lambda: main(parse_options(sys.argv[1:])))
