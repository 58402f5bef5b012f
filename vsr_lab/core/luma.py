"""Quantisation, luma, gray and the matrices of YCbCr."""

import cv2
import numpy as np
import numpy.typing as npt
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames

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
    """Clamp to [0, 1] and round to 8 bits, as writing to a file does; same shape, range [0, 1]."""
    return rgb.clamp(0, 1).mul(255).round().div(255)


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

    As in BasicSR, it is not rounded; rounding reduces the PSNR of bicubic on Vid4 by 0.0028 dB.

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
