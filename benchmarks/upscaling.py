"""Upscaling 320x180 to 640x360: the exported step against eager torch and against bicubic."""

import tempfile
from pathlib import Path

import cv2
import torch
from timing import show, side_by_side

from vsr_lab.core.clip import to_frames
from vsr_lab.core.stream import stream
from vsr_lab.deployment.export import OnnxExporter, rollout_clip
from vsr_lab.models import Interpolation, Recurrent

FRAMES = 10


def main() -> None:
    """Print milliseconds a frame and the ratio to eager torch."""
    torch.manual_seed(0)
    clip = rollout_clip(FRAMES, 180, 320)
    small = to_frames(clip)
    network = Recurrent(scale=2, channels=32, blocks=3, warm_up=2).eval()
    with tempfile.TemporaryDirectory() as folder:
        exporter = OnnxExporter()
        exporter.export(network, Path(folder))
        exported = exporter.load(Path(folder) / exporter.file)
        seconds = side_by_side(
            {
                "eager torch": lambda: list(stream(network, clip)),
                "onnxruntime": lambda: list(stream(exported, clip)),
                "bicubic (imresize)": lambda: list(stream(Interpolation(2), clip)),
                "bicubic (OpenCV)": lambda: [cv2.resize(f, (640, 360), interpolation=cv2.INTER_CUBIC) for f in small],
            },
            rounds=5,
        )
    show(f"recurrent 32x3, x2, {torch.get_num_threads()} threads", seconds, "eager torch", FRAMES, "frame")


if __name__ == "__main__":
    main()
