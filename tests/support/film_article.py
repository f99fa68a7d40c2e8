"""Films the article of a run for the docs: C drives in its dream, then somebody holds an arrow.

python tests/support/film_article.py checkpoints/pretrained/demo.html docs/article.gif
"""

import io
import sys
import tempfile
import time
from pathlib import Path

from browser import Tab, browsing
from PIL import Image

FRAMES, EVERY = 56, 0.12  # pictures of the film, and seconds between two
TAKEN, KEPT = 28, 48  # the picture from which the left arrow is held, and the one that frees it
SHRUNK = 0.55


def film(tab: Tab, page: Path) -> list[Image.Image]:
    """Pictures of the dream's panel."""
    tab.show(1280, 900)
    tab.open(page)
    tab.run("article.then(parts => { window.parts = parts; parts.dream.picture.focus() })")
    tab.run("document.querySelector('.panel.dream').scrollIntoView({block: 'center'})")
    box = "(({x, y, width, height}) => ({x, y: y + scrollY, width, height}))"
    clip = tab.run(f"{box}(document.querySelector('.panel.dream').getBoundingClientRect())")
    pictures = []
    for number in range(FRAMES):
        due = time.monotonic() + EVERY
        if number in (TAKEN, KEPT):
            (tab.hold if number == TAKEN else tab.release)("ArrowLeft")
        with Image.open(io.BytesIO(tab.picture(**clip))) as image:
            size = tuple(round(side * SHRUNK) for side in image.size)
            pictures.append(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))
        time.sleep(max(0, due - time.monotonic()))
    return pictures


def main(page: str, out: str) -> None:
    with tempfile.TemporaryDirectory() as folder, browsing(Path(folder)) as tab:
        pictures = film(tab, Path(page).absolute())
    palette = pictures[len(pictures) // 2].quantize(96, dither=Image.Dither.NONE)
    shown = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in pictures]
    milliseconds = round(1000 * EVERY)
    shown[0].save(out, save_all=True, append_images=shown[1:], duration=milliseconds, loop=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
