"""What was done to the colours: a 3 x 4 map fitted between smoothed LR and HR, held against the known confusions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.floating[Any]]  # N 3, RGB in [0, 1]
Affine = npt.NDArray[np.floating[Any]]  # 3 4: RGB and 1 to RGB

# Kr and Kb of the matrices (ITU-R BT.601, BT.709, BT.2020).
_LUMA = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}
_RANGES = {"limited": (16 / 255, 219 / 255, 224 / 255), "full": (0.0, 1.0, 1.0)}  # black, luma and chroma swing
EXACT_TOLERANCE = 0.3  # levels, where LR's own degradation made what it is compared with
TOLERANCE = 0.8  # levels, rms over the picture: rounding, a codec and chroma subsampling stay below

_SLIGHT = 0.4  # levels by which a known map may explain less than the free one
_EXPLAINED = 0.5  # a map of colours has to take away this share of the difference at least


def encoding(matrix: str, swing: str) -> Affine:
    """RGB in [0, 1] to Y'CbCr as a decoder meets it, chroma around 0."""
    red, blue = _LUMA[matrix]
    black, luma, chroma = _RANGES[swing]
    y = np.array([red, 1 - red - blue, blue])
    b = (np.array([0, 0, 1]) - y) / (2 * (1 - blue))
    r = (np.array([1, 0, 0]) - y) / (2 * (1 - red))
    return np.concatenate([np.stack([y * luma, b * chroma, r * chroma]), np.array([[black], [0], [0]])], 1)


def _square(affine: Affine) -> Affine:
    return np.concatenate([affine, np.array([[0, 0, 0, 1.0]])])


def confusions() -> dict[str, tuple[str, Affine]]:
    """Map of every known confusion by its name, with the remedy."""
    known: dict[str, tuple[str, Affine]] = {}
    streams = list(product(_LUMA, _RANGES))
    for (a, p), (b, q) in product(streams, streams):
        name = " and ".join([f"matrix: {a} taken for {b}"] * (a != b) + [f"range: {p} taken for {q}"] * (p != q))
        if name:
            affine = (np.linalg.inv(_square(encoding(b, q))) @ _square(encoding(a, p)))[:3]
            as_is = [f"BT.{a}"] * (a != b) + [f"{p} range"] * (p != q)
            known[name] = (f"read LR as {', '.join(as_is)}", affine)
    squeeze = np.concatenate([np.eye(3) * 219 / 255, np.full((3, 1), 16 / 255)], 1)
    known["range: RGB squeezed to 16..235"] = ("stretch LR to 0..255", squeeze)
    known["range: RGB stretched from 16..235"] = (
        "squeeze LR to 16..235",
        np.concatenate([np.eye(3) * 255 / 219, np.full((3, 1), -16 / 219)], 1),
    )
    for order in permutations(range(3)):
        if order != (0, 1, 2):
            affine = np.concatenate([np.eye(3)[list(order)], np.zeros((3, 1))], 1)
            letters = "".join("RGB"[i] for i in order)
            known[f"channels: {letters} in the place of RGB"] = ("swap LR's channels back", affine)
    for matrix, (red, blue) in _LUMA.items():
        gray = np.concatenate([np.tile([red, 1 - red - blue, blue], (3, 1)), np.zeros((3, 1))], 1)
        known[f"colour lost: LR is the {matrix} luma"] = ("make LR anew, in colour", gray)
    return known


CONFUSIONS = confusions()


@dataclass(frozen=True)
class ColourFit:
    """name: of the map, None where LR's colours are HR's. moved: how far the fitted map takes HR's colours, and left:
    what the named map does not explain (levels, rms); saturation: of HR (levels, rms), what a matrix is judged by."""

    name: str | None
    remedy: str
    moved: float
    left: float
    saturation: float
    value: dict[str, object]
    apply: Callable[[Colours], Colours]


def apply_affine(affine: Affine, colours: Colours) -> Colours:
    """colours (..., 3) through a 3 x 4 map, clipped to [0, 1]."""
    return np.clip(colours @ affine[:, :3].T + affine[:, 3], 0, 1)


def fit_colours(high: Colours, low: Colours, tolerance: float = TOLERANCE) -> ColourFit:
    """high, low: N 3 in [0, 1], the same smoothed places of HR and LR. The coloured places count as much as the others,
    however few they are. tolerance: how far colours may be off, levels, rms."""
    high, low = _balanced(high, low)
    inside = ((low > 0.012) & (low < 0.988)).all(1)
    inside = inside if inside.sum() > 64 else np.ones(len(low), bool)
    affine = _affine(high[inside], low[inside])
    saturation = 255 * float(np.sqrt((high - high.mean(1, keepdims=True)).var()))
    moved = _rms(apply_affine(affine, high[inside]) - high[inside])
    power = _power(high, low)
    same = _rms(high - low)
    curved = _rms(power[1](high) - low)
    if moved < tolerance and same - curved < 0.5 * tolerance:
        return ColourFit(None, "", moved, same, saturation, {}, lambda x: x)
    candidates: dict[str, tuple[str, Callable[[Colours], Colours], dict[str, object]]] = {
        name: (remedy, _bound(a), {"map": a.round(4).tolist()}) for name, (remedy, a) in CONFUSIONS.items()
    }
    gamma, curve = power
    candidates[f"gamma: LR is HR to the power {gamma:.3f}"] = (
        f"raise LR to the power {1 / gamma:.3f}",
        curve,
        {"gamma": round(gamma, 4)},
    )
    candidates[_in_words(affine)] = ("undo it, or make LR anew", _bound(affine), {"map": affine.round(4).tolist()})
    left = {name: _rms(curve(high) - low) for name, (_, curve, _) in candidates.items()}
    name = _simplest(left, _in_words(affine))
    confused = name in CONFUSIONS and left[name] < 0.8 * same and same**2 - left[name] ** 2 > tolerance**2
    if left[name] > _EXPLAINED * same and not confused:  # something else differs, such as the blur at strong edges
        return ColourFit(None, "", moved, same, saturation, {}, lambda x: x)
    remedy, apply, value = candidates[name]
    return ColourFit(name, remedy, moved, left[name], saturation, {"moved_levels": round(moved, 2), **value}, apply)


def _balanced(high: Colours, low: Colours) -> tuple[Colours, Colours]:
    """As many of the most saturated places as of places in all."""
    saturation = high.max(1) - high.min(1)
    order = np.argsort(-saturation)
    coloured = order[: min(2000, int((saturation > 0.06).sum()))]
    every = np.random.default_rng(0).permutation(len(high))[: max(500, len(coloured))]
    chosen = np.concatenate([coloured, every])
    return high[chosen], low[chosen]


def _simplest(left: Mapping[str, float], own: str) -> str:
    """The known map that explains most, unless the free map explains much more."""
    known = min((name for name in left if name != own), key=lambda name: left[name])
    return known if left[known] ** 2 - left[own] ** 2 < _SLIGHT**2 else own


def _bound(affine: Affine) -> Callable[[Colours], Colours]:
    return lambda colours: apply_affine(affine, colours)


def _rms(error: Colours) -> float:
    return 255 * float(np.sqrt((error**2).mean()))


def _affine(high: Colours, low: Colours) -> Affine:
    """Least squares with a pull towards "unchanged", which decides where the colours say nothing (a gray picture)."""
    basis = np.concatenate([high, np.ones((len(high), 1))], 1)
    pull = 1e-5 * len(high) * np.diag([1.0, 1.0, 1.0, 0.1])
    unchanged = np.concatenate([np.eye(3), np.zeros((3, 1))], 1)
    return np.linalg.solve(basis.T @ basis + pull, basis.T @ low + pull @ unchanged.T).T


def _power(high: Colours, low: Colours) -> tuple[float, Callable[[Colours], Colours]]:
    """The exponent g of low = high ** g, by Gauss-Newton."""
    base, gamma = np.clip(high, 1e-4, 1), 1.0
    for _ in range(12):
        raised = base**gamma
        slope = raised * np.log(base)
        gamma += float((slope * (low - raised)).sum() / ((slope**2).sum() + 1e-9))
        gamma = float(np.clip(gamma, 0.1, 8))
    return gamma, lambda colours: np.clip(colours, 0, 1) ** gamma


def _in_words(affine: Affine) -> str:
    """A free map as brightness, contrast and saturation, by its effect on gray and on colour differences."""
    luma = np.array([0.2126, 0.7152, 0.0722])
    contrast = float(luma @ affine[:, :3] @ np.ones(3))
    brightness = 255 * float(luma @ affine[:, 3])
    differences = np.eye(3) - np.ones((3, 3)) / 3
    turned = differences @ affine[:, :3] @ differences
    saturation = float(np.trace(turned)) / 2 / (contrast if abs(contrast) > 0.05 else 1.0)
    return f"levels: contrast x{contrast:.3f}, brightness {brightness:+.1f}, saturation x{saturation:.3f}"
