"""Draws grain.png: crops of a source with film grain of a known strength, and of it upscaled without and with grain=1.

    python docs/pictures/grain.py

Needs the extra `demo`. A clip of the demo is reduced to half its size and upscaled by a network of the zoo.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from sheets import save

from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.core.resize import imresize
from vsr_lab.degradations.film import FilmGrain
from vsr_lab.deployment import Encoding, upscale
from vsr_lab.deployment.bundle import write_bundle
from vsr_lab.deployment.pipeline.conversion import measure_grain
from vsr_lab.models import load_network
from vsr_lab.video import VideoFile, VideoWriter, open_footage
from vsr_lab.workflows.demo_footage import _packaged

WEIGHTS = Path(__file__).parents[2] / "results" / "zoo" / "weights" / "live_action_nano_x2.safetensors"
FIRST, FRAMES, HIGH, WIDE = 190, 12, 272, 640
FILM = {"strength": 8.0, "size": 0.4, "color": 0.0, "seed": 1}


def rows() -> Iterator[tuple[str, list[Frames]]]:
    """The same place of the source (enlarged by repetition), and of the outputs."""
    hr = open_footage(Path(_packaged("bikes.mp4"))).read(FIRST, FIRST + FRAMES).eight_bit()
    lr = to_frames(FilmGrain().apply(imresize(to_tensor(hr), 0.5), FILM))
    network, _ = load_network(WEIGHTS)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_bundle(folder / "bundle", "zoo", network, about={}, exporters=[])
        with VideoWriter(folder / "lr.mkv", (HIGH // 2, WIDE // 2), 25) as writer:
            writer.write(lr, np.arange(FRAMES) / 25)
        for title, grain in {"grain=null": None, "grain=1": 1.0}.items():
            encoding = Encoding(codec="ffv1", pixel_format="bgr0", grain=grain)
            upscale(folder / "bundle", folder / "lr.mkv", folder / f"{title}.mkv", encoding=encoding)
            sr = np.asarray(VideoFile(folder / f"{title}.mkv").read(0, FRAMES).frames, np.uint8)
            pictures = [frame[28:244, 130:514] for frame in (lr[-1].repeat(2, 0).repeat(2, 1), sr[-1])]
            yield f"source: {_levels(lr)}; {title}: {_levels(sr)}", pictures


def _levels(frames: Frames) -> str:
    """Standard deviation of the grain in the middle bands of luma."""
    clip = to_tensor(frames)
    bands = 255 * np.array(measure_grain(torch.stack([clip[:-2], clip[2:]], 1)))
    return f"{bands[2]:.1f} to {bands[5]:.1f} levels"


if __name__ == "__main__":
    save(Path(__file__).with_suffix(".png"), rows(), 2)
