"""Identification of the degradation that made LR, and measurement of a remaining shift and of the blur kernel."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.alignment import FramePair, Grid, SpatialAlignment
from vsr_lab.alignment.grids import YX, Picture, find_bars
from vsr_lab.alignment.signatures import gray
from vsr_lab.core.clip import to_tensor
from vsr_lab.degradations import Degradation
from vsr_lab.pair_check.families import (
    DISPLAY_GAMMA,
    EXACT,
    Families,
    Fit,
    Recolor,
    Window,
    fit_family,
    leaning,
    luma,
    phase,
)
from vsr_lab.pair_check.kernel import Kernel, estimate_kernel

LOSSY_TOLERANCE = 0.08  # LR pixels
PROVEN = 57.0  # dB: 0.36 levels, little more than rounding twice
_TRIED = 0.03  # LR pixels: above, a family is tried at its own position and at the measured one
_CODED_BELOW = 45.0  # dB
_AS_GOOD = 4.0  # dB that a family at a nearer position may be worse: kernels that differ by their position alone
_CODED = 1.5  # dB by which a codec's blur can favour a softer family at another position
_WINDOW = 80  # LR pixels on a side


class Declared(NamedTuple):
    """Scale and degradation of LR according to the user.

    Attributes:
        scale: ratio of HR size to LR size; None if not declared.
        name: name of the degradation; None if not declared.
        families: function that returns the known degradations for a scale: name -> degradation.
    """

    scale: int | None
    name: str | None
    families: Callable[[int], Families]


@dataclass(frozen=True)
class _Site:
    """A window of a frame pair: in LR it begins at row `y` and column `x`; `size` is its (height, width)."""

    frame: FramePair
    y: int
    x: int
    size: tuple[int, int]

    def cut(self, scale: int, origin: tuple[int, int]) -> Window:
        """Crop the window; LR pixel (0, 0) matches the HR block whose top left corner is `origin`."""
        (h, w), top, left = self.size, scale * self.y + origin[0], scale * self.x + origin[1]
        low = to_tensor(self.frame.low[self.y : self.y + h, self.x : self.x + w])
        high = self.frame.high
        rows = np.clip(np.arange(top, top + scale * h), 0, high.shape[0] - 1)
        columns = np.clip(np.arange(left, left + scale * w), 0, high.shape[1] - 1)
        return Window(low, to_tensor(np.ascontiguousarray(high[np.ix_(rows, columns)])), origin)


@dataclass(frozen=True)
class Identification:
    """Result of a comparison of LR with known degradations of HR, such as bicubic.

    Each degradation defines where its LR pixels lie on HR: the nominal position. Where LR really lies was measured
    before, by matching it with HR: the measured position.

    Attributes:
        scale: ratio of HR size to LR size.
        best: the best fit; it may be at the nominal or at the measured position.
        shift: measured shift (rows, columns) of LR from the nominal position of `best`, in LR pixels.
        origin: measured position of LR on HR: the HR pixel (row, column) at which LR begins.
        fits: fit of every known degradation at its nominal position, by name.
        kernel: downscaling kernel that was estimated by least squares.
        explained: whether `best` explains LR; if not, LR was made by none of the known degradations.
        windows: parts of frames that were compared.
    """

    scale: int
    best: Fit
    shift: YX
    origin: tuple[int, int]
    fits: dict[str, Fit]
    kernel: Kernel
    explained: bool
    windows: list[Window] = field(repr=False)


class _Trial(NamedTuple):
    """One degradation, compared at its nominal position and possibly at the measured position.

    Attributes:
        fit: fit at the nominal position.
        windows: parts of frames that were compared for `fit`.
        origin: HR pixel (row, column) at which LR begins in these windows.
        rest: shift (rows, columns) from the nominal to the measured position, in LR pixels.
        near: whether `rest` is within tolerance.
        moved: fit at the measured position; None if it was not tried.
    """

    fit: Fit
    windows: list[Window]
    origin: tuple[int, int]
    rest: YX
    near: bool
    moved: Fit | None


def exact_family(frames: list[FramePair], families: Families, scale: int) -> str | None:
    """Name of the known degradation whose output for HR equals LR except for rounding; None if there is none.

    LR must not be cropped, and its colours must not be changed.

    Args:
        frames: matching LR and HR frames.
        families: known degradations by name.
        scale: ratio of HR size to LR size.
    """
    sites = [_site(frame, Grid((float(scale), float(scale))), scale) for frame in frames]
    windows = [site.cut(scale, (0, 0)) for site in sites]
    fits = (
        fit_family(name, family, windows, shift=(0.0, 0.0), recolor=lambda lr: lr, linear=False)
        for name, family in families.items()
    )
    return next((fit.family for fit in fits if fit.rgb >= PROVEN), None)


def identify_degradation(
    frames: list[FramePair],
    spatial: SpatialAlignment,
    scale: int,
    *,
    declared: Declared,
    recolor: Recolor,
    linear: bool,
) -> Identification:
    """Compare LR with the output of every known degradation, at the nominal and at the measured position of LR on HR.

    Args:
        frames: matching LR and HR frames.
        spatial: positions of LR pixels on HR.
        scale: ratio of HR size to LR size.
        declared: scale and degradation according to the user.
        recolor: function that transforms the colours of degraded HR to those of LR.
        linear: whether LR was downscaled in linear light.
    """
    families = declared.families(scale)
    sites = [_site(frame, spatial.grid, scale) for frame in frames]
    uncropped = spatial.nominal_scale == scale
    corner = spatial.displacement((float(scale), float(scale)))
    tolerance = max(LOSSY_TOLERANCE, 3 * spatial.spread)

    def attempt(name: str, family: Degradation) -> _Trial:
        own = phase(family)
        left = [corner[i] * scale - own[i] for i in (0, 1)]
        origin = (0, 0) if uncropped else (round(left[0]), round(left[1]))
        rest = ((left[0] - origin[0]) / scale, (left[1] - origin[1]) / scale)
        windows = [site.cut(scale, origin) for site in sites]
        fit, moved = fit_family(name, family, windows, shift=(0.0, 0.0), recolor=recolor, linear=linear), None
        proven = fit.psnr >= PROVEN
        if _length(rest) > _TRIED and not proven:
            whole = (round(rest[0] * scale), round(rest[1] * scale))
            there = [site.cut(scale, (origin[0] + whole[0], origin[1] + whole[1])) for site in sites]
            fraction = (rest[0] - whole[0] / scale, rest[1] - whole[1] / scale)
            moved = fit_family(name, family, there, shift=fraction, recolor=recolor, linear=linear)
        return _Trial(fit, windows, origin, rest, _length(rest) <= tolerance or proven, moved)

    trials = {name: attempt(name, family) for name, family in families.items()}
    best, shift = _choose(list(trials.values()))
    kernel = _estimate_kernel(_windows_at(frames, spatial, scale), scale, DISPLAY_GAMMA if linear else 1.0)
    explained = best.psnr >= EXACT or kernel.residual > 0.7 * 255 * 10 ** (-best.psnr / 20)
    if not explained and uncropped:  # no family says where LR should lie: the declared one does, or the centre
        expected = phase(families[name]) if (name := declared.name or "") in families else (0.0, 0.0)
        shift = (corner[0] - expected[0] / scale, corner[1] - expected[1] / scale)
    trial = trials[best.family]
    fits = {name: trial.fit for name, trial in trials.items()}
    return Identification(scale, best, shift, trial.origin, fits, kernel, explained, trial.windows)


def _length(shift: YX) -> float:
    return max(map(abs, shift))


def rank(fit: Fit) -> float:
    """PSNR in dB by which degradations are ranked.

    Below a limit, the mean of `Fit.psnr` and `Fit.softened` is used: if a codec has blurred LR, `Fit.psnr` alone would
    favour degradations that are too soft.
    """
    return fit.psnr if fit.psnr >= _CODED_BELOW else (fit.psnr + fit.softened) / 2


def _choose(trials: list[_Trial]) -> tuple[Fit, YX]:
    """Choose the best degradation at its nominal position, unless one at the measured position is clearly better."""
    standing = max((trial for trial in trials if trial.near), key=lambda trial: rank(trial.fit), default=None)
    far = [(trial.moved, trial.rest) for trial in trials if trial.moved]
    if standing and (standing.fit.psnr >= PROVEN or not far):
        return standing.fit, (0.0, 0.0)
    top = max(rank(fit) for fit, _ in far)
    good = [(fit, rest) for fit, rest in far if rank(fit) > top - _AS_GOOD]
    least = min(_length(rest) for _, rest in good)
    moved, rest = max((pair for pair in good if _length(pair[1]) < least + 0.1), key=lambda pair: rank(pair[0]))
    if standing is None:
        return moved, rest
    margin = 0.1 if moved.psnr > _CODED_BELOW else _CODED
    clearly = moved.psnr > standing.fit.psnr + margin and leaning(standing.windows, standing.fit, moved) > 0.7
    return (moved, rest) if clearly else (standing.fit, (0.0, 0.0))


def _site(frame: FramePair, grid: Grid, scale: int) -> _Site:
    """The window with most detail that is inside the black bars of a frame and completely covered by HR."""
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


def lumas(pictures: list[Tensor]) -> Picture:
    """Convert N pictures (3, h, w) in [0, 1] to BT.709 luma, (N, h, w) in 8-bit levels (0..255)."""
    return 255 * torch.stack([luma(picture) for picture in pictures]).numpy()


def _windows_at(frames: list[FramePair], spatial: SpatialAlignment, scale: int) -> list[Window]:
    """Windows at the measured position; a shift of more than one LR pixel is rounded to whole HR pixels."""
    corner = spatial.displacement((float(scale), float(scale)))
    y, x = (round(c * scale) if _length(corner) > 1 else 0 for c in corner)
    return [_site(frame, spatial.grid, scale).cut(scale, (y, x)) for frame in frames]


def _estimate_kernel(windows: list[Window], scale: int, power: float) -> Kernel:
    return estimate_kernel(lumas([w.lr for w in windows]), lumas([w.hr for w in windows]), scale, power=power)


def in_linear_light(frames: list[FramePair], spatial: SpatialAlignment, scale: int) -> bool:
    """Whether LR was downscaled in linear light, by comparing the residuals of blur kernels.

    Two kernels are estimated: one in linear light, and one on gamma-encoded values. The result is True if the residual
    of the gamma-encoded kernel is above 0.5 levels, and that of the linear kernel below 0.6 times as large.
    """
    windows = _windows_at(frames, spatial, scale)
    coded, linear = (_estimate_kernel(windows, scale, power).residual for power in (1.0, DISPLAY_GAMMA))
    return linear < 0.6 * coded and coded > 0.5


def explained_variance(found: Identification) -> float:
    """Fraction of the variance of LR that the best degradation explains, at most 1.

    The median over the compared parts of frames is returned. The finest detail (grain) is removed first.
    """
    shares = []
    for window, output in zip(found.windows, found.best.output, strict=True):
        low, other = (F.avg_pool2d(luma(x)[None, None], 3, 1)[0, 0] for x in (window.lr, output))
        shares.append(1 - float((low - other).var() / (low.var() + 1e-6)))
    return float(np.median(shares))
