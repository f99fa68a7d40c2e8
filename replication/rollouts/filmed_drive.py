"""An agent on one track, filmed: the environment, what V makes of it, and a dream beside it.

The dream starts from the track's first frame; from there on M alone answers what C does.
"""

from replication.rnn.dream import Starts
from replication.rollouts.agent import AgentParts, LinearControllers, WorldModel
from replication.rollouts.dream_paths import dream_path
from replication.rollouts.dream_world import DreamWorld
from replication.rollouts.loop import Episode, Seen, Trial, drive
from replication.rollouts.real_world import RealWorld
from replication.runs.seeds import Purpose
from replication.tf import keras
from replication.vae.vae import decode, to_float

import numpy as np
from PIL import Image


def film(
    parts: AgentParts, decoder: keras.Model, trial: Trial, side: int
) -> tuple[dict[str, np.ndarray], Episode]:
    """Drive a trial in the stock environment, and dream as long.

    side: of the environment's pictures. Returns frames by panel, uint8 (T, side, side, 3) of the
    environment and (T, 64, 64, 3) of the others, and the episode.
    """
    env = parts.task.make_env(stock=True, render_mode="rgb_array")
    model = WorldModel(parts)
    world = RealWorld(parts.task, [env], model, frames=parts.frames)
    pictures: list[np.ndarray] = []
    z: list[np.ndarray] = []
    first = np.zeros((1, 64, 64, 3), np.uint8)

    def watch(slot: int, episode: Episode, seen: Seen, action: np.ndarray) -> None:
        if not pictures:
            first[:] = world.frames[slot]
        pictures.append(_square(env.render(), side))
        z.append(seen.z[slot].copy())

    controllers = LinearControllers(parts.controller)
    ((_, episode),) = drive(world, controllers, [trial], watch=watch)
    env.close()
    starts = Starts(*model.encoder(to_float(first)))
    dreams = DreamWorld(model.rnn, starts, width=1, purpose=Purpose.VIDEO_DREAM)
    controllers = LinearControllers(parts.controller, width=1)
    dream, _ = dream_path(dreams, controllers, trial, len(z))
    panels = {
        "environment": np.stack(pictures),
        "reconstruction": decode(decoder, np.stack(z)),
        "dream": decode(decoder, dream),
    }
    return panels, episode


def _square(picture: np.ndarray, side: int) -> np.ndarray:
    """The middle of a picture (height, width, 3), as wide as it is high, in another size."""
    height, width = picture.shape[:2]
    left = (width - height) // 2
    image = Image.fromarray(picture[:, left : left + height])
    return np.asarray(image.resize((side, side)))
