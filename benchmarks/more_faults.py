"""More kinds of faults, see planted_faults.py: those that can be refused, and those that are only worse."""

import numpy as np
import torch
import torch.nn.functional as F
from faults import (
    Material,
    Planted,
    blur,
    chroma,
    colours,
    moved,
    noise,
    order,
    pixels,
    region,
    sharpened,
    weighted,
    when,
)
from torch import Tensor

from vsr_lab.core.clip import ycbcr_matrix

_TILE = 64  # pixels


def _to(ycc: bool, x: Tensor) -> Tensor:
    """R'G'B' as Y, Cb and Cr, or back."""
    matrix = ycbcr_matrix("bt709")
    return torch.einsum("ij,jhw->ihw", torch.tensor(matrix if ycc else np.linalg.inv(matrix)).float(), x)


def _with_chroma(x: Tensor, other: Tensor) -> Tensor:
    """The luma of x and the chroma of another picture."""
    return _to(False, torch.cat([_to(True, x)[:1], _to(True, other)[1:]]))


def _chroma_halved(x: Tensor) -> Tensor:
    half = F.interpolate(x[None], scale_factor=0.5, mode="area")
    return _with_chroma(x, F.interpolate(half, x.shape[-2:], mode="bilinear")[0])


def _hue(degrees: float) -> np.ndarray:
    matrix, angle = ycbcr_matrix("bt709"), np.deg2rad(degrees)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return np.linalg.inv(matrix) @ turn @ matrix


def _seams(x: Tensor) -> Tensor:
    """Tiles that are alternately 3 levels brighter and darker."""
    rows, columns = (torch.arange(side) // _TILE for side in x.shape[-2:])
    return x + 3 / 255 * ((rows[:, None] + columns) % 2 * 2 - 1)


def _low_pass(x: Tensor, share: float) -> Tensor:
    """Without the frequencies above a share of the highest, cut off sharply: edges ring."""
    spectrum = torch.fft.rfft2(x)
    rows = torch.fft.fftfreq(x.shape[-2]).abs() < share / 2
    columns = torch.fft.rfftfreq(x.shape[-1]) < share / 2
    return torch.fft.irfft2(spectrum * rows[:, None] * columns, x.shape[-2:])


def _nearest(x: Tensor) -> Tensor:
    return F.interpolate(F.interpolate(x[None], scale_factor=0.25, mode="area"), x.shape[-2:])[0]


def _rows_moved(x: Tensor) -> Tensor:
    """Every second pair of rows 1 pixel to the right."""
    return torch.where((torch.arange(x.shape[-2]) // 2 % 2 == 0)[:, None], x, x.roll(1, -1))


def _mirrored(x: Tensor) -> Tensor:
    """The left 16 columns show the 16 to their right, mirrored."""
    return region(x, x[..., :32].flip(-1).expand_as(x[..., :32]), slice(None), slice(16))


def _combed(clip: Material, t: int) -> Tensor:
    odd = (torch.arange(clip.sr.shape[-2]) % 2 == 1)[:, None]
    return torch.where(odd, clip.sr[max(t - 1, 0)], clip.sr[t])


def _tile_sharpened(clip: Material, t: int) -> Tensor:
    return region(clip.sr[t], sharpened(1.0)(clip, t), slice(_TILE), slice(_TILE))


def _gone_and_twice(t: int, n: int) -> int:
    """A frame is left out after a third of the clip, and one shown twice after two thirds."""
    return t + (n // 3 <= t < 2 * n // 3)


MORE_ABSOLUTE: dict[str, Planted] = {
    "chroma_late1": ("chroma one frame late", lambda clip, t: _with_chroma(clip.sr[t], clip.sr[max(t - 1, 0)])),
    "chroma_px2": ("chroma shifted by 2 pixels", pixels(lambda x: _with_chroma(x, moved(x, 2)))),
    "gamma_half": ("gamma 1.1 in the last third of the clip", when(lambda t, n: 3 * t >= 2 * n, lambda x: x**1.1)),
    "range_part": (
        "limited range shown as full in every fourth frame",
        when(lambda t, _: t % 4 == 3, lambda x: (x * 219 + 16) / 255),
    ),
    "drop_dup": ("a frame left out, another shown twice later", order(_gone_and_twice)),
    "soft8": ("every eighth frame blurred, sigma 1.2", when(lambda t, _: t % 8 == 7, lambda x: blur(x, 1.2))),
    "seams3": ("tiles of 64 pixels, +-3 levels in turn", pixels(_seams)),
    "rows2black": ("the two lowest rows black", pixels(lambda x: region(x, 0.0, slice(-2, None)))),
    "comb": ("odd rows from the frame before", _combed),
    "sat0.9": ("saturation 0.9", colours(chroma(0.9))),
    "hue3": ("hue turned by 3 degrees", colours(_hue(3))),
    "mirror16": ("the left 16 columns mirrored", pixels(_mirrored)),
    "white1": ("one white frame", when(lambda t, n: t == n // 2, torch.ones_like)),
    "rows_moved": ("every second pair of rows 1 pixel to the right", pixels(_rows_moved)),
}
MORE_RELATIVE: dict[str, Planted] = {
    "chroma420": ("chroma at half the size", pixels(_chroma_halved)),
    "ringing": ("frequencies above half the highest cut off", pixels(lambda x: _low_pass(x, 0.5))),
    "bits6": ("6 bits", pixels(lambda x: (x * 63).round() / 63)),
    "noise2": ("noise, sigma 2", lambda clip, t: clip.sr[t] + noise(clip.sr[t], 2, t)),
    "sharp_tile": ("a tile of 64 pixels sharpened by 1", _tile_sharpened),
    "ghost10": ("10 % of the previous frame", weighted(lambda t: {0: 0.9, -1: 0.1})),
    "nearest": ("each square of 4x4 pixels its mean", pixels(_nearest)),
}
