"""A long file takes no more memory to read than a short one, in order and at random, by either decoder."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.encoded import write_encoded
from vsr_lab.video import VideoFile, read_chunks

_FRAMES, _HEIGHT, _WIDTH = 2000, 80, 128  # 59 MiB as RGB


def _resident() -> float:
    """MiB of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("codec", "pixel_format", "backend"), [("libx264", "yuv420p", "pyav"), ("libx264rgb", "bgr24", "decord")]
)
def test_memory_does_not_grow_with_length(tmp_path: Path, codec: str, pixel_format: str, backend: str) -> None:
    texture = np.random.default_rng(0).integers(0, 255, (_HEIGHT + 64, _WIDTH + 64, 3), np.uint8)
    path, options = tmp_path / "long.mkv", {"preset": "ultrafast", "g": "50"}
    pictures = (texture[n % 64 : n % 64 + _HEIGHT, n % 64 : n % 64 + _WIDTH] for n in range(_FRAMES))
    times = np.arange(_FRAMES) / 25
    write_encoded(path, pictures, times, codec=codec, pixel_format=pixel_format, options=options)
    video = VideoFile(path)
    assert (video.frames, video.probe.backend) == (_FRAMES, backend)
    video.read(0, 100)
    before = _resident()
    assert sum(len(clip.frames) for clip in read_chunks(video, 0, _FRAMES, 20)) == _FRAMES
    for start in np.random.default_rng(1).integers(0, _FRAMES - 3, 20):
        video.read(int(start), int(start) + 3)
    assert _resident() - before < 25
