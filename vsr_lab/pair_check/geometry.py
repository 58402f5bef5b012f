"""Faults of geometry: scale, crop, black borders, orientation."""

from vsr_lab.alignment import FramePair, SpatialAlignment
from vsr_lab.alignment.grids import find_bars
from vsr_lab.alignment.signatures import gray
from vsr_lab.alignment.spatial import MAX_DRIFT
from vsr_lab.core.orientation import UPRIGHT, Orientation
from vsr_lab.pair_check.findings import Findings


def judge_orientation(found: Findings, orientation: Orientation) -> None:
    """Add a fault to the findings if LR is flipped or rotated."""
    if orientation != UPRIGHT:
        found.add("orientation", f"LR is HR {orientation.name}", "turn LR back", {"orientation": orientation.name})


def has_scale(spatial: SpatialAlignment, scale: int) -> bool:
    """Whether LR has 1/scale of the size of HR along both axes, by the measured alignment."""
    return all(abs(a - scale) * n / scale < MAX_DRIFT for a, n in zip(spatial.grid.scale, spatial.size, strict=True))


def integer_scale(spatial: SpatialAlignment, declared: int | None) -> int | None:
    """The measured ratio of HR size to LR size if it is an integer, else None.

    Args:
        spatial: positions of LR pixels on HR.
        declared: ratio according to the user, which is returned if the measured ratio is close enough to it; None: the
            user did not declare it.
    """
    return next((s for s in (declared, *(round(a) for a in spatial.grid.scale)) if s and has_scale(spatial, s)), None)


def judge_extent(
    found: Findings, spatial: SpatialAlignment, declared: int | None, origin: tuple[int, int] | None
) -> None:
    """Test whether the scale, size or crop of LR differs from the declared one, and add the faults to the findings.

    Args:
        found: findings to which the faults are added.
        spatial: positions of LR pixels on HR.
        declared: ratio of HR size to LR size according to the user; None: the user did not declare it.
        origin: position (row, column) in HR of the first pixel of LR, from the identified degradation; None: not known.
    """
    (h, w), (height, width) = spatial.size, spatial.reference_size
    a, b = spatial.grid.scale
    scale = declared or integer_scale(spatial, None) or max(1, round(min(height / h, width / w)))
    found.measured["geometry"] = {
        "scale": [round(a, 5), round(b, 5)],
        "corner_on_hr": [round(s, 3) for s in spatial.grid.shift],
        "correlation": round(spatial.correlation, 4),
    }
    if has_scale(spatial, scale):
        if (height, width) != (h * scale, w * scale):
            y, x = origin or (round(spatial.grid.shift[0]), round(spatial.grid.shift[1]))
            _add_crop(found, spatial, scale, y, x)
    elif spatial.covers_reference:
        _add_scale(found, spatial, scale)
    else:
        _add_window(found, spatial, scale)


def _add_crop(found: Findings, spatial: SpatialAlignment, scale: int, y: int, x: int) -> None:
    (h, w), (height, width) = spatial.size, spatial.reference_size
    window = f"{w * scale}x{h * scale}{x:+d}{y:+d}"
    kind = "size" if max(abs(height - h * scale), abs(width - w * scale)) < scale else "crop"
    size = f"HR is {width}x{height}, not {scale} x LR ({w}x{h}); LR shows its window {window}"
    found.add(kind, size, f"crop HR to {window}", {"window": [w * scale, h * scale, x, y], "scale": scale})


def _add_scale(found: Findings, spatial: SpatialAlignment, declared: int) -> None:
    (h, w), (a, b) = spatial.size, spatial.grid.scale
    value = {"scale": [round(a, 4), round(b, 4)], "declared": declared}
    if abs(a / b - 1) * max(h, w) > 0.5:
        size, remedy = f"not uniform: x{a:.3f} down, x{b:.3f} across", "regenerate LR at one scale along both axes"
    else:
        size, whole = f"LR is HR at x{(a + b) / 2:.3f}, not x{declared}", round(a)
        near = abs(a - whole) * h / a < 0.5
        remedy = f"set scale={whole}, or regenerate LR" if near else f"regenerate LR at x{declared}, or crop HR first"
    found.add("scale", size, remedy, value)


def _add_window(found: Findings, spatial: SpatialAlignment, declared: int) -> None:
    (h, w), (height, width), (a, b) = spatial.size, spatial.reference_size, spatial.grid.scale
    y, x = spatial.grid.shift
    shown = (b * w, a * h, x, y)
    value = {"window": [round(v, 2) for v in shown], "scale": [round(a, 4), round(b, 4)], "declared": declared}
    scales = f"(x{a:.3f} down, x{b:.3f} across)"
    if y < -a or x < -b or y + a * h > height + a or x + b * w > width + b:
        inner = f"{width / b:.1f}x{height / a:.1f}{-x / b:+.1f}{-y / a:+.1f}"
        found.add("borders", f"HR fills only {inner} of LR {scales}", "crop the borders off LR", value)
    else:
        window = f"{shown[0]:.1f}x{shown[1]:.1f}{x:+.1f}{y:+.1f}"
        found.add("crop", f"LR shows the HR window {window} {scales}", f"crop HR to {window}", value)


def judge_bars(found: Findings, frames: list[FramePair], spatial: SpatialAlignment) -> None:
    """Add a fault to the findings if the black bars of LR and HR differ by more than 1.5 LR pixels."""
    if any(fault.kind == "borders" for fault in found.faults):
        return
    low = find_bars([gray(frame.low) for frame in frames])
    high = find_bars([gray(frame.high) for frame in frames])
    differing: dict[str, tuple[int, float]] = {}
    for k, side in enumerate(("top", "bottom", "left", "right")):
        axis, end = divmod(k, 2)
        scale, shift = spatial.grid.scale[axis], spatial.grid.shift[axis]
        margin = shift if end == 0 else spatial.reference_size[axis] - shift - scale * spatial.size[axis]
        expected = max(0.0, (high[k] - margin) / scale) if high[k] else 0.0  # LR pixels
        if abs(low[k] - expected) > 1.5:
            differing[side] = (low[k], round(expected, 1))
    if differing:
        sides = ", ".join(f"{side} {a} LR pixels in LR, {b:g} in HR" for side, (a, b) in differing.items())
        found.add("borders", f"black bars differ: {sides}", "crop the bars off both", {"bars": differing})
