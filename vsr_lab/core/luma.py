"""Colour for judging: quantisation, luma, gray. All tensors are RGB in [0, 1], (..., 3, H, W)."""

from torch import Tensor

# BT.601 studio-swing luma of MATLAB's rgb2ycbcr, the field's "Y".
_LUMA_601 = (65.481, 128.553, 24.966)


def quantise(rgb: Tensor) -> Tensor:
    """Clamp to [0, 1] and round to 8 bits, as a written file would. Same shape, range [0, 1]."""
    return rgb.clamp(0, 1).mul(255).round().div(255)


def luma(rgb: Tensor) -> Tensor:
    """BT.601 studio luma Y in [16, 235], float64, not rounded, (..., 1, H, W).

    MATLAB rgb2ycbcr as the BasicVSR family computes it. Rounding Y would cost 0.0028 dB on Vid4.
    """
    red, green, blue = (channel.double() for channel in rgb.split(1, -3))
    return (red * _LUMA_601[0]).add_(green, alpha=_LUMA_601[1]).add_(blue, alpha=_LUMA_601[2]).add_(16)


def judged_channels(rgb: Tensor, colour: str) -> Tensor:
    """The channels a protocol scores, float64 in 8-bit levels: "y" gives luma, "rgb" all three.

    Raises ValueError for any other name.
    """
    if colour == "y":
        return luma(rgb)
    if colour == "rgb":
        return rgb.double() * 255
    raise ValueError(f"colour must be 'y' or 'rgb', not {colour!r}")
