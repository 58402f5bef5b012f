"""Naming what made LR: the family, the shift it does not explain, the kernel, noise and coding."""

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.alignment.grids import Grid, Pair, Picture
from vsr_lab.alignment.registration import find_bars
from vsr_lab.alignment.signatures import gray
from vsr_lab.core.clip import to_tensor
from vsr_lab.pair_check.families import EXACT, Families, Fit, Window, fit_family, leaning, luma, phase
from vsr_lab.pair_check.findings import Fault, Findings
from vsr_lab.pair_check.geometry import Alignment
from vsr_lab.pair_check.kernel import Kernel, blockiness, estimate_kernel, noise
from vsr_lab.pair_check.pairing import Matched

TOLERANCE = 0.05  # LR pixels
PROVEN = 57.0  # dB: 0.36 levels, hardly more than rounding twice
_LOSSY_TOLERANCE = 0.08
_TRIED = 0.03  # from here on both are tried: the family as it stands, and moved
LIGHT = 2.2  # the power that stands for a display's transfer
_CODED_BELOW = 45.0  # dB
_ALIKE = 0.6  # dB
_AS_GOOD = 4.0  # dB that a family may explain less for lying nearer: kernels that differ by their place alone
_CODED = 1.5  # dB by which a codec's own blur can favour a softer family that lies elsewhere
_WINDOW = 80  # LR pixels on a side

Recolour = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Declared:
    """What the user says of the pairs: scale, and the name of one of `families` (a function of the scale)."""

    scale: int | None
    name: str | None
    families: Callable[[int], Families]


@dataclass(frozen=True)
class _Site:
    """Where the windows lie: LR rows and columns from `y` and `x`, `size` of them, in a frame."""

    frame: Matched
    y: int
    x: int
    size: tuple[int, int]

    def cut(self, scale: int, origin: tuple[int, int]) -> Window:
        """The window, LR pixel (0, 0) standing for the block of HR pixels whose corner is `origin`."""
        (h, w), top, left = self.size, scale * self.y + origin[0], scale * self.x + origin[1]
        low = to_tensor(self.frame.low[self.y : self.y + h, self.x : self.x + w])
        high = self.frame.high
        rows = np.clip(np.arange(top, top + scale * h), 0, high.shape[0] - 1)
        columns = np.clip(np.arange(left, left + scale * w), 0, high.shape[1] - 1)
        return Window(low, to_tensor(np.ascontiguousarray(high[np.ix_(rows, columns)])), origin)


@dataclass(frozen=True)
class Named:
    """The best explanation of LR. shift: LR pixels that the family does not explain; origin: the HR corner of LR's
    first pixel; fits: every family as it stands; kernel: by least squares; explained: a known family fits."""

    scale: int
    best: Fit
    shift: Pair
    origin: tuple[int, int]
    fits: dict[str, Fit]
    kernel: Kernel
    explained: bool
    windows: list[Window] = field(repr=False)


def prove(frames: list[Matched], families: Families, scale: int) -> Fit | None:
    """The family that makes LR from HR to within rounding, as both lie: then place and colours are right, whatever an
    estimate says. None where there is none."""
    sites = [_site(frame, Grid((float(scale), float(scale))), scale) for frame in frames]
    windows = [site.cut(scale, (0, 0)) for site in sites]
    fits = (fit_family(name, family, windows, (0.0, 0.0), lambda lr: lr, False) for name, family in families.items())
    return next((fit for fit in fits if fit.rgb >= PROVEN), None)


def name_degradation(
    frames: list[Matched], lying: Alignment, scale: int, declared: Declared, recolour: Recolour, linear: bool
) -> Named:
    """Hold every family against LR, as it stands and moved by what it leaves of the measured shift."""
    families = declared.families(scale)
    sites = [_site(frame, lying.grid, scale) for frame in frames]
    fitting = all(n == m * scale for n, m in zip(lying.whole, lying.size, strict=True))
    corner = lying.displaced((float(scale), float(scale)))
    as_is: dict[str, Fit] = {}
    near: dict[str, Fit] = {}
    far: dict[str, tuple[Fit, Pair]] = {}
    cuts: dict[str, list[Window]] = {}
    origins: dict[str, tuple[int, int]] = {}
    tolerance = max(_LOSSY_TOLERANCE, 3 * lying.spread)
    for name, family in families.items():
        own = phase(family)
        left = [corner[i] * scale - own[i] for i in (0, 1)]
        origin = (0, 0) if fitting else (round(left[0]), round(left[1]))
        rest = ((left[0] - origin[0]) / scale, (left[1] - origin[1]) / scale)
        windows = [site.cut(scale, origin) for site in sites]
        as_is[name] = fit_family(name, family, windows, (0.0, 0.0), recolour, linear)
        cuts[name], origins[name] = windows, origin
        if max(map(abs, rest)) <= tolerance or as_is[name].psnr >= PROVEN:
            near[name] = as_is[name]
        if max(map(abs, rest)) > _TRIED and as_is[name].psnr < PROVEN:
            whole = (round(rest[0] * scale), round(rest[1] * scale))
            there = (origin[0] + whole[0], origin[1] + whole[1])
            fraction = (rest[0] - whole[0] / scale, rest[1] - whole[1] / scale)
            moved = fit_family(name, family, [s.cut(scale, there) for s in sites], fraction, recolour, linear)
            far[name] = (moved, rest)
    best, shift = _choose(cuts, near, far)
    cut = _cut_at(frames, lying, scale)
    lows, highs = _lumas([w.lr for w in cut]), _lumas([w.hr for w in cut])
    kernel = estimate_kernel(lows, highs, scale, LIGHT if linear else 1.0)
    explained = best.psnr >= EXACT or kernel.left > 0.7 * 255 * 10 ** (-best.psnr / 20)
    if not explained and fitting:  # no family says where LR should lie: the declared one, or the middle
        expected = phase(families[name]) if (name := declared.name or "") in families else (0.0, 0.0)
        shift = (corner[0] - expected[0] / scale, corner[1] - expected[1] / scale)
    return Named(scale, best, shift, origins[best.family], as_is, kernel, explained, cuts[best.family])


def _far(shift: Pair) -> float:
    return max(map(abs, shift))


def _rank(fit: Fit) -> float:
    """What families are ordered by: a codec's own blur must not make a softer family look better."""
    return fit.psnr if fit.psnr >= _CODED_BELOW else (fit.psnr + fit.soft) / 2


def _choose(cuts: dict[str, list[Window]], near: dict[str, Fit], far: dict[str, tuple[Fit, Pair]]) -> tuple[Fit, Pair]:
    """A family as it stands, unless one that has to be moved explains LR clearly better."""
    standing = max(near.values(), key=_rank) if near else None
    if standing and (standing.psnr >= PROVEN or not far):
        return standing, (0.0, 0.0)
    top = max(_rank(fit) for fit, _ in far.values())
    good = [pair for pair in far.values() if _rank(pair[0]) > top - _AS_GOOD]
    least = min(_far(rest) for _, rest in good)
    moved, rest = max((pair for pair in good if _far(pair[1]) < least + 0.1), key=lambda pair: _rank(pair[0]))
    if standing is None:
        return moved, rest
    margin = 0.1 if moved.psnr > _CODED_BELOW else _CODED
    clearly = moved.psnr > standing.psnr + margin and leaning(cuts[standing.family], standing, moved) > 0.7
    return (moved, rest) if clearly else (standing, (0.0, 0.0))


def _site(frame: Matched, grid: Grid, scale: int) -> _Site:
    """The most detailed window of the frame between its bars whose HR is all there."""
    low = gray(frame.low)
    busy = np.abs(np.diff(low, axis=0))[:, :-1] + np.abs(np.diff(low, axis=1))[:-1]
    bars = find_bars([low])
    spans: list[tuple[int, int]] = []
    for axis, (n, high) in enumerate(zip(low.shape, frame.high.shape, strict=False)):
        corner = grid.shift[axis] / scale
        first = max(bars[2 * axis], int(np.ceil(-corner - 1)))
        last = min(n - bars[2 * axis + 1], int(high / scale - corner + 1))
        spans.append((first, last) if last - first > 2 * scale + 10 else (0, n))
    size = (min(_WINDOW, spans[0][1] - spans[0][0]), min(_WINDOW, spans[1][1] - spans[1][0]))
    summed = cv2.boxFilter(np.minimum(busy, 60), -1, size[::-1], anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    (top, bottom), (left, right) = spans
    allowed = summed[top : bottom - size[0] + 1, left : right - size[1] + 1]
    y, x = np.unravel_index(int(allowed.argmax()), allowed.shape)
    return _Site(frame, top + int(y), left + int(x), size)


def _lumas(pictures: list[Tensor]) -> Picture:
    return 255 * torch.stack([luma(picture) for picture in pictures]).numpy()


def _cut_at(frames: list[Matched], lying: Alignment, scale: int) -> list[Window]:
    """Windows at the measured place, to whole HR pixels where LR lies more than one LR pixel off."""
    corner = lying.displaced((float(scale), float(scale)))
    y, x = (round(c * scale) if max(map(abs, corner)) > 1 else 0 for c in corner)
    return [_site(frame, lying.grid, scale).cut(scale, (y, x)) for frame in frames]


def in_linear_light(frames: list[Matched], lying: Alignment, scale: int) -> bool:
    """True where a kernel explains LR far better in linear light than in coded values."""
    windows = _cut_at(frames, lying, scale)
    lows, highs = _lumas([w.lr for w in windows]), _lumas([w.hr for w in windows])
    coded, light = (estimate_kernel(lows, highs, scale, power).left for power in (1.0, LIGHT))
    return light < 0.6 * coded and coded > 0.5


def likeness(named: Named) -> float:
    """How much of LR the best family makes, without the finest grain: 1 - (variance left) / (variance), the median."""
    shares = []
    for window, made in zip(named.windows, named.best.made, strict=True):
        low, other = (F.avg_pool2d(luma(x)[None, None], 3, 1)[0, 0] for x in (window.lr, made))
        shares.append(1 - float((low - other).var() / (low.var() + 1e-6)))
    return float(np.median(shares))


def judge_degradation(found: Findings, named: Named, lying: Alignment, declared: Declared, linear: bool) -> None:
    """Add faults of shift and of degradation to found, and say what LR is made by."""
    best, kernel = named.best, named.kernel
    _measure(found, named)
    lossy = best.psnr < EXACT
    residual = _lumas([w.lr for w in named.windows]) - _lumas(best.made)
    blocks, grain = blockiness(residual), noise(residual)
    found.measured["residual"] = {
        "psnr": round(best.psnr, 2),
        "blockiness": round(blocks, 3),
        "noise_levels": round(grain, 3),
    }
    _judge_shift(found, named, lying)
    _judge_family(found, named, declared)
    others = sorted((f for f in named.fits.values() if f.family != best.family), key=lambda f: -_rank(f))
    alike = [f for f in others if _rank(f) > _rank(best) - _ALIKE and best.psnr < EXACT]
    found.measured["degradation"]["alike"] = [f.family for f in alike]
    beside = "".join(f" or {f.family} ({f.psnr:.1f})" for f in alike[:2])
    beside += f", next {others[0].family} {others[0].psnr:.1f}" if others and not alike else ""
    light = " in linear light" if linear else ""
    if named.explained:
        found.notes.append(f"degradation: {best.family}{light}, {best.psnr:.1f} dB{beside}")
    else:
        found.notes.append(
            f"degradation: none that is known (nearest {best.family}, {best.psnr:.1f} dB); its blur is a Gaussian "
            f"of about sigma {kernel.sigma[0]:.2f} x {kernel.sigma[1]:.2f} HR pixels"
        )
    if lossy and named.explained:
        what = "compressed" if blocks > 1.12 else "noisy or compressed"
        found.notes.append(f"{what}: residual {best.psnr:.1f} dB, grain {grain:.2f} levels, blockiness {blocks:.2f}")


def _measure(found: Findings, named: Named) -> None:
    kernel = named.kernel
    found.measured["degradation"] = {
        "scale": named.scale,
        "family": named.best.family if named.explained else None,
        "nearest": named.best.family,
        "psnr": {name: round(fit.psnr, 2) for name, fit in named.fits.items()},
        "shift_lr_pixels": [round(s, 4) for s in named.shift],
        "kernel_centre_hr_pixels": [round(c, 3) for c in kernel.centre],
        "kernel_sigma_hr_pixels": [round(s, 3) for s in kernel.sigma],
        "kernel_residual_levels": round(kernel.left, 3),
    }


def _judge_shift(found: Findings, named: Named, lying: Alignment) -> None:
    (y, x), scale = named.shift, named.scale
    psnr = named.best.psnr
    tolerance = TOLERANCE if psnr >= 40 else _LOSSY_TOLERANCE if psnr >= 33 else 2 * _LOSSY_TOLERANCE
    tolerance = max(tolerance, 3 * lying.spread)
    if max(abs(y), abs(x)) <= tolerance:
        return
    first = (1 - scale) / (2 * scale)
    hint = ""
    for name, place in (("pixel 0 of every", first), ("the last pixel of every", -first)):
        if max(abs(y - place), abs(x - place)) < TOLERANCE:
            hint = f": the phase of keeping {name} {scale}, not of the centred convention"
    found.faults.append(
        Fault(
            "spatial shift",
            f"LR shows HR {y:+.3f} rows and {x:+.3f} columns of LR pixels off "
            f"({y * scale:+.2f}, {x * scale:+.2f} HR pixels){hint}",
            "make LR anew, or sample HR there",
            {"lr_pixels": [round(y, 4), round(x, 4)], "hr_pixels": [round(y * scale, 3), round(x * scale, 3)]},
        )
    )


def _judge_family(found: Findings, named: Named, declared: Declared) -> None:
    best = named.best
    if declared.name is None or (declared.name == best.family and named.explained):
        return
    said = named.fits.get(declared.name)
    if said is None:
        found.unjudged.append(f"degradation: {declared.name} draws at random, so LR cannot be compared with it")
        return
    if said.psnr >= PROVEN:
        return
    remedy = "make LR anew"
    if named.explained:
        remedy = f"say degradation={best.family}, or make LR anew"
        if best.psnr < said.psnr + 0.2 or (not any(named.shift) and leaning(named.windows, said, best) < 0.6):
            return
        what = f"{best.family}, not {declared.name} as declared ({best.psnr:.1f} dB against {said.psnr:.1f})"
    else:
        sigma = named.kernel.sigma
        blur = f"sigma {sigma[0]:.2f} x {sigma[1]:.2f} HR pixels"
        what = f"not {declared.name} as declared ({said.psnr:.1f} dB); a blur like a Gaussian of {blur}"
    values = {
        "declared": declared.name,
        "found": best.family,
        "psnr": {f.family: round(f.psnr, 2) for f in named.fits.values()},
    }
    found.faults.append(Fault("degradation", what, remedy, values))
