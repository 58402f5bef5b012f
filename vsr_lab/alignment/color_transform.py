"""Estimation of the colour transform between two aligned clips: a 3 x 4 matrix or a power."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.frame_pairs import FramePair
from vsr_lab.alignment.grids import Grid, Picture, resample
from vsr_lab.alignment.registration import block_mean
from vsr_lab.core.clip import AnyFrames, ycbcr_matrix

Colors = npt.NDArray[np.floating[Any]]  # N 3, RGB in [0, 1]
Affine = npt.NDArray[np.floating[Any]]  # 3 4: RGB and 1 to RGB
Curve = Callable[[Colors], Colors]

_MATRICES = ("601", "709", "2020")
_RANGES = {"limited": (16 / 255, 219 / 255, 224 / 255), "full": (0.0, 1.0, 1.0)}  # black, luma and chroma swing
TOLERANCE = 0.8  # levels, rms over the picture: rounding, a codec and chroma subsampling stay below

_BETTER = 0.4  # levels by which the free transform has to be better than a known one
_EXPLAINED = 0.5  # share of the difference that a transform has to remove
_SMOOTH = 2.0  # LR pixels


def encoding(matrix: str, swing: str) -> Affine:
    """Affine matrix (3, 4) that converts (R, G, B, 1), with RGB in [0, 1], to 8-bit Y', Cb and Cr, divided by 255.

    Args:
        matrix: "601", "709" or "2020".
        swing: range of the code values: with "full", Y' is in [0, 1] and Cb, Cr in [-0.5, 0.5]; with "limited", Y' is
            in [16/255, 235/255] and Cb, Cr in [-112/255, 112/255].
    """
    black, luma, chroma = _RANGES[swing]
    linear = ycbcr_matrix(f"bt{matrix}") * np.array([[luma], [chroma], [chroma]])
    return np.concatenate([linear, np.array([[black], [0], [0]])], 1)


def _square(affine: Affine) -> Affine:
    return np.concatenate([affine, np.array([[0, 0, 0, 1.0]])])


def _linear(matrix: npt.ArrayLike, offset: float = 0.0) -> Affine:
    return np.concatenate([np.asarray(matrix, float), np.full((3, 1), offset)], 1)


def _known_errors() -> dict[str, Affine]:
    known: dict[str, Affine] = {}
    for (a, p), (b, q) in product(product(_MATRICES, _RANGES), repeat=2):
        name = " and ".join([f"matrix: {a} taken for {b}"] * (a != b) + [f"range: {p} taken for {q}"] * (p != q))
        if name:
            known[name] = (np.linalg.inv(_square(encoding(b, q))) @ _square(encoding(a, p)))[:3]
    known["range: RGB squeezed to 16..235"] = _linear(np.eye(3) * 219 / 255, 16 / 255)
    known["range: RGB stretched from 16..235"] = _linear(np.eye(3) * 255 / 219, -16 / 219)
    for order in permutations(range(3)):
        if order != (0, 1, 2):
            known[f"channels: {''.join('RGB'[i] for i in order)} in the place of RGB"] = _linear(np.eye(3)[list(order)])
    for matrix in _MATRICES:
        known[f"colour lost: LR is the {matrix} luma"] = _linear(np.tile(ycbcr_matrix(f"bt{matrix}")[0], (3, 1)))
    return known


KNOWN_ERRORS = _known_errors()  # transform of every known error by its name


@dataclass(frozen=True)
class ColorTransform:
    """Transform from the colours of HR to those of LR, such as another YUV matrix, range or gamma.

    Attributes:
        name: kind and details of the transform, such as "matrix: 601 taken for 709" (LR was encoded with the BT.601
            matrix and decoded with BT.709); None if the colours are equal.
        shift: root mean square difference between HR and HR transformed by the fitted 3 x 4 matrix, in 8-bit levels
            (0..255).
        residual: root mean square difference between LR and HR transformed by `apply`, in 8-bit levels.
        saturation: how colourful HR is: the mean of R, G and B is subtracted from every pixel, and the standard
            deviation of the differences is computed, in 8-bit levels. 0 for a gray clip.
        parameters: name -> value: "moved_levels" is `shift`, rounded; "gamma" is the exponent, or "map" the 3 x 4
            matrix as a list of rows. Empty if the colours are equal.
        apply: function from colours of HR to those of LR, (..., 3) in [0, 1].
    """

    name: str | None
    shift: float
    residual: float
    saturation: float
    parameters: dict[str, object] = field(default_factory=dict)
    apply: Curve = lambda colors: colors


def apply_affine(affine: Affine, colors: Colors) -> Colors:
    """Apply a 3 x 4 matrix to colours (..., 3) and clip the result to [0, 1]."""
    return np.clip(colors @ affine[:, :3].T + affine[:, 3], 0, 1)


def fit_colors(high: Colors, low: Colors, tolerance: float = TOLERANCE) -> ColorTransform:
    """Estimate the transform from the colours of HR to those of LR, from pixels at the same positions.

    In the fit, all saturated colours together have about the same weight as all other colours together.

    Args:
        high, low: colours of HR and LR, (N, 3) in [0, 1].
        tolerance: root mean square difference in 8-bit levels below which colours count as equal.
    """
    high, low = _balanced(high, low)
    inside = ((low > 0.012) & (low < 0.988)).all(1)
    inside = inside if inside.sum() > 64 else np.ones(len(low), bool)
    affine = _fit_affine(high[inside], low[inside])
    saturation = 255 * float(np.sqrt((high - high.mean(1, keepdims=True)).var()))
    shift = _rms(apply_affine(affine, high[inside]) - high[inside])
    gamma = _fit_power(high, low)
    same = _rms(high - low)
    curved = _rms(_power(gamma)(high) - low)
    unchanged = ColorTransform(None, shift, same, saturation)
    if shift < tolerance and same - curved < 0.5 * tolerance:
        return unchanged
    free = _described(affine)
    curves = {name: _bound(known) for name, known in KNOWN_ERRORS.items()}
    power = f"gamma: LR is HR to the power {gamma:.3f}"
    curves |= {power: _power(gamma), free: _bound(affine)}
    residuals = {name: _rms(curve(high) - low) for name, curve in curves.items()}
    name = _simplest(residuals, free)
    residual = residuals[name]
    known = name in KNOWN_ERRORS and residual < 0.8 * same and same**2 - residual**2 > tolerance**2
    if residual > _EXPLAINED * same and not known:  # another difference dominates, such as blur at strong edges
        return unchanged
    matrix = KNOWN_ERRORS.get(name, affine).round(4).tolist()
    value = {"gamma": round(gamma, 4)} if name == power else {"map": matrix}
    return ColorTransform(name, shift, residual, saturation, {"moved_levels": round(shift, 2), **value}, curves[name])


def fit_frame_colors(frames: Sequence[FramePair], grid: Grid, power: float = 1.0) -> ColorTransform:
    """Estimate the transform from the colours of HR frames to those of LR frames.

    Frames are blurred first, so that a difference in sharpness has no effect.

    Args:
        frames: matching frames.
        grid: positions of LR pixels on HR.
        power: exponent that is applied to frames before the blur and undone after it; 2.2 for a blur in linear light.
    """
    highs, lows = [], []
    for frame in frames:
        size = frame.low.shape[:2]
        inside = [(c > 0) & (c < n - 1) for c, n in ((grid.centres(i, size[i]), frame.high.shape[i]) for i in (0, 1))]
        places = np.ix_(np.flatnonzero(inside[0])[4:-4:3], np.flatnonzero(inside[1])[4:-4:3])
        views = (frame.high, grid, float(np.hypot(_SMOOTH, 0.35))), (frame.low, Grid((1.0, 1.0)), _SMOOTH)
        for colors, (picture, on, sigma) in zip((highs, lows), views, strict=True):
            smooth = _smoothed(picture, size, on, sigma, power)[places].reshape(-1, 3) / 255
            colors.append(np.clip(smooth, 0, 1).astype(np.float64) ** (1 / power))
    return fit_colors(np.concatenate(highs), np.concatenate(lows))


def _smoothed(frame: AnyFrames, size: tuple[int, ...], grid: Grid, sigma: float, power: float) -> Picture:
    """Raise a frame to a power, blur it by sigma LR pixels and sample it on the grid: (h, w, 3) in [0, 255]."""
    fine = max(1, int(min(grid.scale) * sigma))
    light = (frame / np.iinfo(frame.dtype).max).astype(np.float32)
    light = light if power == 1 else light**power
    channels = (block_mean(np.ascontiguousarray(light[..., c]), fine) for c in range(3))
    return 255 * np.stack([resample(channel, grid.rescaled(1, fine), size, sigma) for channel in channels], -1)


def _balanced(high: Colors, low: Colors) -> tuple[Colors, Colors]:
    """Select the up to 2000 most saturated pixels, and as many (at least 500) that are drawn from all pixels."""
    saturation = high.max(1) - high.min(1)
    order = np.argsort(-saturation)
    saturated = order[: min(2000, int((saturation > 0.06).sum()))]
    every = np.random.default_rng(0).permutation(len(high))[: max(500, len(saturated))]
    chosen = np.concatenate([saturated, every])
    return high[chosen], low[chosen]


def _simplest(residuals: Mapping[str, float], free: str) -> str:
    """Name of the known transform with the smallest residual; `free` (the fitted matrix) if that is much better."""
    known = min((name for name in residuals if name != free), key=lambda name: residuals[name])
    return known if residuals[known] ** 2 - residuals[free] ** 2 < _BETTER**2 else free


def _bound(affine: Affine) -> Curve:
    return lambda colors: apply_affine(affine, colors)


def _power(gamma: float) -> Curve:
    return lambda colors: np.clip(colors, 0, 1) ** gamma


def _rms(error: Colors) -> float:
    return 255 * float(np.sqrt((error**2).mean()))


def _fit_affine(high: Colors, low: Colors) -> Affine:
    """Fit a 3 x 4 matrix by ridge regression towards the identity, which is the result for a gray picture."""
    basis = np.concatenate([high, np.ones((len(high), 1))], 1)
    ridge = 1e-5 * len(high) * np.diag([1.0, 1.0, 1.0, 0.1])
    return np.linalg.solve(basis.T @ basis + ridge, basis.T @ low + ridge @ _linear(np.eye(3)).T).T


def _fit_power(high: Colors, low: Colors) -> float:
    """The exponent g of low = high ** g, by Gauss-Newton."""
    base, gamma = np.clip(high, 1e-4, 1), 1.0
    for _ in range(12):
        raised = base**gamma
        slope = raised * np.log(base)
        gamma += float((slope * (low - raised)).sum() / ((slope**2).sum() + 1e-9))
        gamma = float(np.clip(gamma, 0.1, 8))
    return gamma


def _described(affine: Affine) -> str:
    """Describe a matrix by brightness, contrast and saturation, from its effect on gray and on colour differences."""
    luma = ycbcr_matrix("bt709")[0]
    contrast = float(luma @ affine[:, :3] @ np.ones(3))
    brightness = 255 * float(luma @ affine[:, 3])
    differences = np.eye(3) - np.ones((3, 3)) / 3
    rest = differences @ affine[:, :3] @ differences
    saturation = float(np.trace(rest)) / 2 / (contrast if abs(contrast) > 0.05 else 1.0)
    return f"levels: contrast x{contrast:.3f}, brightness {brightness:+.1f}, saturation x{saturation:.3f}"
