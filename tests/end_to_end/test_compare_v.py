"""docs/compare_v.py: the V's of several runs on the same frames."""

import shutil

from replication.vae.frames import HELD_OUT_FRAMES

import numpy as np
import tiny
from PIL import Image

SCRIPT = "../docs/compare_v"


def test_each_v_has_a_line_and_a_row_of_the_picture(finished, tmp_path):
    home = tiny.copy_of(finished, tmp_path, "extract", "train_vae")
    shutil.copytree(home / "checkpoints/t", home / "checkpoints/u")
    path = tmp_path / "v.png"
    ended = tiny.stage(SCRIPT, "t", "u", "--picture", str(path), home=home)
    assert ended.status == 0, ended.err
    first, second = ended.out.splitlines()
    assert first.split()[:1] + second.split()[:1] == ["t", "u"]
    assert first.split()[1:] == second.split()[1:]  # one V, twice
    assert first.split()[1:4:2] == [str(HELD_OUT_FRAMES), "error"]
    picture = np.asarray(Image.open(path))
    assert picture.std() > 10 and picture.shape[1] > 3 * picture.shape[0]


def test_what_is_missing_is_one_line(finished, tmp_path):
    home = tiny.copy_of(finished, tmp_path, "extract", "train_vae")
    for argv, complaint in (
        (["nobody"], "nobody"),
        (["t", "--picture", "nowhere/v.png"], "--picture nowhere/v.png"),
        (["t", "--picture", "v.mp4"], "--picture v.mp4"),
    ):
        ended = tiny.stage(SCRIPT, *argv, home=home)
        assert ended.status == 2 and complaint in ended.complaint, ended.err
