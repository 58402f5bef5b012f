"""Is this LR what this HR says it is? Time first, then place, then colour, then the degradation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from vsr_lab.alignment.color_transform import ColourFit
from vsr_lab.alignment.grids import Grid
from vsr_lab.pair_check import geometry
from vsr_lab.pair_check.color import exact_fit, judge_colour, recolour, recoloured, smooth_fit
from vsr_lab.pair_check.degradation import (
    Declared,
    Named,
    in_linear_light,
    judge_degradation,
    likeness,
    name_degradation,
    prove,
)
from vsr_lab.pair_check.families import phase
from vsr_lab.pair_check.findings import Fault, Findings
from vsr_lab.pair_check.interlace import Moving, judge_fields
from vsr_lab.pair_check.order import judge_order, judge_strangers
from vsr_lab.pair_check.pairing import Matched, ShotPair, around, detail, sample_worst
from vsr_lab.pair_check.placing import Placed, place

_WORST = 3  # badly matched frames that are looked at for fields
_FLAT = 0.35  # levels from pixel to pixel: below, nothing can be placed
_SAME = 0.83  # share of LR that its HR has to make, noise and coding aside
_GARISH = 5.0  # levels: colours so far off that they bend the measure of place


def check_pair(pair: ShotPair, declared: Declared, seen: Callable[[], None]) -> Findings:
    """Everything about one pair. seen: called for every frame read in order. Raises UserError for unusable input."""
    found = Findings(pair.name)
    placed = place(pair, seen)
    timeline, lying = placed.timeline, placed.lying
    if max(detail(frame.low) for frame in placed.frames) < _FLAT:
        judge_order(found, timeline, pair.high.frames)
        found.unjudged.append("place, scale, orientation, degradation: cannot be judged (no detail)")
        return found
    timeless = timeline.evidence < 2 and timeline.motion.max(initial=0) > 1
    if lying.alike < (geometry.ALIKE if timeless else geometry.FOREIGN):
        return _foreign(pair, lying)
    judge_order(found, timeline, pair.high.frames)
    geometry.judge_orientation(found, timeline.orientation)
    sets = (placed.frames, sample_worst(pair, timeline, _WORST))
    moving = [[Moving(frame, *around(pair, timeline, frame)) for frame in some] for some in sets]
    if judge_fields(found, moving[0], moving[1], lying.grid):
        found.unjudged.append("place, colour, degradation: cannot be judged in frames of two moments")
        return found
    judge_strangers(found, timeline)
    why = _explained(placed, declared)
    if why.named and likeness(why.named) < _SAME:
        return _foreign(pair, lying)
    judge_colour(found, why.colour, why.linear)
    geometry.judge_extent(found, why.lying, declared.scale, why.named.origin if why.named else None)
    geometry.judge_bars(found, placed.frames, why.lying)
    if why.named:
        judge_degradation(found, why.named, why.lying, declared, why.linear)
    else:
        found.unjudged.append("degradation: cannot be judged (LR is not HR at a whole-numbered scale above 1)")
    return found


@dataclass(frozen=True)
class _Explained:
    """What makes LR of HR: where it lies, the colours it has, whether it was shrunk in linear light, and the family
    (None where the scale has none)."""

    lying: geometry.Alignment
    colour: ColourFit
    linear: bool
    named: Named | None


def _explained(placed: Placed, declared: Declared) -> _Explained:
    """Place, colour and family, each the better for the others."""
    frames = placed.frames
    lying, proven = _proven(frames, placed.lying, declared)
    scale = geometry.content_scale(lying, declared.scale) or 0
    linear = not proven and scale > 1 and in_linear_light(frames, lying, scale)
    colour = smooth_fit(frames, lying.grid, linear)
    if proven:
        colour = replace(colour, name=None, apply=lambda colours: colours)
    if scale < 2:
        return _Explained(lying, colour, linear, None)
    lying = _replaced(frames, lying, colour)
    named = name_degradation(frames, lying, scale, declared, partial(recolour, colour), linear)
    for _ in range(2):
        if proven or linear or (exact := exact_fit(named)).name is None:
            break
        colour = exact
        lying = _replaced(frames, lying, colour)
        named = name_degradation(frames, lying, scale, declared, partial(recolour, colour), linear)
    return _Explained(lying, colour, linear, named)


def _replaced(frames: list[Matched], lying: geometry.Alignment, colour: ColourFit) -> geometry.Alignment:
    """The place, measured anew where the colours were so far off that they may have bent it."""
    if colour.name is None or colour.moved < _GARISH:
        return lying
    return geometry.find_lying(recoloured(colour, frames), lying.grid)


def _proven(frames: list[Matched], lying: geometry.Alignment, declared: Declared) -> tuple[geometry.Alignment, bool]:
    """With the exact grid in the place of the estimate, where a family makes this LR from this HR."""
    scale = lying.whole[0] // lying.size[0]
    if scale < 2 or lying.whole != (lying.size[0] * scale, lying.size[1] * scale):
        return lying, False
    families = declared.families(scale)
    proof = prove(frames, families, scale)
    if proof is None:
        return lying, False
    return replace(lying, grid=Grid((float(scale), float(scale)), phase(families[proof.family])), spread=0.0), True


def _foreign(pair: ShotPair, lying: geometry.Alignment) -> Findings:
    """Nothing else can be said of two that do not belong together."""
    fault = Fault(
        "other footage",
        f"LR and HR do not show the same: correlation {lying.alike:.2f} at the best place",
        f"pair {pair.low.path.name} with its own HR",
        {"alike": round(lying.alike, 4)},
    )
    return Findings(pair.name, [fault], measured={"geometry": {"alike": round(lying.alike, 4)}})
