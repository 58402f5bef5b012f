"""Memory of evaluate: its peak above the start, for clips of more and more frames, each in a process of its own."""

import multiprocessing
import re
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import torch

import vsr_lab
from vsr_lab import metrics
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.models import Interpolation
from vsr_lab.video import VideoWriter

FRAMES: Sequence[int] = (50, 500, 2000)
SIZE = (90, 160)
WARM_UP = 50
_MEASURED = (
    *("psnr", "ssim", "flicker", "tof", "warp_error", "true_warp_error", "lr_consistency", "color_bias", "cell_bias"),
    *("registration", "lr_sharpness", "frame_offset", "orientation", "combing", "ghosting", "grid"),
)


def main() -> None:
    """Print megabytes for each length."""
    for frames in FRAMES:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(f"{frames:>6} frames {pool.apply(partial(peak, SIZE, WARM_UP), [frames]):8.1f} MB above the start")


def peak(size: tuple[int, int], warm_up: int, frames: int) -> float:
    """Megabytes above the start while a clip of so many frames is evaluated, after another clip to warm up."""
    torch.set_num_threads(1)
    measured = {name: getattr(metrics, name) for name in _MEASURED}
    protocol = Protocol("memory", "", 2, ResizeDown(2), metrics=measured)
    with tempfile.TemporaryDirectory() as name:
        for part, count in (("warm_up", warm_up), ("measured", frames)):
            folder = Path(name) / part
            folder.mkdir()
            _write(folder / "clip.mkv", size, count)
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
            start = _megabytes("VmRSS")
            vsr_lab.evaluate({folder / "judged": Interpolation(2)}, str(folder), protocol)
    return _megabytes("VmHWM") - start


def _write(path: Path, size: tuple[int, int], frames: int) -> None:
    """A window that moves over noise."""
    picture = np.random.default_rng(0).integers(0, 256, (size[0] + 60, size[1] + 60, 3), np.uint8)
    with VideoWriter(path, size, Fraction(25)) as writer:
        for t in range(frames):
            at = abs(t % 120 - 60)
            writer.write(picture[None, at : at + size[0], at : at + size[1]].copy(), [t / 25])


def _megabytes(key: str) -> float:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    main()
