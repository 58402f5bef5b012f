"""Spatial alignment of two clips, as the median over the registrations of several pairs of frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsr_lab.alignment.frame_pairs import FramePair
from vsr_lab.alignment.grids import YX, Grid, Picture, centred, find_bars
from vsr_lab.alignment.registration import Registration, register, register_at_scale
from vsr_lab.alignment.signatures import gray
from vsr_lab.core.orientation import ORIENTATIONS, UPRIGHT, Orientation, Window

ALIGNED, UNRELATED = 0.8, 0.5  # correlation of an aligned pair, and the one below which two clips differ in content
MAX_DRIFT = 0.15  # LR pixels across the picture: above, two scales are different ones
_CANONICAL = 0.08  # LR pixels


@dataclass(frozen=True)
class SpatialAlignment:
    """Scale and shift of LR on HR, as the median over several frame pairs.

    Attributes:
        grid: positions of LR pixels on HR.
        correlation: correlation of LR and aligned HR without low frequencies, in [-1, 1].
        spread: robust standard deviation of the shift over the frame pairs, in LR pixels.
        size, reference_size: height and width of LR, and of HR in the orientation of LR.
    """

    grid: Grid
    correlation: float
    spread: float
    size: tuple[int, int]
    reference_size: tuple[int, int]

    @property
    def window(self) -> Window:
        """Part of HR that LR shows: (top, bottom, left, right) as fractions of the size of HR.

        Values below 0 or above 1 mean that LR extends beyond HR.
        """
        (a, b), (c, d) = self.grid.scale, self.grid.shift
        (h, w), (height, width) = self.size, self.reference_size
        return c / height, (c + a * h) / height, d / width, (d + b * w) / width

    @property
    def covers_reference(self) -> bool:
        """Whether LR shows all of HR, within about 1.5 LR pixels."""
        top, bottom, left, right = self.window
        near = [1.5 / n for n in self.size]
        return abs(top) < near[0] and abs(bottom - 1) < near[0] and abs(left) < near[1] and abs(right - 1) < near[1]

    @property
    def canonical(self) -> bool:
        """Whether the shift is that of centred sampling, or of keeping the first of every `scale` pixels."""
        shift = self.displacement(self.grid.scale)
        first = [(1 / s - 1) / 2 for s in self.grid.scale]
        return (
            max(map(abs, shift)) < _CANONICAL or max(abs(m - f) for m, f in zip(shift, first, strict=True)) < _CANONICAL
        )

    @property
    def nominal_scale(self) -> int | None:
        """Ratio of HR size to LR size if it is the same integer for both axes, else None."""
        scale = self.reference_size[0] // self.size[0]
        return scale if self.reference_size == (self.size[0] * scale, self.size[1] * scale) else None

    def displacement(self, scale: YX) -> YX:
        """Shift of the centre of LR relative to a grid with scale `scale` and shift 0, in LR pixels (rows, columns)."""
        return tuple(
            (self.grid.shift[i] + (self.grid.scale[i] - scale[i]) * self.size[i] / 2) / scale[i] for i in (0, 1)
        )  # pyright: ignore[reportReturnType]


def align_spatially(frames: Sequence[FramePair], start: Grid | None = None) -> SpatialAlignment:
    """Estimate scale and shift of LR on HR as the median over frame pairs.

    Args:
        frames: matching frames.
        start: initial scale and shift; None: those for which LR covers all of HR.
    """
    lows, highs = [gray(frame.low) for frame in frames], [gray(frame.high) for frame in frames]
    bars = find_bars(lows), find_bars(highs)
    found = [register(low, high, start or centred(low, high), bars) for low, high in zip(lows, highs, strict=True)]
    median = _median(found, lows[0].shape, highs[0].shape)
    scale = median.nominal_scale
    if scale is None or not median.covers_reference:
        return median
    drift = max(abs(a / scale - 1) * n for a, n in zip(median.grid.scale, median.size, strict=True))
    if drift > MAX_DRIFT / 3:
        found = [register_at_scale(*pair, scale=scale, bars=bars) for pair in zip(lows, highs, found, strict=True)]
        median = _median(found, lows[0].shape, highs[0].shape)
    return median


def _median(found: Sequence[Registration], size: tuple[int, ...], reference: tuple[int, ...]) -> SpatialAlignment:
    best = max(r.correlation for r in found)
    good = [r for r in found if r.correlation >= best - 0.1]
    scale = np.median([r.grid.scale for r in good], 0)
    middles = np.array([[r.grid.shift[i] + r.grid.scale[i] * size[i] / 2 for i in (0, 1)] for r in good])
    middle = np.median(middles, 0)
    shift = middle - scale * np.array(size) / 2
    spread = float((1.48 * np.median(np.abs(middles - middle), 0) / scale).max()) if len(good) > 2 else 0.0
    return SpatialAlignment(
        Grid((float(scale[0]), float(scale[1])), (float(shift[0]), float(shift[1]))),
        float(np.median([r.correlation for r in good])),
        spread,
        (size[0], size[1]),
        (reference[0], reference[1]),
    )


def find_orientation(low: Picture, high: Picture, known: Orientation) -> Orientation:
    """Find the orientation (flip and rotation) in which HR correlates best with LR.

    Args:
        low, high: gray frames of LR (h, w) and HR (H, W) in 8-bit levels (0..255), neither of them flipped or rotated.
        known: orientation that is returned if the frames cannot be compared in any orientation.
    """
    best, correlation = known, -1.0
    for orientation in ORIENTATIONS:
        oriented = np.ascontiguousarray(orientation.apply(high))
        found = register(low, oriented, centred(low, oriented)).correlation
        if found > correlation + (0.02 if orientation != UPRIGHT else 0):
            best, correlation = orientation, found
    return best
