"""Clips: frames with their timestamps, colour and source, and conversions between arrays and tensors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Frames = npt.NDArray[np.uint8]
DeepFrames = npt.NDArray[np.uint16]
AnyFrames = npt.NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True)
class Colour:
    """Color encoding of a video stream: its YUV matrix and its range.

    Args:
        matrix: YUV matrix, such as "bt601" or "bt709" (a key of `core.luma.LUMA_COEFFICIENTS`), or "rgb".
        full_range: True if 8-bit luma is in 0..255, False if it is in 16..235.
        assumed: True if the file does not specify its matrix, so that the reader assumed this one.
    """

    matrix: str = "rgb"
    full_range: bool = True
    assumed: bool = False


@dataclass(frozen=True)
class Clip:
    """Consecutive frames of one source.

    Args:
        frames: RGB (T, H, W, 3): uint8, or uint16 in [0, 65535] if the source has more than 8 bits.
        timestamps: (T,), seconds from the start of the source, increasing.
        colour: colour properties of the source.
        source: file or folder that the frames were read from.
    """

    frames: AnyFrames
    timestamps: npt.NDArray[np.float64]
    colour: Colour
    source: Path

    def tensor(self) -> Tensor:
        """Frames as float32 RGB in [0, 1], (T, 3, H, W)."""
        return to_tensor(self.frames)

    def eight_bit(self) -> Frames:
        """Frames as uint8; uint16 is rounded to the nearest level."""
        return to_eight_bit(self.frames)


def to_tensor(frames: AnyFrames) -> Tensor:
    """Convert uint8 or uint16 (..., H, W, C) to float32 in [0, 1], (..., C, H, W)."""
    peak = np.iinfo(frames.dtype).max
    return torch.from_numpy(np.ascontiguousarray(frames)).movedim(-1, -3).float().div_(peak)


def to_eight_bit(frames: AnyFrames) -> Frames:
    """Round uint16 in [0, 65535] to the nearest uint8; uint8 is returned as it is."""
    if frames.dtype == np.uint8:
        return frames  # pyright: ignore[reportReturnType]
    return ((frames.astype(np.uint32) + 128) // 257).astype(np.uint8)


def to_frames(tensor: Tensor) -> Frames:
    """Convert float RGB (..., C, H, W) to uint8 (..., H, W, C): clamped to [0, 1], then rounded half to even."""
    return _quantised(tensor, 255, torch.uint8)


def to_deep_frames(tensor: Tensor) -> DeepFrames:
    """Convert float RGB (..., C, H, W) to uint16 in [0, 65535], (..., H, W, C): clamped, then rounded."""
    return _quantised(tensor, 65535, torch.uint16)


def _quantised(tensor: Tensor, peak: int, dtype: torch.dtype) -> npt.NDArray[Any]:
    levels = tensor.detach().clamp(0, 1).mul(peak).round().to(dtype)
    return np.ascontiguousarray(levels.movedim(-3, -1).cpu().numpy())


def to_frames_like(tensor: Tensor, like: AnyFrames) -> AnyFrames:
    """Convert float RGB to frames of the dtype of `like`, uint8 or uint16."""
    return to_frames(tensor) if like.dtype == np.uint8 else to_deep_frames(tensor)
