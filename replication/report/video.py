"""Write small frames as a video, enlarged: mp4 or gif, by the ending of the file's name."""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from replication.config import UserError
from replication.runs import files

import imageio.v2 as imageio
import imageio_ffmpeg
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ENDINGS = (".mp4", ".gif")
ENLARGED = 4  # times as high and as wide
GIF_EVERY = 5  # frames, one of which is kept: browsers play no gif of 50 frames a second
COLOURS = 64  # of a gif
BAR = 24  # pixels, the height of the line of names above the panels


def check_path(path: Path) -> None:
    """Raise UserError if no video can be written to `path`, which the user gave as --video."""
    if path.suffix not in ENDINGS:
        raise UserError(f"--video {path}: must end in {' or '.join(ENDINGS)}")
    if not path.parent.is_dir():
        raise UserError(f"--video {path}: there is no folder {path.parent}")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
    except OSError as error:
        raise UserError(f"--video {path} cannot be written: {error.strerror}") from None


def enlarge(frame: np.ndarray, times: int = ENLARGED) -> np.ndarray:
    """Repeat each pixel `times` times both ways: uint8 (H, W, 3) -> (H * times, W * times, 3)."""
    return frame.repeat(times, axis=0).repeat(times, axis=1)


def side_by_side(panels: dict[str, np.ndarray], times: int = ENLARGED) -> Iterator[np.ndarray]:
    """Frames of a video that shows the panels side by side, each under its name.

    panels: uint8 (T, S, S, 3) by name, where S divides 64 * times: all are enlarged to that size.
    Yields T frames, uint8 (BAR + 64 * times, 64 * times * panels, 3).
    """
    width = 64 * times
    bar = Image.new("RGB", (width * len(panels), BAR))
    pen, font = ImageDraw.Draw(bar), ImageFont.load_default(14)
    for place, name in enumerate(panels):
        pen.text(((place + 0.5) * width, BAR / 2), name, "white", font, anchor="mm")
    for frames in zip(*panels.values(), strict=True):
        row = np.concatenate([enlarge(frame, width // len(frame)) for frame in frames], axis=1)
        yield np.concatenate([bar, row])


def write(path: Path, frames: Iterable[np.ndarray], fps: int) -> None:
    """Write frames uint8 (height, width, 3), with even height and width, as mp4 or gif.

    Raises OSError, and leaves no file, if the video cannot be written completely.
    """
    with files.replacing(path) as temporary:
        if path.suffix == ".gif":
            chosen = islice(frames, 0, None, GIF_EVERY)
            palette = {"colors": COLOURS, "dither": Image.Dither.NONE}
            images = (Image.fromarray(frame).quantize(**palette) for frame in chosen)
            duration = 1000 * GIF_EVERY // fps  # milliseconds
            next(images).save(
                temporary, save_all=True, append_images=images, duration=duration, loop=0
            )
            return
        with imageio.get_writer(temporary, fps=fps, codec="libx264", macro_block_size=2) as writer:
            for frame in frames:
                writer.append_data(frame)
        try:  # ffmpeg reports no failure at the end of a file, for example on a full disk
            imageio_ffmpeg.count_frames_and_secs(temporary)
        except RuntimeError:
            raise OSError(f"{path} could not be written whole") from None
