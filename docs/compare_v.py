"""The V's of several runs on the same frames: held-out ones of the first run's rollouts.

    python docs/compare_v.py dreamt dreamt_1 --picture v.png

Prints what each V's reconstructions are like. The picture has some of the frames, evenly spread,
above each V's reconstructions of them. docs/dream-trials.md has results.
"""

import argparse
from pathlib import Path

from replication.config import UserError
from replication.dataset.episodes import list_episodes, split
from replication.report.frame_grid import make_grid
from replication.rollouts.agent_files import load_decoder, load_encoder
from replication.runs import files, folders, records
from replication.runs.script import run_script
from replication.vae.frames import held_out_frames
from replication.vae.picture_measures import measure_reconstructions
from replication.vae.pictures import reconstruct

import numpy as np

SHOWN = 12  # frames in the picture


def write_picture(rows: dict[str, np.ndarray], path: Path) -> None:
    """A row of each of these frames (N, 64, 64, 3): SHOWN of them, evenly spread."""
    count = len(next(iter(rows.values())))
    chosen = ((np.arange(SHOWN) + 0.5) * count / SHOWN).astype(int)
    figure, _ = make_grid(np.stack([row[chosen] for row in rows.values()]), list(rows))
    with files.replacing(path) as temporary:
        figure.savefig(temporary, format="png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--picture", help="PATH.png to write")
    options = parser.parse_args()
    path = Path(options.picture) if options.picture else None
    if path and (path.suffix != ".png" or not path.parent.is_dir()):
        raise UserError(f"--picture {path}: must be a .png in a folder that exists")
    _, held_out = split(list_episodes(records.load_config(options.runs[0])))
    frames = held_out_frames(held_out)
    rows = {"the game": frames}
    for run in options.runs:
        folder, vision = folders.run_folder(run), records.load_config(run).vision
        encoder, decoder = load_encoder(folder, vision), load_decoder(folder, vision)
        rows[run] = reconstruct(encoder, decoder, frames)
        measures = measure_reconstructions(rows[run], frames)
        values = "  ".join(f"{name} {value.mean():.3g}" for name, value in measures.items())
        print(f"{run:<20} {len(frames)} frames  {values}", flush=True)
    if path:
        write_picture(rows, path)


if __name__ == "__main__":
    run_script(main)
