"""Is this LR what this HR says it is? Time first, then place, then colour, then the degradation."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import AnyFrames
from vsr_lab.data.pairs import geometry
from vsr_lab.data.pairs.colour import ColourFit, Colours, fit_colours
from vsr_lab.data.pairs.degradation import LIGHT, Declared, in_linear_light, judge_degradation, name_degradation, prove
from vsr_lab.data.pairs.families import phase
from vsr_lab.data.pairs.fields import judge_fields
from vsr_lab.data.pairs.findings import Fault, Findings
from vsr_lab.data.pairs.grids import Grid, Picture, gaussian_rows
from vsr_lab.data.pairs.order import judge_order
from vsr_lab.data.pairs.pairing import Matched, ShotPair, detail, sample_frames
from vsr_lab.data.pairs.registration import shrink
from vsr_lab.data.pairs.signatures import WHOLE, cells_for, common_cells, gray, lit_cells, signatures, thumbnails
from vsr_lab.data.pairs.timeline import Timeline, find_timeline

_LOOKED, _KEPT = 11, 5
_SMOOTH = 2.0  # LR pixels
_FLAT = 0.35  # levels from pixel to pixel: below, nothing can be placed


@dataclass(frozen=True)
class _Placed:
    """A pair with its time and its place found."""

    timeline: Timeline
    frames: list[Matched]
    lying: geometry.Lying


def check_pair(pair: ShotPair, declared: Declared, seen: Callable[[], None]) -> Findings:
    """Everything about one pair. seen: called for every frame read in order. Raises UserError for unusable input."""
    found = Findings(pair.name)
    placed = _place(pair, seen)
    frames, lying, timeline = placed.frames, placed.lying, placed.timeline
    if max(detail(frame.low) for frame in frames) < _FLAT:
        judge_order(found, timeline, pair.high.frames)
        found.unjudged.append("place, scale, orientation, degradation: cannot be judged (no detail)")
        return found
    if lying.alike < geometry.FOREIGN:
        _foreign(found, pair, lying)
        return found
    judge_order(found, timeline, pair.high.frames)
    geometry.judge_orientation(found, timeline.orientation)
    if judge_fields(found, frames, lying.grid):
        found.unjudged.append("place, colour, degradation: cannot be judged in frames of two moments")
        return found
    lying, proven = _proven(frames, lying, declared)
    scale = geometry.content_scale(lying, declared.scale)
    linear = not proven and scale is not None and scale > 1 and in_linear_light(frames, lying, scale)
    colour = _judge_colour(found, frames, lying.grid, proven, linear)
    if scale is None or scale < 2:
        geometry.judge_extent(found, lying, declared.scale, None)
        geometry.judge_bars(found, frames, lying)
        found.unjudged.append("degradation: cannot be judged (LR is not HR at a whole-numbered scale above 1)")
        return found
    named = name_degradation(frames, lying, scale, declared.families(scale), _recolour(colour), linear)
    geometry.judge_extent(found, lying, declared.scale, named.origin)
    geometry.judge_bars(found, frames, lying)
    judge_degradation(found, named, lying, scale, declared, linear)
    return found


def _place(pair: ShotPair, seen: Callable[[], None]) -> _Placed:
    """Time by signatures, place by registration, then time again, by what LR shows of HR."""
    cells = cells_for(pair.low, pair.high)
    low, thumbs = signatures(thumbnails(pair.low, seen), cells, WHOLE), thumbnails(pair.high, seen)
    high, lit = signatures(thumbs, cells, WHOLE), lit_cells(low)
    placed = _looked_at(pair, find_timeline(low, high, lit))
    if placed.lying.alike < geometry.ALIKE:
        sharpest = max(placed.frames, key=lambda frame: detail(frame.low))
        upright = np.ascontiguousarray(gray(placed.timeline.orientation.back(sharpest.high)))
        orientation = geometry.find_orientation(gray(sharpest.low), upright, placed.timeline.orientation)
        if orientation != placed.timeline.orientation:
            placed = _better(placed, _looked_at(pair, find_timeline(low, high, lit, orientation)))
    if not placed.lying.covers:  # a pan makes another moment look like another place
        placed = _better(placed, _looked_at(pair, placed.timeline.in_step(pair.high.frames)))
    if placed.lying.alike < geometry.FOREIGN:
        return placed
    orientation, window = placed.timeline.orientation, placed.timeline.orientation.window_back(placed.lying.window)
    high = signatures(thumbs, cells, window)
    timeline = find_timeline(low, high, common_cells(low, high, window, orientation), orientation)
    if placed.lying.covers and np.array_equal(timeline.match, placed.timeline.match):
        return replace(placed, timeline=timeline)
    return _looked_at(pair, timeline, placed.lying.grid)


def _looked_at(pair: ShotPair, timeline: Timeline, start: Grid | None = None) -> _Placed:
    frames = sample_frames(pair, timeline, _LOOKED, _KEPT)
    return _Placed(timeline, frames, geometry.find_lying(frames, start))


def _better(one: _Placed, other: _Placed) -> _Placed:
    """The more alike; where both are, the one whose LR shows all of HR."""
    margin = 0.03 if other.lying.covers > one.lying.covers else -0.03
    return other if other.lying.alike > one.lying.alike - margin else one


def _proven(frames: list[Matched], lying: geometry.Lying, declared: Declared) -> tuple[geometry.Lying, bool]:
    """With the exact grid in the place of the estimate, where a family makes this LR from this HR."""
    scale = lying.whole[0] // lying.size[0]
    if scale < 2 or lying.whole != (lying.size[0] * scale, lying.size[1] * scale):
        return lying, False
    families = declared.families(scale)
    proof = prove(frames, families, scale)
    if proof is None:
        return lying, False
    return replace(lying, grid=Grid((float(scale), float(scale)), phase(families[proof.family])), spread=0.0), True


def _foreign(found: Findings, pair: ShotPair, lying: geometry.Lying) -> None:
    found.measured["geometry"] = {"alike": round(lying.alike, 4)}
    found.faults.append(
        Fault(
            "other footage",
            f"LR and HR do not show the same: correlation {lying.alike:.2f} at the best place",
            f"pair {pair.low.path.name} with its own HR",
            {"alike": round(lying.alike, 4)},
        )
    )


def _view(high: AnyFrames, size: tuple[int, ...], grid: Grid, sigma: float, power: float = 1.0) -> Picture:
    """HR as LR sees it, h w 3 in levels, blurred by sigma LR pixels; in light to the power where one is given."""
    fine = max(1, int(min(grid.scale) * sigma))
    near = grid.shrunk(1, fine)
    light = (high / np.iinfo(high.dtype).max).astype(np.float32)
    light = light if power == 1 else light**power
    channels = []
    for c in range(3):
        picture = shrink(np.ascontiguousarray(light[..., c]), fine)
        centres = [near.centres(i, size[i]) for i in (0, 1)]
        rows, columns = (gaussian_rows(centres[i], picture.shape[i], sigma * near.scale[i])[0] for i in (0, 1))
        channels.append(rows @ picture @ columns.T)
    return 255 * np.stack(channels, -1)


def _smooth_colours(frames: list[Matched], grid: Grid, sigma: float, power: float) -> tuple[Colours, Colours]:
    """Smoothed HR and LR at the same places, N 3 in [0, 1], smoothed by sigma LR pixels in light to the power."""
    highs, lows = [], []
    for frame in frames:
        size = frame.low.shape[:2]
        inside = [(c > 0) & (c < n - 1) for c, n in ((grid.centres(i, size[i]), frame.high.shape[i]) for i in (0, 1))]
        place = np.ix_(np.flatnonzero(inside[0])[4:-4:3], np.flatnonzero(inside[1])[4:-4:3])
        high = _view(frame.high, size, grid, float(np.hypot(sigma, 0.35)), power)[place].reshape(-1, 3) / 255
        low = _view(frame.low, size, Grid((1.0, 1.0)), sigma, power)[place].reshape(-1, 3) / 255
        highs.append(np.clip(high, 0, 1).astype(np.float64) ** (1 / power))
        lows.append(np.clip(low, 0, 1).astype(np.float64) ** (1 / power))
    return np.concatenate(highs), np.concatenate(lows)


def _judge_colour(found: Findings, frames: list[Matched], grid: Grid, proven: bool, linear: bool) -> ColourFit:
    """Add a fault of colour; returns the map. proven: colours are known to be right; linear: LR was made in light."""
    fit = fit_colours(*_smooth_colours(frames, grid, _SMOOTH, LIGHT if linear else 1.0))
    if fit.name and "gamma" in fit.value:  # a curve does not commute with smoothing: measure it on the details
        sharp = fit_colours(*_smooth_colours(frames, grid, 0.6, 1.0))
        fit = sharp if "gamma" in sharp.value else fit
    if proven:
        fit = replace(fit, name=None, apply=lambda colours: colours)
    if linear:
        found.faults.append(
            Fault(
                "gamma",
                "LR was shrunk in linear light",
                "shrink the coded values, as the families do",
                {"power": LIGHT},
            )
        )
    if fit.name:
        kind, _, rest = fit.name.partition(": ")
        found.faults.append(
            Fault(
                kind,
                f"{rest or kind} ({fit.moved:.1f} levels off; {fit.left:.2f} with that undone)",
                fit.remedy,
                fit.value,
            )
        )
    found.measured["colour"] = {
        "moved_levels": round(fit.moved, 3),
        "left_levels": round(fit.left, 3),
        "saturation_levels": round(fit.saturation, 2),
    }
    if fit.saturation < 3:
        found.unjudged.append("matrix, channel order and saturation: cannot be judged (no colour)")
    return fit


def _recolour(fit: ColourFit) -> Callable[[Tensor], Tensor]:
    if fit.name is None:
        return lambda picture: picture

    def apply(picture: Tensor) -> Tensor:
        colours = picture.movedim(0, -1).double().numpy()
        return torch.from_numpy(fit.apply(colours)).movedim(-1, 0).float().mul(255).round().div(255)

    return apply
