"""Videos of small frames, enlarged, as mp4 or gif by the file's ending."""

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
ENLARGED = 4  # times, each way
GIF_EVERY = 5  # frames: a gif of 10 frames a second, as browsers play no fast ones
COLOURS = 64  # of a gif
BAR = 24  # height of the line of names above panels, in pixels


def check_path(path: Path) -> None:
    """Raise UserError if no video can be written there."""
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
    """Each pixel becomes a square: uint8 (64, 64, 3) -> (256, 256, 3)."""
    return frame.repeat(times, axis=0).repeat(times, axis=1)


def side_by_side(panels: dict[str, np.ndarray], times: int = ENLARGED) -> Iterator[np.ndarray]:
    """Frames of each panel beside those of the others, under their names.

    Frames (T, 64, 64, 3) are enlarged; those of 64 * times pixels a side are as they should be.
    """
    width = 64 * times
    bar = Image.new("RGB", (width * len(panels), BAR))
    pen, font = ImageDraw.Draw(bar), ImageFont.load_default(14)
    for place, name in enumerate(panels):
        pen.text(((place + 0.5) * width, BAR / 2), name, "white", font, anchor="mm")
    for frames in zip(*panels.values(), strict=True):
        row = np.concatenate([enlarge(each, width // len(each)) for each in frames], axis=1)
        yield np.concatenate([bar, row])


def write(path: Path, frames: Iterable[np.ndarray], fps: int) -> None:
    """Write frames uint8 (height, width, 3) as mp4 or gif; height and width are even.

    Raises OSError, and leaves no file, if it cannot be written whole.
    """
    with files.replacing(path) as temporary:
        if path.suffix == ".gif":
            chosen = islice(frames, 0, None, GIF_EVERY)
            plain = {"colors": COLOURS, "dither": Image.Dither.NONE}
            images = (Image.fromarray(frame).quantize(**plain) for frame in chosen)
            duration = 1000 * GIF_EVERY // fps  # milliseconds
            next(images).save(
                temporary, save_all=True, append_images=images, duration=duration, loop=0
            )
            return
        with imageio.get_writer(temporary, fps=fps, codec="libx264", macro_block_size=2) as writer:
            for frame in frames:
                writer.append_data(frame)
        try:  # ffmpeg's failure at the end, on a full disk say, is silent
            imageio_ffmpeg.count_frames_and_secs(temporary)
        except RuntimeError:
            raise OSError(f"{path} could not be written whole") from None
