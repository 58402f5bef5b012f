"""Faults of other strengths and kinds than in faults.py and more_faults.py, see planted_faults.py."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from faults import (
    Fault,
    Material,
    Planted,
    blur,
    chroma,
    colours,
    middle,
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

_BT709 = ycbcr_matrix("bt709")
_BT2020 = np.array([[0.2627, 0.6780, 0.0593], [-0.13963, -0.36037, 0.5], [0.5, -0.459786, -0.040214]])
_TILE = slice(32, 96), slice(32, 96)


def warped(matrix: list[list[float]]) -> Fault:
    """A pixel (x, y) of the output shows that at the inverse of the matrix."""

    def warp(x: Tensor) -> Tensor:
        picture = x.permute(1, 2, 0).numpy()
        size = picture.shape[1::-1]
        kind = {"flags": cv2.INTER_LANCZOS4, "borderMode": cv2.BORDER_REFLECT}
        return torch.from_numpy(cv2.warpAffine(picture, np.array(matrix, np.float64), size, **kind)).permute(2, 0, 1)

    return pixels(warp)


def _zoomed(more: int) -> Fault:
    """Scaled about the centre, so that the width grows by a number of pixels."""

    def zoom(x: Tensor) -> Tensor:
        gain = 1 + more / x.shape[-1]
        moves = [[gain, 0, (1 - gain) * (x.shape[-1] - 1) / 2], [0, gain, (1 - gain) * (x.shape[-2] - 1) / 2]]
        return warped(moves)(Material(x[None], x[None], x[None]), 0)

    return pixels(zoom)


def stripes(levels: float, period: int, axis: int) -> Fault:
    """Rows (axis -2) or columns (axis -1), half of each period brighter and half darker."""

    def add(x: Tensor) -> Tensor:
        bright = (torch.arange(x.shape[axis]) % period < period / 2) * 2.0 - 1
        return x + levels / 255 * (bright[:, None] if axis == -2 else bright)

    return pixels(add)


def checkered(levels: float, side: int) -> Fault:
    """Squares of `side` pixels, brighter and darker in turn."""

    def add(x: Tensor) -> Tensor:
        rows, columns = (torch.arange(n) // side for n in x.shape[-2:])
        return x + levels / 255 * ((rows[:, None] + columns) % 2 * 2 - 1)

    return pixels(add)


def _fields_swapped(x: Tensor) -> Tensor:
    return x.unflatten(-2, (-1, 2)).flip(-2).flatten(-3, -2)


def _next_field(clip: Material, t: int) -> Tensor:
    odd = (torch.arange(clip.sr.shape[-2]) % 2 == 1)[:, None]
    return torch.where(odd, clip.sr[min(t + 1, len(clip.sr) - 1)], clip.sr[t])


def _lower(x: Tensor, changed: Tensor) -> Tensor:
    return region(x, changed, slice(x.shape[-2] // 2, None))


OTHER_ABSOLUTE: dict[str, Planted] = {
    "cast1.5": ("R+1.5 levels", colours(np.eye(3), (1.5, 0, 0))),
    "cast1.5_all": ("-1.5 levels", colours(np.eye(3), (-1.5, -1.5, -1.5))),
    "gamma0.95": ("gamma 0.95", pixels(lambda x: x.clamp(0, 1) ** 0.95)),
    "gamma0.98": ("gamma 0.98", pixels(lambda x: x.clamp(0, 1) ** 0.98)),
    "contrast1.03": ("contrast 1.03", colours(np.eye(3) * 1.03, (-3.8, -3.8, -3.8))),
    "m2020as709": ("coded by BT.2020, decoded by BT.709", colours(np.linalg.inv(_BT709) @ _BT2020)),
    "m709as2020": ("coded by BT.709, decoded by BT.2020", colours(np.linalg.inv(_BT2020) @ _BT709)),
    "m601as2020": ("coded by BT.601, decoded by BT.2020", colours(np.linalg.inv(_BT2020) @ ycbcr_matrix("bt601"))),
    "rb_swapped": ("R and B swapped", pixels(lambda x: x.flip(0))),
    "clip16_235": ("clipped to 16..235", pixels(lambda x: x.clamp(16 / 255, 235 / 255))),
    "px0.5x": ("shifted by 1/2 pixel to the right", warped([[1, 0, 0.5], [0, 1, 0]])),
    "px0.25y": ("by 1/4 pixel downwards", warped([[1, 0, 0], [0, 1, 0.25]])),
    "zoom1": ("scaled to 1 pixel more", _zoomed(1)),
    "zoom-1": ("to 1 pixel less", _zoomed(-1)),
    "crop1": (
        "cropped by 1 pixel at each side, scaled back",
        pixels(lambda x: F.interpolate(x[None, :, 1:-1, 1:-1], x.shape[-2:], mode="bicubic")[0]),
    ),
    "mirror": ("mirrored left to right", pixels(lambda x: x.flip(-1))),
    "upside_down": ("upside down", pixels(lambda x: x.flip(-2))),
    "rotated180": ("rotated by 180 degrees", pixels(lambda x: x.flip(-1).flip(-2))),
    "low_blur": ("lower half of the picture blurred, sigma 1.5", pixels(lambda x: _lower(x, blur(x, 1.5)))),
    "low_cast3": ("lower half +3 levels", pixels(lambda x: _lower(x, x + 3 / 255))),
    "tile_blur": ("a tile of 64 pixels blurred, sigma 1.5", pixels(lambda x: region(x, blur(x, 1.5), *_TILE))),
    "tile_dark8": ("8 levels darker", pixels(lambda x: region(x, x - 8 / 255, *_TILE))),
    "tile_dark4": ("4 levels darker", pixels(lambda x: region(x, x - 4 / 255, *_TILE))),
    "tile_mirror": ("mirrored", pixels(lambda x: region(x, x.flip(-1), *_TILE))),
    "tile_frozen": ("frozen", lambda clip, t: region(clip.sr[t], clip.sr[0], *_TILE)),
    "black_first": ("the first frame black", when(lambda t, _: t == 0, torch.zeros_like)),
    "gray1": ("one gray frame", when(middle, lambda x: torch.full_like(x, 0.5))),
    "frozen": ("the first frame throughout", order(lambda t, n: 0)),
    "freeze_tail": ("the last quarter frozen", order(lambda t, n: min(t, 3 * n // 4))),
    "late2": ("two frames late", order(lambda t, n: t - 2)),
    "early2": ("two frames early", order(lambda t, n: t + 2)),
    "drop2": ("two frames dropped", order(lambda t, n: t + 2 * (2 * t >= n))),
    "every4th_dup": ("every fourth frame repeats the one before", order(lambda t, n: t - (t % 4 == 3))),
    "swap_pairs": ("all pairs of neighbours swapped", order(lambda t, n: t ^ 1)),
    "fields_swapped": ("fields swapped", pixels(_fields_swapped)),
    "fields_next": ("odd rows from the next frame", _next_field),
    **{f"rows{n}_2": (f"rows of +-2 levels, period {n}", stripes(2, n, -2)) for n in (2, 3, 5, 6, 12, 16)},
    "columns3_2": ("columns of +-2 levels, period 3", stripes(2, 3, -1)),
    **{f"squares{n}_2": (f"squares of {n} pixels, +-2 levels", checkered(2, n)) for n in (2, 3, 5, 8)},
    "flick1.5": ("brightness +-1.5 levels in turn", lambda clip, t: clip.sr[t] + (-1) ** t * 1.5 / 255),
    "flick_gain": ("+-2 % in turn", lambda clip, t: clip.sr[t] * (1 + 0.02 * (-1) ** t)),
    "flick5th": ("every fifth frame +3 levels", when(lambda t, _: t % 5 == 4, lambda x: x + 3 / 255)),
    "ghost_next10": ("10 % of the next frame", weighted(lambda t: {0: 0.9, 1: 0.1})),
    "overlay": ("5 % of another clip", lambda clip, t: 0.95 * clip.sr[t] + 0.05 * clip.other[t]),
    "sat1.05": ("saturation 1.05", colours(chroma(1.05))),
}
OTHER_RELATIVE: dict[str, Planted] = {
    "blur0.5": ("Gaussian blur, sigma 0.5", pixels(lambda x: blur(x, 0.5))),
    "sharp0.3": ("unsharp mask 0.3", sharpened(0.3)),
    "low_blur1": ("lower half of the picture blurred, sigma 1", pixels(lambda x: _lower(x, blur(x, 1.0)))),
    "noise1": ("noise, sigma 1", lambda clip, t: clip.sr[t] + noise(clip.sr[t], 1, t)),
    "tile_noise8": (
        "noise in a tile",
        lambda clip, t: region(clip.sr[t], clip.sr[t] + noise(clip.sr[t], 8, t), *_TILE),
    ),
    "bits5": ("5 bits", pixels(lambda x: (x * 31).round() / 31)),
    "flick1": ("brightness +-1 level in turn", lambda clip, t: clip.sr[t] + (-1) ** t / 255),
    "checker1": ("checkerboard of +-1 level", checkered(1, 1)),
    "chroma_px1": ("chroma shifted by 1 pixel", pixels(lambda x: _chroma_of(x, x.roll(1, -1)))),
    "ghost5": ("5 % of the previous frame", weighted(lambda t: {0: 0.95, -1: 0.05})),
}


def _chroma_of(x: Tensor, other: Tensor) -> Tensor:
    y, c = (torch.einsum("ij,jhw->ihw", torch.from_numpy(_BT709).float(), frame) for frame in (x, other))
    return torch.einsum("ij,jhw->ihw", torch.from_numpy(np.linalg.inv(_BT709)).float(), torch.cat([y[:1], c[1:]]))
