"""Clips and their pixels: frames and tensors, bit depths, RGB and luma."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vsr_lab.core.errors import UserError

Frames = npt.NDArray[np.uint8]
DeepFrames = npt.NDArray[np.uint16]
AnyFrames = npt.NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True)
class Colour:
    """Colour encoding of a video stream: YUV matrix and range.

    Args:
        matrix: YUV matrix, such as "bt601" or "bt709" (a key of `core.clip.LUMA_COEFFICIENTS`), or "rgb".
        full_range: True if 8-bit luma is in 0..255, False if it is in 16..235.
        assumed: True if the file does not specify the matrix, so that the reader chose the most likely one.
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


def check_range(source: Path, frames: int, start: int, stop: int) -> None:
    """Raise UserError unless start..stop-1 are one or more of the frames 0..frames-1 of a source."""
    if not 0 <= start < stop <= frames:
        raise UserError(
            source,
            f"has {frames} frames, which do not include all of {start}:{stop}",
            f"choose a range within 0:{frames}",
        )


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
    """Convert float RGB (..., C, H, W) to uint16 in [0, 65535], (..., H, W, C): clamped to [0, 1], scaled, rounded."""
    return _quantised(tensor, 65535, torch.uint16)


def _quantised(tensor: Tensor, peak: int, dtype: torch.dtype) -> npt.NDArray[Any]:
    levels = tensor.detach().clamp(0, 1).mul(peak).round().to(dtype)
    return np.ascontiguousarray(levels.movedim(-3, -1).cpu().numpy())


def to_frames_like(tensor: Tensor, like: AnyFrames) -> AnyFrames:
    """Convert float RGB (..., C, H, W) to frames (..., H, W, C) of the dtype of `like`, uint8 or uint16."""
    return to_frames(tensor) if like.dtype == np.uint8 else to_deep_frames(tensor)


# Kr and Kb: the shares of red and blue in luma (ITU-R BT.601-7, BT.709-6, BT.2020-2 with non-constant luminance,
# SMPTE 240M, FCC 1953).
LUMA_COEFFICIENTS = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
_MATLAB_Y = (65.481, 128.553, 24.966)  # rgb2ycbcr: BT.601 luma on 16..235


def ycbcr_matrix(name: str) -> npt.NDArray[np.float64]:
    """The 3x3 matrix that converts R'G'B' in [0, 1] to Y' in [0, 1] and Cb, Cr in [-0.5, 0.5].

    Args:
        name: "bt601", "bt709", "bt2020", "smpte240m" or "fcc".

    Returns:
        float64 (3, 3); its first row holds the luma coefficients.

    Raises:
        ValueError: unknown name.
    """
    if name not in LUMA_COEFFICIENTS:
        raise ValueError(f"matrix must be one of {', '.join(LUMA_COEFFICIENTS)}, not {name!r}")
    red, blue = LUMA_COEFFICIENTS[name]
    luma, unit = np.array([red, 1 - red - blue, blue]), np.eye(3)
    return np.stack([luma, (unit[2] - luma) / (2 * (1 - blue)), (unit[0] - luma) / (2 * (1 - red))])


def quantise(rgb: Tensor) -> Tensor:
    """Clamp to [0, 1] and round to multiples of 1/255, as storage in an 8-bit file does; the shape is kept."""
    return rgb.clamp(0, 1).mul_(255).round_().div_(255)


def to_gray(clip: Tensor) -> Frames:
    """Convert to 8-bit gray with OpenCV's rounding.

    Args:
        clip: RGB (..., 3, H, W) in [0, 1].

    Returns:
        uint8 (N, H, W), with the leading axes flattened to N.
    """
    frames = to_frames(clip.reshape(-1, *clip.shape[-3:]))
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])


def luma(rgb: Tensor) -> Tensor:
    """Compute the Y of MATLAB's rgb2ycbcr, on which PSNR-Y and SSIM-Y are defined.

    As in BasicSR, Y is not rounded; rounding would reduce the PSNR of bicubic on Vid4 by 0.0028 dB.

    Args:
        rgb: (..., 3, H, W) in [0, 1].

    Returns:
        float64 (..., 1, H, W) in [16, 235].
    """
    red, green, blue = (channel.double() for channel in rgb.split(1, -3))
    return (red * _MATLAB_Y[0]).add_(green, alpha=_MATLAB_Y[1]).add_(blue, alpha=_MATLAB_Y[2]).add_(16)


def judged_channels(rgb: Tensor, colour: str) -> Tensor:
    """Convert RGB to the channels on which a protocol computes its metrics.

    Args:
        rgb: (..., 3, H, W) in [0, 1].
        colour: "y" for luma, "rgb" for all three channels.

    Returns:
        float64 in 8-bit levels, (..., 1 or 3, H, W): luma in [16, 235] or RGB in [0, 255].

    Raises:
        ValueError: unknown colour.
    """
    if colour == "y":
        return luma(rgb)
    if colour == "rgb":
        return rgb.double() * 255
    raise ValueError(f"colour must be 'y' or 'rgb', not {colour!r}")
