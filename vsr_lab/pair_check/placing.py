"""Time and place of a pair, found in turn, as each looks like the other in a pan."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vsr_lab.alignment.grids import Grid
from vsr_lab.alignment.signatures import WHOLE, cells_for, common_cells, gray, lit_cells, signatures, thumbnails
from vsr_lab.alignment.timeline import Timeline, find_timeline
from vsr_lab.pair_check import geometry
from vsr_lab.pair_check.pairing import Matched, ShotPair, detail, sample_frames

_LOOKED, _KEPT = 11, 5


@dataclass(frozen=True)
class Placed:
    """A pair with its time and its place found."""

    timeline: Timeline
    frames: list[Matched]
    lying: geometry.Alignment


def place(pair: ShotPair, seen: Callable[[], None]) -> Placed:
    """Time by signatures, place by registration, then time again, by what LR shows of HR."""
    cells = cells_for(pair.low, pair.high, False)
    low_thumbs, thumbs = thumbnails(pair.low, seen), thumbnails(pair.high, seen)
    low, high = signatures(low_thumbs, cells, WHOLE), signatures(thumbs, cells, WHOLE)
    lit = lit_cells(low)
    placed = _looked_at(pair, find_timeline(low, high, lit))
    if placed.lying.alike < geometry.ALIKE:
        sharpest = max(placed.frames, key=lambda frame: detail(frame.low))
        upright = np.ascontiguousarray(gray(placed.timeline.orientation.back(sharpest.high)))
        orientation = geometry.find_orientation(gray(sharpest.low), upright, placed.timeline.orientation)
        if orientation != placed.timeline.orientation:
            placed = _better(placed, _looked_at(pair, find_timeline(low, high, lit, orientation)))
    placed = _disentangled(pair, placed)
    if placed.lying.alike < geometry.FOREIGN:
        return placed
    orientation, window = placed.timeline.orientation, placed.timeline.orientation.window_back(placed.lying.window)
    cells = cells_for(pair.low, pair.high, True)
    low, high = signatures(low_thumbs, cells, WHOLE), signatures(thumbs, cells, window)
    timeline = find_timeline(low, high, common_cells(low, high, window, orientation), orientation)
    if placed.lying.covers and np.array_equal(timeline.match, placed.timeline.match):
        return replace(placed, timeline=timeline)
    return _looked_at(pair, timeline, placed.lying.grid)


def _looked_at(pair: ShotPair, timeline: Timeline, start: Grid | None = None) -> Placed:
    frames = sample_frames(pair, timeline, _LOOKED, _KEPT)
    return Placed(timeline, frames, geometry.find_lying(frames, start))


def _disentangled(pair: ShotPair, placed: Placed) -> Placed:
    """A pan makes another moment look like another place: where either is odd, others are tried."""
    timeline, frames = placed.timeline, pair.high.frames
    if placed.lying.plain and timeline.stepwise(frames):
        return placed
    others = [timeline.in_step(), timeline.later(1, frames), timeline.later(-1, frames)]
    for other in others:
        if not np.array_equal(other.match, timeline.match):
            placed = _better(placed, _looked_at(pair, other))
    return placed


def _better(one: Placed, other: Placed) -> Placed:
    """The more alike; where both nearly are, the one whose LR lies where a degradation would put it."""
    ranks = [(placed.lying.covers, placed.lying.plain) for placed in (one, other)]
    favour = 1.3 if ranks[1] > ranks[0] else 0.8 if ranks[1] == ranks[0] else 0.6
    return other if 1 - other.lying.alike < favour * (1 - one.lying.alike) else one
