"""Fidelity of single frames. sr (rounded to 8 bits), hr: (B, T, 3, H, W) in [0, 1]; results (B, T), float64."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import judged_channels

_TAPS = 11
_BLOCK = 64  # pixels that are filtered at once
_MS_SSIM_SIDE = 161  # pixels: its five scales need the window of 11 at a sixteenth of the size
_REACH = 2  # pixels of the border that psnr_shifted leaves out, and at most shifts by
_CEILING_DB = 100.0  # of identical frames, so that means and intervals are finite


def decibels(squared_error: Tensor) -> Tensor:
    """Convert mean squared errors in 8-bit levels to PSNR in dB, at most 100."""
    return (10 * torch.log10(255**2 / squared_error.clamp(min=1e-12))).clamp(max=_CEILING_DB)


def psnr(sr: Tensor, hr: Tensor, colour: str) -> Tensor:
    """Peak signal-to-noise ratio in dB, on 8-bit levels (0..255) in float64; 100 dB for identical frames.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].
        colour: "y" for BT.601 luma, "rgb" for the three channels together.

    Returns:
        (B, T).
    """
    error = judged_channels(sr, colour) - judged_channels(hr, colour)
    return decibels(error.square().mean((-3, -2, -1)))


def ssim(sr: Tensor, hr: Tensor, colour: str) -> Tensor:
    """Structural similarity (Wang et al. 2004, eq. 13), with an 11x11 Gaussian of sigma 1.5 in the valid region.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].
        colour: "y" for BT.601 luma, "rgb" for the mean over the three channels.

    Returns:
        (B, T), in [-1, 1].

    Raises:
        ValueError: a side has fewer than 11 pixels.
    """
    # float32 equals float64 to 1e-6 on Vid4.
    a, b = (judged_channels(frames, colour).flatten(0, 1).float() for frames in (sr, hr))
    mean_a, mean_b, squares, product = (_blurred(_blurred(each).mT).mT for each in (a, b, a * a + b * b, a * b))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    means, both = mean_a**2 + mean_b**2, mean_a * mean_b
    similarity = (2 * both + c1) * (2 * (product - both) + c2) / ((means + c1) * (squares - means + c2))
    return similarity.mean((-3, -2, -1)).view(sr.shape[:2]).double()


def _blurred(frames: Tensor) -> Tensor:
    """Rows filtered with a Gaussian of 11 samples in the valid region, (..., W - 10)."""
    # As products of blocks with a matrix, a tenth of the time of a convolution.
    starts = range(0, max(frames.shape[-1] - _TAPS + 1, 1), _BLOCK)
    blocks = [frames[..., start : start + _BLOCK + _TAPS - 1] for start in starts]
    return torch.cat([block @ _window(block.shape[-1]).to(block).T for block in blocks], -1)


def _window(length: int) -> Tensor:
    """Matrix of the Gaussian of 11 samples at every valid position, (length - 10, length)."""
    if length < _TAPS:
        raise ValueError(f"SSIM needs at least {_TAPS} pixels per side, got {length}")
    offset = torch.arange(length) - torch.arange(length - _TAPS + 1)[:, None] - _TAPS // 2
    weights = torch.exp(-(offset.double() ** 2) / (2 * 1.5**2)) * (offset.abs() <= _TAPS // 2)
    return weights / weights.sum(1, keepdim=True)


def ms_ssim(sr: Tensor, hr: Tensor, colour: str) -> Tensor:
    """Multi-scale structural similarity (Wang et al. 2003) on five scales, as piq computes it.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].
        colour: "y" for BT.601 luma, "rgb" for the three channels together.

    Returns:
        (B, T), in [0, 1]; NaN for frames with a side of less than 161 pixels.
    """
    if min(sr.shape[-2:]) < _MS_SSIM_SIDE:
        return torch.full(sr.shape[:2], torch.nan, dtype=torch.float64)
    import piq  # takes a second

    a, b = (judged_channels(frames, colour).flatten(0, 1).float() for frames in (sr, hr))
    return piq.multi_scale_ssim(a, b, data_range=255.0, reduction="none").view(sr.shape[:2]).double()


def psnr_shifted(sr: Tensor, hr: Tensor, colour: str) -> Tensor:
    """Highest PSNR in dB over shifts of sr in steps of a quarter of a pixel.

    The best shift is searched in steps of 1, then 1/2, then 1/4 pixel, up to 1.75 pixels along each axis, with bicubic
    interpolation. A border of 2 pixels is left out. Unlike PSNR, this metric does not penalise a shifted output.
    Interpolation also reduces noise, so report the metric together with PSNR, not in its place.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].
        colour: "y" for BT.601 luma, "rgb" for the three channels together.

    Returns:
        (B, T).
    """
    a, b = (judged_channels(frames, colour).flatten(0, 1).float() for frames in (sr, hr))
    best = [_least_error(x[None], y[None]) for x, y in zip(a, b, strict=True)]
    return decibels(torch.stack(best)).view(sr.shape[:2])


def _least_error(sr: Tensor, hr: Tensor) -> Tensor:
    """Smallest mean squared error of one frame (1, C, H, W) over shifts, from whole pixels to quarters."""
    centre, error = (0.0, 0.0), torch.tensor(torch.inf, dtype=torch.float64)
    for step in (1.0, 0.5, 0.25):
        down, across = centre
        for place in itertools.product((down - step, down, down + step), (across - step, across, across + step)):
            difference = _shifted(sr, *place) - hr
            found = difference[..., _REACH:-_REACH, _REACH:-_REACH].double().square().mean()
            if found < error:
                centre, error = place, found
    return error


def _shifted(frame: Tensor, down: float, across: float) -> Tensor:
    """A frame (1, C, H, W) sampled at every pixel moved by a distance."""
    height, width = frame.shape[-2:]
    if (down, across) == (0, 0):
        return frame
    y, x = (2 * (torch.arange(side) + by) / (side - 1) - 1 for side, by in ((height, down), (width, across)))
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)[None].to(frame)
    return F.grid_sample(frame, grid, mode="bicubic", padding_mode="border", align_corners=True)


def lr_consistency(degraded: Tensor, lr: Tensor) -> Tensor:
    """PSNR in dB between LR and degraded SR, which shows how well the output of a network agrees with its input.

    Args:
        degraded: SR after the degradation that made LR, (B, T, 3, h, w) in [0, 1].
        lr: (B, T, 3, h, w) in [0, 1].

    Returns:
        (B, T).
    """
    error = (degraded.double() - lr.double()) * 255
    return decibels(error.square().mean((-3, -2, -1)))
