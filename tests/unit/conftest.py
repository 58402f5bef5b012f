"""Small footage, made on the spot."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.encoded import write_encoded
from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.flow import Motion
from vsr_lab.core.resize import imresize
from vsr_lab.video import VideoWriter

Moving = Callable[..., Tensor]
WriteVideo = Callable[..., Path]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """On tensors as small as these threads cost more than they give."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def moving() -> Moving:
    """moving(frames, height, width, y, x): a smooth texture, y and x pixels further down and right each frame.

    T 3 H W in [0, 1]. What leaves on one side comes back on the other.
    """

    def make(frames: int = 4, height: int = 48, width: int = 64, y: int = 1, x: int = 2, seed: int = 0) -> Tensor:
        noise = torch.rand(3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed))
        texture = imresize(noise, 4).clamp(0, 1)
        return torch.stack([texture.roll((t * y, t * x), (1, 2)) for t in range(frames)])

    return make


@pytest.fixture
def sliding() -> tuple[Tensor, Motion]:
    """A finely textured clip that slides by half a pixel a frame, 1 4 3 48 64, and its exact motion."""
    noise = torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(0))
    fine = imresize(noise, 3).clamp(0, 1)
    hr = torch.stack([fine[:, :192:4, 2 * t : 2 * t + 256 : 4] for t in range(4)])[None]
    backward = torch.zeros(1, 3, 2, 48, 64)
    backward[:, :, 0] = 0.5
    mask = torch.ones(1, 3, 1, 48, 64)
    mask[..., -1:] = 0  # what comes in from the right was not there before
    return hr, Motion(backward, -backward, mask)


@pytest.fixture
def frames(moving: Moving) -> Frames:
    """Eight different pictures of 32 x 64, T H W C uint8."""
    return to_frames(moving(8, 32, 64))


@pytest.fixture
def write_video(tmp_path: Path) -> WriteVideo:
    """write_video(name, frames, times, **options of write_encoded) -> its path; .mkv alone: lossless RGB."""

    def write(name: str, frames: Frames, times: Sequence[float] | None = None, **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        times = np.arange(len(frames)) / 25 if times is None else times
        if options or path.suffix != ".mkv":
            return write_encoded(path, frames, times, **options)
        with VideoWriter(path, frames.shape[1:3], Fraction(25)) as writer:
            writer.write(np.ascontiguousarray(frames), times)
        return path

    return write
