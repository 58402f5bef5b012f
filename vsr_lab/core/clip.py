"""What travels between rooms: frames with their times, their colour and where they came from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Frames = npt.NDArray[np.uint8]
DeepFrames = npt.NDArray[np.uint16]
AnyFrames = npt.NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True)
class Colour:
    """How a stream's numbers become RGB.

    matrix: "bt601", "bt709", "bt2020", "smpte240m", "fcc" or "rgb"; full_range: True for 0..255, False for 16..235;
    assumed: True where the file carries no matrix tag and the reader had to choose.
    """

    matrix: str = "rgb"
    full_range: bool = True
    assumed: bool = False


@dataclass(frozen=True)
class Clip:
    """Consecutive frames of one source.

    frames: RGB, T H W C: uint8, or uint16 on the full 16-bit scale where the source has more than 8 bits;
    timestamps: T seconds from the start of the source, increasing.
    """

    frames: AnyFrames
    timestamps: npt.NDArray[np.float64]
    colour: Colour
    source: Path

    def tensor(self) -> Tensor:
        """Frames as float32 RGB in [0, 1], T C H W."""
        return to_tensor(self.frames)

    def eight_bit(self) -> Frames:
        """Frames as uint8: deeper ones rounded to the nearest level."""
        return to_eight_bit(self.frames)


def to_tensor(frames: AnyFrames) -> Tensor:
    """uint8 or uint16 (..., H, W, C) to float32 in [0, 1], (..., C, H, W)."""
    peak = np.iinfo(frames.dtype).max
    return torch.from_numpy(np.ascontiguousarray(frames)).movedim(-1, -3).float().div_(peak)


def to_eight_bit(frames: AnyFrames) -> Frames:
    """uint16 on the full 16-bit scale to the nearest uint8; uint8 as it is."""
    if frames.dtype == np.uint8:
        return frames  # pyright: ignore[reportReturnType]
    return ((frames.astype(np.uint32) + 128) // 257).astype(np.uint8)


def to_frames(tensor: Tensor) -> Frames:
    """Float RGB (..., C, H, W) to uint8 (..., H, W, C): clamped, then rounded half to even."""
    quantised = tensor.detach().clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(quantised.movedim(-3, -1).cpu().numpy())


def to_deep_frames(tensor: Tensor) -> DeepFrames:
    """Float RGB (..., C, H, W) to uint16 on the full 16-bit scale (..., H, W, C): clamped, then rounded."""
    quantised = tensor.detach().clamp(0, 1).mul(65535).round().to(torch.uint16)
    return np.ascontiguousarray(quantised.movedim(-3, -1).cpu().numpy())


def to_frames_like(tensor: Tensor, like: AnyFrames) -> AnyFrames:
    """Float RGB to frames as deep as `like`."""
    return to_frames(tensor) if like.dtype == np.uint8 else to_deep_frames(tensor)
