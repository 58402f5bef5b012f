"""Softness of a clip: the loss of detail when it is downscaled by two and upscaled again."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from vsr_lab.core.clip import Frames, to_tensor
from vsr_lab.core.luma import luma, quantise
from vsr_lab.core.resize import imresize

SOFT_DB = 46.0  # clips above it are too soft to train on at their size
_FACTORS = (1.0, 1.5, 2.0, 3.0, 4.0)


def softness(frames: Sequence[Frames]) -> tuple[float, float]:
    """Measure how soft (blurred) a clip is: PSNR-Y in dB after bicubic downscaling and upscaling by 2, at most 99.

    A high value means that the clip has no fine detail. Such a clip should be downscaled before it is used as HR.

    Args:
        frames: RGB uint8, each (H, W, 3).

    Returns:
        PSNR over all frames, and the factor in [1, 4] by which the clip should be downscaled, so that this PSNR
        decreases to `SOFT_DB`; 1 for a sharp clip.
    """
    pictures = [to_tensor(frame) for frame in frames]
    first = _loss(pictures, 1.0)
    for factor in _FACTORS:
        if (first if factor == 1 else _loss(pictures, factor)) <= SOFT_DB:
            return first, factor
    return first, _FACTORS[-1] if first < 99 else 1.0


def _loss(pictures: Sequence[Tensor], factor: float) -> float:
    error = float(np.mean([_round_trip(picture, factor) for picture in pictures]))
    return min(99.0, 10 * float(np.log10(255**2 / error))) if error > 0 else 99.0


def _round_trip(picture: Tensor, factor: float) -> float:
    """Mean squared error of luma, in 8-bit levels squared."""
    if factor != 1:
        picture = quantise(imresize(picture, 1 / factor))
    even = picture[..., : picture.shape[-2] // 2 * 2, : picture.shape[-1] // 2 * 2]
    back = quantise(imresize(quantise(imresize(even, 0.5)), 2))
    return float((luma(back) - luma(even)).square().mean())
