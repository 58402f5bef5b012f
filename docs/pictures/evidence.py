"""Draws evidence.png: a frame of evidence mode and its confidence map. Needs the extra `demo`.

    python docs/pictures/evidence.py

A clip of the demo is reduced to half its size and upscaled by a network of the zoo.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sheets import save

from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.core.resize import imresize
from vsr_lab.deployment import Encoding, upscale
from vsr_lab.deployment.bundle import write_bundle
from vsr_lab.models import load_network
from vsr_lab.video import VideoFile, VideoWriter, open_footage
from vsr_lab.workflows.demo_footage import _packaged

WEIGHTS = Path(__file__).parents[2] / "results" / "zoo" / "weights" / "live_action_stream_nano_x2.safetensors"
FIRST, FRAMES, HIGH, WIDE = 190, 16, 272, 640


def rows() -> Iterator[tuple[str, list[Frames]]]:
    """The last frame of the output, and below it the true error and the confidence map."""
    hr = open_footage(Path(_packaged("bikes.mp4"))).read(FIRST, FIRST + FRAMES).eight_bit()
    network, _ = load_network(WEIGHTS)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_bundle(folder / "bundle", "zoo", network, about={"trained_with": "fidelity"}, exporters=[])
        with VideoWriter(folder / "lr.mkv", (HIGH // 2, WIDE // 2), 25) as writer:
            writer.write(to_frames(imresize(to_tensor(hr), 0.5)), np.arange(FRAMES) / 25)
        encoding = Encoding(codec="ffv1", pixel_format="bgr0", evidence=True)
        upscale(folder / "bundle", folder / "lr.mkv", folder / "sr.mkv", encoding=encoding)
        made = VideoFile(folder / "sr.mkv").read(FRAMES - 1, FRAMES).frames[0]
        confidence = VideoFile(folder / "sr.mkv.confidence.mp4").read(FRAMES - 1, FRAMES).frames[0]
    error = np.abs(made[:, WIDE:].astype(int) - hr[-1]).mean(-1, keepdims=True)
    error[-int(0.06 * HIGH) :] = 0  # behind the label
    wrong = np.rint(255 * (1 - np.minimum(error / 16, 1))).astype(np.uint8).repeat(3, -1)
    yield "OUTPUT", [made[:, :WIDE], made[:, WIDE:]]
    yield (
        "OUTPUT.confidence.mp4 (left); the true error of this frame, black from 16 levels (right)",
        [confidence, wrong],
    )


if __name__ == "__main__":
    save(Path(__file__).with_suffix(".png"), rows(), 2)
