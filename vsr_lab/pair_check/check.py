"""Check of an LR/HR pair of clips: first interlacing, then time, space, colour and the degradation."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

from vsr_lab.alignment import ALIGNED, UNRELATED, Alignment, ColorTransform, FramePair, Grid, SpatialAlignment, align
from vsr_lab.alignment.color_transform import fit_frame_colors
from vsr_lab.alignment.frame_pairs import detail
from vsr_lab.alignment.spatial import align_spatially
from vsr_lab.pair_check.color import fit_exactly, judge_color, recolor, recolor_frames
from vsr_lab.pair_check.degradation import judge_degradation
from vsr_lab.pair_check.families import DISPLAY_GAMMA, phase
from vsr_lab.pair_check.findings import Findings, ShotPair
from vsr_lab.pair_check.geometry import integer_scale, judge_bars, judge_extent, judge_orientation
from vsr_lab.pair_check.identification import (
    Declared,
    Identification,
    exact_family,
    explained_variance,
    identify_degradation,
    in_linear_light,
)
from vsr_lab.pair_check.time import judge_fields, judge_order, judge_outlier_frames

_FLAT = 0.35  # levels from pixel to pixel: below, nothing can be registered
_SAME = 0.83  # share of LR's variance that HR has to explain, noise and coding aside
_GARISH = 5.0  # levels: larger differences of colour bias the registration


def check_pair(pair: ShotPair, declared: Declared) -> Findings:
    """Find the faults of an LR/HR pair of clips, such as shifts, lost frames, other colours or another degradation.

    Args:
        pair: LR and HR shot.
        declared: scale and degradation according to the user.

    Returns:
        The faults and all measurements.

    Raises:
        UserError: a clip cannot be read.
    """
    found = Findings(pair.name)
    if judge_fields(found, pair.low):
        found.unjudged.append("all else: cannot be judged in frames of two moments")
        return found
    alignment = align(pair.low, pair.high)
    timeline, spatial, frames = alignment.timeline, alignment.spatial, alignment.frames
    if max(detail(frame.low) for frame in frames) < _FLAT:
        judge_order(found, timeline, pair.high.frames)
        found.unjudged.append("place, scale, orientation, degradation: cannot be judged (no detail)")
        return found
    timeless = timeline.evidence < 2 and timeline.motion.max(initial=0) > 1
    if spatial.correlation < (ALIGNED if timeless else UNRELATED):
        return _unrelated(pair, spatial)
    judge_order(found, timeline, pair.high.frames)
    judge_orientation(found, timeline.orientation)
    judge_outlier_frames(found, timeline)
    explanation = _explain(alignment, declared)
    named, spatial = explanation.named, explanation.spatial
    if named and explained_variance(named) < _SAME:
        return _unrelated(pair, alignment.spatial)
    judge_color(found, explanation.color, explanation.linear)
    judge_extent(found, spatial, declared.scale, named.origin if named else None)
    judge_bars(found, frames, spatial)
    if named:
        judge_degradation(found, named, spatial, declared=declared, linear=explanation.linear)
    else:
        found.unjudged.append("degradation: cannot be judged (LR is not HR at a whole-numbered scale above 1)")
    return found


class _Explanation(NamedTuple):
    """How LR was made from HR.

    Attributes:
        spatial: positions of LR pixels on HR.
        color: transform from the colours of HR to those of LR.
        linear: whether LR was downscaled in linear light.
        named: the identified degradation; None if the scale is not an integer above 1.
    """

    spatial: SpatialAlignment
    color: ColorTransform
    linear: bool
    named: Identification | None


def _explain(alignment: Alignment, declared: Declared) -> _Explanation:
    """Estimate spatial alignment, colour and degradation, each refined by the others."""
    frames = alignment.frames
    exact = _exact_alignment(frames, alignment.spatial, declared)
    spatial = exact or alignment.spatial
    scale = integer_scale(spatial, declared.scale) or 0
    linear = not exact and scale > 1 and in_linear_light(frames, spatial, scale)
    color = fit_frame_colors(frames, spatial.grid, DISPLAY_GAMMA if linear else 1.0)
    if exact:
        color = ColorTransform(None, color.shift, color.residual, color.saturation)
    if scale < 2:
        return _Explanation(spatial, color, linear, None)
    spatial = _realigned(frames, spatial, color)
    named = identify_degradation(
        frames, spatial, scale, declared=declared, recolor=partial(recolor, color), linear=linear
    )
    for _ in range(2):
        if exact or linear or (finer := fit_exactly(named)).name is None:
            break
        color = finer
        spatial = _realigned(frames, spatial, color)
        named = identify_degradation(
            frames, spatial, scale, declared=declared, recolor=partial(recolor, color), linear=linear
        )
    return _Explanation(spatial, color, linear, named)


def _realigned(frames: list[FramePair], spatial: SpatialAlignment, color: ColorTransform) -> SpatialAlignment:
    """Measure the spatial alignment again if the colours differ so much that they may have biased it."""
    if color.name is None or color.shift < _GARISH:
        return spatial
    return align_spatially(recolor_frames(color, frames), spatial.grid)


def _exact_alignment(frames: list[FramePair], spatial: SpatialAlignment, declared: Declared) -> SpatialAlignment | None:
    """Alignment with the grid of the known degradation whose output for HR equals LR except for rounding, or None."""
    scale = spatial.nominal_scale or 0
    families = declared.families(scale) if scale >= 2 else {}
    name = exact_family(frames, families, scale) if families else None
    if name is None:
        return None
    return replace(spatial, grid=Grid((float(scale), float(scale)), phase(families[name])), spread=0.0)


def _unrelated(pair: ShotPair, spatial: SpatialAlignment) -> Findings:
    """Findings for clips of different content, with this as the only fault."""
    value = {"correlation": round(spatial.correlation, 4)}
    found = Findings(pair.name, measured={"geometry": value})
    size = f"LR and HR show different content: correlation {spatial.correlation:.2f} at the best alignment"
    found.add("other footage", size, f"pair {pair.low.path.name} with its own HR", value)
    return found
