"""What travels between rooms: frames with their times, their colour and where they came from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Colour:
    """How a stream's numbers become RGB.

    matrix: "bt601", "bt709", "bt2020" or "rgb"; full_range: True for 0..255, False for 16..235;
    assumed: True where the file carries no matrix tag and the reader had to choose.
    """

    matrix: str = "rgb"
    full_range: bool = True
    assumed: bool = False


@dataclass(frozen=True)
class Clip:
    """Consecutive frames of one source.

    frames: uint8 RGB, T H W C; timestamps: T seconds from the start of the source, increasing.
    """

    frames: Frames
    timestamps: npt.NDArray[np.float64]
    colour: Colour
    source: Path

    def tensor(self) -> Tensor:
        """Frames as float32 RGB in [0, 1], T C H W."""
        return to_tensor(self.frames)


def to_tensor(frames: Frames) -> Tensor:
    """uint8 (..., H, W, C) to float32 in [0, 1], (..., C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(frames)).movedim(-1, -3).float().div_(255)


def to_frames(tensor: Tensor) -> Frames:
    """Float RGB (..., C, H, W) to uint8 (..., H, W, C): clamped, then rounded half to even."""
    quantised = tensor.detach().clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(quantised.movedim(-3, -1).cpu().numpy())
