"""Faults that are planted on the output of a network, see planted_faults.py."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from vsr_lab.core.clip import quantise, to_frames, to_tensor, ycbcr_matrix


@dataclass(frozen=True)
class Material:
    """What a fault is made of: sr, of the clip and of another one, and hr, each (T, 3, H, W) in [0, 1]."""

    sr: Tensor
    other: Tensor
    hr: Tensor


Fault = Callable[[Material, int], Tensor]  # -> frame t of the faulty output
Planted = tuple[str, Fault]  # in words, and the fault


def pixels(change: Callable[[Tensor], Tensor]) -> Fault:
    """A fault of every frame by itself."""
    return lambda clip, t: change(clip.sr[t])


def when(is_hit: Callable[[int, int], bool], change: Callable[[Tensor], Tensor]) -> Fault:
    """A fault of the frames t of n for which is_hit(t, n)."""
    return lambda clip, t: change(clip.sr[t]) if is_hit(t, len(clip.sr)) else clip.sr[t]


def order(source: Callable[[int, int], int]) -> Fault:
    """Frame t of n shows frame source(t, n)."""
    return lambda clip, t: clip.sr[min(max(source(t, len(clip.sr)), 0), len(clip.sr) - 1)]


def colours(matrix: np.ndarray, offset: Iterable[float] = (0, 0, 0)) -> Fault:
    """A matrix on R'G'B', and an offset in levels."""
    by, add = torch.tensor(matrix).float(), torch.tensor([*offset]).float()[:, None, None] / 255
    return pixels(lambda x: torch.einsum("ij,jhw->ihw", by, x) + add)


def _decoded(coded: str, read: str) -> np.ndarray:
    return np.linalg.inv(ycbcr_matrix(read)) @ ycbcr_matrix(coded)


def chroma(gain: float) -> np.ndarray:
    matrix = ycbcr_matrix("bt709")
    return np.linalg.inv(matrix) @ np.diag([1, gain, gain]) @ matrix


def blur(x: Tensor, sigma: float) -> Tensor:
    return gaussian_blur(x, [2 * round(3 * sigma) + 1] * 2, [sigma] * 2)


def sharpened(amount: float) -> Fault:
    return pixels(lambda x: x + amount * (x - blur(x, 1.0)))


def moved(x: Tensor, pixels: float) -> Tensor:
    picture = x.permute(1, 2, 0).numpy()
    shift = np.array([[1, 0, pixels], [0, 1, pixels]], np.float64)
    moved = cv2.warpAffine(
        picture, shift, picture.shape[1::-1], flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT
    )
    return torch.from_numpy(moved).permute(2, 0, 1)


def _pattern(x: Tensor, levels: float, lines: bool) -> Tensor:
    """A checkerboard of +-levels, or lines of +levels every 4 pixels."""
    rows, columns = (torch.arange(side) for side in x.shape[-2:])
    if lines:
        return x + levels / 255 * ((rows % 4 == 0)[:, None] | (columns % 4 == 0))
    return x + levels / 255 * ((rows[:, None] + columns) % 2 * 2 - 1)


def _texture(sigma: float, moving: bool) -> Fault:
    """Invented fine detail that stays on the screen, or is new in every frame."""

    def add(clip: Material, t: int) -> Tensor:
        grain = noise(clip.sr[t], 1.0, t if moving else 0)
        fine = grain - blur(grain, 1.0)
        return clip.sr[t] + fine / fine.std() * sigma / 255

    return add


def noise(like: Tensor, levels: float, seed: int) -> Tensor:
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed)) * levels / 255


def _jpeg(quality: int) -> Fault:
    def code(x: Tensor) -> Tensor:
        data = io.BytesIO()
        Image.fromarray(to_frames(quantise(x)[None])[0]).save(data, "JPEG", quality=quality)
        return to_tensor(np.array(Image.open(data))[None])[0]

    return pixels(code)


def weighted(weights: Callable[[int], Mapping[int, float]]) -> Fault:
    """Frame t is the mean of frames t + step with weights(t)[step], those outside the clip left out."""

    def mean(clip: Material, t: int) -> Tensor:
        known = {step: w for step, w in weights(t).items() if 0 <= t + step < len(clip.sr)}
        total = torch.stack([w * clip.sr[t + step] for step, w in known.items()]).sum(0)
        return total / sum(known.values())

    return mean


def region(x: Tensor, filled: Tensor | float, rows: slice, columns: slice = slice(None)) -> Tensor:
    """x with a region set to a value, or to the same region of another picture."""
    changed = x.clone()
    changed[:, rows, columns] = filled[:, rows, columns] if isinstance(filled, Tensor) else filled
    return changed


def _framed(x: Tensor, rows: int, columns: int) -> Tensor:
    """x with black bars."""
    height, width = x.shape[-2:]
    inner = slice(rows, height - rows), slice(columns, width - columns)
    return region(torch.zeros_like(x), x, *inner)


def _half_blurred(x: Tensor) -> Tensor:
    return region(x, blur(x, 1.5), slice(None), slice(x.shape[-1] // 2, None))


def _tile(x: Tensor, filled: Tensor | float) -> Tensor:
    top, left = (side // 2 // 32 * 32 for side in x.shape[-2:])
    return region(x, filled, slice(top, top + 32), slice(left, left + 32))


def _shuffled(t: int, n: int) -> int:
    return int(np.random.default_rng(0).permutation(n)[t])


def middle(t: int, n: int) -> bool:
    return t == n // 2


UNALTERED: dict[str, Planted] = {
    "asis": ("unaltered output", lambda clip, t: clip.sr[t]),
    "truth": ("the ground truth", lambda clip, t: clip.hr[t]),
}
RELATIVE: dict[str, Planted] = {
    "blur0.8": ("Gaussian blur, sigma 0.8", pixels(lambda x: blur(x, 0.8))),
    "blur1.5": ("sigma 1.5", pixels(lambda x: blur(x, 1.5))),
    "sharp0.5": ("unsharp mask 0.5", sharpened(0.5)),
    "sharp1.5": ("unsharp mask 1.5", sharpened(1.5)),
    "truth_noise4": ("the ground truth with noise, sigma 4", lambda clip, t: clip.hr[t] + noise(clip.hr[t], 4, t)),
    "truth_noise10": ("sigma 10", lambda clip, t: clip.hr[t] + noise(clip.hr[t], 10, t)),
}
ABSOLUTE: dict[str, Planted] = {
    "cast2": ("R+2 B-2 levels", colours(np.eye(3), (2, 0, -2))),
    "cast2_all": ("+2 levels", colours(np.eye(3), (2, 2, 2))),
    "chroma_off6": ("Cb+6 Cr-6", colours(np.eye(3), np.linalg.inv(ycbcr_matrix("bt709")) @ [0, 6, -6])),
    "desat50": ("chroma halved", colours(chroma(0.5))),
    "gray": ("no colour at all", colours(chroma(0))),
    "m601as709": ("coded by BT.601, decoded by BT.709", colours(_decoded("bt601", "bt709"))),
    "m709as601": ("coded by BT.709, decoded by BT.601", colours(_decoded("bt709", "bt601"))),
    "gamma1.05": ("gamma 1.05", pixels(lambda x: x.clamp(0, 1) ** 1.05)),
    "gamma1.2": ("gamma 1.2", pixels(lambda x: x.clamp(0, 1) ** 1.2)),
    "full_as_limited": ("full range decoded as limited", pixels(lambda x: (x * 255 - 16) / 219)),
    "limited_as_full": ("limited range shown as full", pixels(lambda x: (x * 219 + 16) / 255)),
    "px0.25": ("shifted by 1/4 pixel", pixels(lambda x: moved(x, 0.25))),
    "px0.5": ("by 1/2 pixel", pixels(lambda x: moved(x, 0.5))),
    "px1": ("by 1 pixel", pixels(lambda x: moved(x, 1))),
    "checker2": ("checkerboard of +-2 levels", pixels(lambda x: _pattern(x, 2, lines=False))),
    "checker4": ("of +-4 levels", pixels(lambda x: _pattern(x, 4, lines=False))),
    "grid4": ("lines of +4 levels every 4 pixels", pixels(lambda x: _pattern(x, 4, lines=True))),
    "halfblur": ("right half of the picture blurred, sigma 1.5", pixels(_half_blurred)),
    "2nd_half_blur": ("second half of the clip, sigma 1.2", when(lambda t, n: 2 * t >= n, lambda x: blur(x, 1.2))),
    "tile32_black_1frame": ("a black tile of 32x32 in one frame", when(middle, lambda x: _tile(x, 0.0))),
    "tile32_wrong": ("a tile of another clip in all frames", lambda clip, t: _tile(clip.sr[t], clip.other[t])),
    "border1black": ("a black border of 1 pixel", pixels(lambda x: _framed(x, 1, 1))),
    "letterbox16": ("bars of 16 pixels", pixels(lambda x: _framed(x, 16, 0))),
    "black1": ("one black frame", when(middle, torch.zeros_like)),
    "blacklast": ("the last frame black", when(lambda t, n: t == n - 1, torch.zeros_like)),
    "other_clip": ("output for another clip", lambda clip, t: clip.other[t]),
    "late1": ("one frame late", order(lambda t, n: t - 1)),
    "early1": ("one frame early", order(lambda t, n: t + 1)),
    "reversed": ("frames reversed", order(lambda t, n: n - 1 - t)),
    "shuffled": ("frames in random order", order(_shuffled)),
    "swap2": ("two neighbours swapped", order(lambda t, n: {n // 2: n // 2 - 1, n // 2 - 1: n // 2}.get(t, t))),
    "drop_dup_end": ("a frame dropped, the last one doubled", order(lambda t, n: t + (3 * t >= n))),
    "every2nd_dup": ("every second frame repeats the one before", order(lambda t, n: t - t % 2)),
    "freeze1": ("one frame repeats the one before", order(lambda t, n: t - (t == n // 2))),
    "freeze4": ("four frames frozen", order(lambda t, n: n // 2 if 0 <= t - n // 2 <= 4 else t)),
    "flick2": ("brightness +-2 levels in turn", lambda clip, t: clip.sr[t] + (-1) ** t * 2 / 255),
    "flick5": ("+-5 levels", lambda clip, t: clip.sr[t] + (-1) ** t * 5 / 255),
    "ghost20": ("20 % of the previous frame", weighted(lambda t: {0: 0.8, -1: 0.2})),
    "ghostIIR30": ("30 %, recursive", weighted(lambda t: {-k: 0.3**k for k in range(t + 1)})),
    "tmean3": ("mean of 3 frames", weighted(lambda t: {-1: 1, 0: 1, 1: 1})),
    "hall_static3": ("invented detail that stands still, sigma 3", _texture(3, moving=False)),
    "hall_static8": ("sigma 8", _texture(8, moving=False)),
    "hall_dyn3": ("invented detail, new in every frame, sigma 3", _texture(3, moving=True)),
    "hall_dyn8": ("sigma 8", _texture(8, moving=True)),
    "jpeg80": ("JPEG of quality 80", _jpeg(80)),
    "jpeg50": ("quality 50", _jpeg(50)),
}
# Those planted on bicubic as well.
ON_BICUBIC = (
    *("asis", "cast2", "checker2", "chroma_off6", "desat50", "every2nd_dup", "gamma1.05", "ghost20", "ghostIIR30"),
    *("grid4", "hall_static3", "jpeg80", "sharp0.5", "sharp1.5", "tmean3"),
)
