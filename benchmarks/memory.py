"""Memory of evaluate above its start, for clips of more and more frames, each in a process of its own.

The peak contains what the decoder reads when it opens a file. The growth is that from the first tenth to the last tenth
of the evaluation, which would increase with the length of the clip if something were kept for every frame.
"""

import multiprocessing
import re
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from threading import Event, Thread

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
            peak, growth = pool.apply(partial(measure, SIZE, WARM_UP), [frames])
        print(f"{frames:>6} frames: peak {peak:6.1f} MB above the start, growth {growth:+6.1f} MB")


def measure(size: tuple[int, int], warm_up: int, frames: int) -> tuple[float, float]:
    """Peak and growth in megabytes while a clip of so many frames is evaluated, after another clip to warm up."""
    torch.set_num_threads(1)
    measured = {name: getattr(metrics, name) for name in _MEASURED}
    protocol = Protocol("memory", "", 2, ResizeDown(2), metrics=measured)
    used: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        for part, count in (("warm_up", warm_up), ("measured", frames)):
            folder = Path(name) / part
            folder.mkdir()
            _write(folder / "clip.mkv", size, count)
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
            with _sampled() as used:
                vsr_lab.evaluate({folder / "judged": Interpolation(2)}, str(folder), protocol)
    tenth = -(-len(used) // 10)
    return _megabytes("VmHWM") - used[0], float(np.mean(used[-tenth:]) - np.mean(used[:tenth]))


@contextmanager
def _sampled() -> Generator[list[float]]:
    """Megabytes in use, at the start and then ten times a second."""
    used, ended = [_megabytes("VmRSS")], Event()

    def sample() -> None:
        while not ended.wait(0.1):
            used.append(_megabytes("VmRSS"))

    thread = Thread(target=sample)
    thread.start()
    try:
        yield used
    finally:
        ended.set()
        thread.join()


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
