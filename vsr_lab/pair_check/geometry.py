"""Where LR lies on HR over several frames, and what is wrong with that: scale, crop, borders, orientation, shift."""

from dataclasses import dataclass

import numpy as np

from vsr_lab.alignment.grids import ORIENTATIONS, UPRIGHT, Grid, Orientation, Pair, Picture
from vsr_lab.alignment.registration import Registration, centred, find_bars, hold_scale, register
from vsr_lab.alignment.signatures import gray
from vsr_lab.pair_check.findings import Fault, Findings
from vsr_lab.pair_check.pairing import Matched

_PLAIN = 0.08  # LR pixels
_DRIFT = 0.15  # LR pixels across the picture: above, the scale is another one
ALIKE, FOREIGN = 0.8, 0.5  # correlation of a pair that lies right, and below which it is not the same footage


@dataclass(frozen=True)
class Alignment:
    """The median over frames. shift: of the picture's middle from where scale and corner put it (LR pixels); spread:
    of that shift among frames; unsure: its standard error."""

    grid: Grid
    alike: float
    spread: float
    unsure: Pair
    size: tuple[int, int]  # LR height, width
    whole: tuple[int, int]  # HR height, width, turned to lie like LR

    @property
    def window(self) -> tuple[float, float, float, float]:
        """Top, bottom, left, right of the HR part that LR shows, as shares of HR."""
        (a, b), (c, d) = self.grid.scale, self.grid.shift
        (h, w), (height, width) = self.size, self.whole
        return c / height, (c + a * h) / height, d / width, (d + b * w) / width

    @property
    def covers(self) -> bool:
        """True where LR shows all of HR, to a pixel and a half of LR or so."""
        top, bottom, left, right = self.window
        near = [1.5 / n for n in self.size]
        return abs(top) < near[0] and abs(bottom - 1) < near[0] and abs(left) < near[1] and abs(right - 1) < near[1]

    @property
    def plain(self) -> bool:
        """True where LR lies as known degradations put it: centred, or on pixel 0 of every `scale`."""
        moved = self.displaced(self.grid.scale)
        first = [(1 / s - 1) / 2 for s in self.grid.scale]
        return max(map(abs, moved)) < _PLAIN or max(abs(m - f) for m, f in zip(moved, first, strict=True)) < _PLAIN

    def displaced(self, scale: Pair) -> Pair:
        """How far LR's middle lies from where this scale, anchored at the corner, has it; in LR pixels."""
        return tuple(
            (self.grid.shift[i] + (self.grid.scale[i] - scale[i]) * self.size[i] / 2) / scale[i] for i in (0, 1)
        )  # pyright: ignore[reportReturnType]


def find_lying(frames: list[Matched], start: Grid | None = None) -> Alignment:
    """Register every frame and take the median."""
    lows, highs = [gray(frame.low) for frame in frames], [gray(frame.high) for frame in frames]
    bars = find_bars(lows), find_bars(highs)
    found = [register(low, high, start or centred(low, high), bars) for low, high in zip(lows, highs, strict=True)]
    lying = _median(found, lows[0].shape, highs[0].shape)
    scale = lying.whole[0] // lying.size[0]
    nominal = lying.whole == (lying.size[0] * scale, lying.size[1] * scale) and lying.covers
    if nominal and max(abs(a / scale - 1) * n for a, n in zip(lying.grid.scale, lying.size, strict=True)) > _DRIFT / 3:
        found = [hold_scale(*pair, scale, bars) for pair in zip(lows, highs, found, strict=True)]
        lying = _median(found, lows[0].shape, highs[0].shape)
    return lying


def _median(found: list[Registration], size: tuple[int, ...], whole: tuple[int, ...]) -> Alignment:
    good = [r for r in found if r.alike >= max(r.alike for r in found) - 0.1]
    scale = np.median([r.grid.scale for r in good], 0)
    middle = np.array([[r.grid.shift[i] + r.grid.scale[i] * size[i] / 2 for i in (0, 1)] for r in good])
    centre = np.median(middle, 0)
    shift = centre - scale * np.array(size) / 2
    spread = float((1.48 * np.median(np.abs(middle - centre), 0) / scale).max()) if len(good) > 2 else 0.0
    unsure = np.median([r.unsure for r in good], 0)
    return Alignment(
        Grid((float(scale[0]), float(scale[1])), (float(shift[0]), float(shift[1]))),
        float(np.median([r.alike for r in good])),
        spread,
        (float(unsure[0]), float(unsure[1])),
        (size[0], size[1]),
        (whole[0], whole[1]),
    )


def find_orientation(low: Picture, high: Picture, known: Orientation) -> Orientation:
    """The orientation of HR (not turned) in which it lies best on LR."""
    best, alike = known, -1.0
    for orientation in ORIENTATIONS:
        turned = np.ascontiguousarray(orientation.turn(high))
        found = register(low, turned, centred(low, turned)).alike
        if found > alike + (0.02 if orientation != UPRIGHT else 0):
            best, alike = orientation, found
    return best


def judge_orientation(found: Findings, orientation: Orientation) -> None:
    if orientation != UPRIGHT:
        found.faults.append(
            Fault("orientation", f"LR is HR {orientation.name}", "turn LR back", {"orientation": orientation.name})
        )


def scales_as(lying: Alignment, scale: int) -> bool:
    """True where LR shows HR at 1/scale, both ways."""
    return all(abs(a - scale) * n / scale < _DRIFT for a, n in zip(lying.grid.scale, lying.size, strict=True))


def content_scale(lying: Alignment, asked: int | None) -> int | None:
    """The whole-numbered scale at which LR really shows HR, None where there is none."""
    return next((s for s in (asked, *(round(a) for a in lying.grid.scale)) if s and scales_as(lying, s)), None)


def judge_extent(found: Findings, lying: Alignment, asked: int | None, origin: tuple[int, int] | None) -> None:
    """Add faults of scale, size and crop. origin: the HR corner of LR's first pixel, where a degradation told it."""
    (h, w), (height, width) = lying.size, lying.whole
    a, b = lying.grid.scale
    stated = asked or content_scale(lying, None) or max(1, round(min(height / h, width / w)))
    found.measured["geometry"] = {
        "scale": [round(a, 5), round(b, 5)],
        "corner_on_hr": [round(s, 3) for s in lying.grid.shift],
        "alike": round(lying.alike, 4),
        "shift_standard_error": [round(u, 4) for u in lying.unsure],
    }
    if scales_as(lying, stated):
        if (height, width) != (h * stated, w * stated):
            y, x = origin or (round(lying.grid.shift[0]), round(lying.grid.shift[1]))
            found.faults.append(_crop(lying, stated, y, x))
    elif lying.covers:
        found.faults.append(_scale(lying, stated))
    else:
        found.faults.append(_window(lying, stated))


def _crop(lying: Alignment, scale: int, y: int, x: int) -> Fault:
    (h, w), (height, width) = lying.size, lying.whole
    window = f"{w * scale}x{h * scale}{x:+d}{y:+d}"
    rounding = max(abs(height - h * scale), abs(width - w * scale)) < scale
    return Fault(
        "size" if rounding else "crop",
        f"HR is {width}x{height}, not {scale} x LR ({w}x{h}); LR shows its window {window}",
        f"crop HR to {window}",
        {"window": [w * scale, h * scale, x, y], "scale": scale},
    )


def _scale(lying: Alignment, stated: int) -> Fault:
    (h, w), (a, b) = lying.size, lying.grid.scale
    values = {"scale": [round(a, 4), round(b, 4)], "declared": stated}
    if abs(a / b - 1) * max(h, w) > 0.5:
        return Fault(
            "scale", f"not uniform: x{a:.3f} down, x{b:.3f} across", "make LR anew at one scale both ways", values
        )
    whole = round(a)
    remedy = (
        f"say scale={whole}, or make LR anew"
        if abs(a - whole) * h / a < 0.5
        else f"make LR anew at x{stated}, or crop HR first"
    )
    return Fault("scale", f"LR is HR at x{(a + b) / 2:.3f}, not x{stated}", remedy, values)


def _window(lying: Alignment, stated: int) -> Fault:
    (h, w), (a, b) = lying.size, lying.grid.scale
    y, x = lying.grid.shift
    shown = (b * w, a * h, x, y)
    text = f"{shown[0]:.1f}x{shown[1]:.1f}{x:+.1f}{y:+.1f}"
    value = {"window": [round(v, 2) for v in shown], "scale": [round(a, 4), round(b, 4)], "declared": stated}
    outside = y < -a or x < -b or y + a * h > lying.whole[0] + a or x + b * w > lying.whole[1] + b
    if outside:
        inner = f"{lying.whole[1] / b:.1f}x{lying.whole[0] / a:.1f}{-x / b:+.1f}{-y / a:+.1f}"
        return Fault(
            "borders", f"HR fills only {inner} of LR (x{a:.3f} down, x{b:.3f} across)", "crop the borders off LR", value
        )
    return Fault("crop", f"LR shows the HR window {text} (x{a:.3f} down, x{b:.3f} across)", f"crop HR to {text}", value)


def judge_bars(found: Findings, frames: list[Matched], lying: Alignment) -> None:
    """Letterbox bars that only one side has."""
    if any(fault.kind == "borders" for fault in found.faults):
        return
    low = find_bars([gray(frame.low) for frame in frames])
    high = find_bars([gray(frame.high) for frame in frames])
    differing: dict[str, tuple[int, float]] = {}
    for k, side in enumerate(("top", "bottom", "left", "right")):
        axis, end = divmod(k, 2)
        scale, shift = lying.grid.scale[axis], lying.grid.shift[axis]
        away = shift if end == 0 else lying.whole[axis] - shift - scale * lying.size[axis]
        expected = max(0.0, (high[k] - away) / scale) if high[k] else 0.0  # where HR's bar ends in LR
        if abs(low[k] - expected) > 1.5:
            differing[side] = (low[k], round(expected, 1))
    if differing:
        told = ", ".join(f"{side} {a} LR pixels in LR, {b:g} in HR" for side, (a, b) in differing.items())
        found.faults.append(
            Fault("borders", f"black bars differ: {told}", "crop the bars off both", {"bars": differing})
        )
