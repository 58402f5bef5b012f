"""Alignment of two clips in time, space and colour.

Time and space are estimated alternately, because a shift in time can be mistaken for one in space: during a pan, a
later frame looks like a shifted picture.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vsr_lab.alignment.color_transform import ColorTransform, fit_frame_colors
from vsr_lab.alignment.frame_pairs import FramePair, detail, sample_pairs
from vsr_lab.alignment.grids import Grid
from vsr_lab.alignment.signatures import common_cells, gray, lit_cells, signature_cells, signatures, thumbnails
from vsr_lab.alignment.spatial import ALIGNED, UNRELATED, SpatialAlignment, align_spatially, find_orientation
from vsr_lab.alignment.timeline import Timeline, find_timeline
from vsr_lab.core.progress import progress_bar
from vsr_lab.footage.shots import Shot

_EXAMINED, _KEPT = 11, 5  # frame pairs


@dataclass(frozen=True)
class Alignment:
    """Result of `align`: alignment of two clips in time and space.

    Attributes:
        timeline: the matching HR frame of every LR frame.
        spatial: positions of LR pixels on HR.
        frames: the frame pairs from which `spatial` was measured.
    """

    timeline: Timeline
    spatial: SpatialAlignment
    frames: list[FramePair]

    @cached_property
    def color(self) -> ColorTransform:
        """Transform from the colours of HR to those of LR; it is estimated when it is first used."""
        return fit_frame_colors(self.frames, self.spatial.grid)


def align(low: Shot, high: Shot) -> Alignment:
    """Find which frames of two clips match, and how their pixels correspond.

    Args:
        low: the clip to align, called LR.
        high: the reference, called HR, which shows the same content at the same or a larger size.

    Returns:
        The matching HR frame of every LR frame, the orientation, and the positions of LR pixels on HR to hundredths of
        a pixel. If the clips show different content, `spatial.correlation` is below 0.5.

    Raises:
        UserError: a clip cannot be read.
    """
    cells = signature_cells(low, high, fine=False)
    with progress_bar(f"aligning {low.name}", low.frames + high.frames) as update:
        low_thumbs, high_thumbs = (thumbnails(shot, lambda: update(advance=1)) for shot in (low, high))
    seen, reference = signatures(low_thumbs, cells), signatures(high_thumbs, cells)
    lit = lit_cells(seen)
    found = _measure(low, high, find_timeline(seen, reference, lit))
    if found.spatial.correlation < ALIGNED:
        sharpest = max(found.frames, key=lambda frame: detail(frame.low))
        upright = np.ascontiguousarray(gray(found.timeline.orientation.invert(sharpest.high)))
        orientation = find_orientation(gray(sharpest.low), upright, found.timeline.orientation)
        if orientation != found.timeline.orientation:
            found = _better(found, _measure(low, high, find_timeline(seen, reference, lit, orientation)))
    found = _try_other_offsets(low, high, found)
    if found.spatial.correlation < UNRELATED:
        return found
    orientation = found.timeline.orientation
    window = orientation.invert_window(found.spatial.window)
    cells = signature_cells(low, high, fine=True)
    seen, reference = signatures(low_thumbs, cells), signatures(high_thumbs, cells, window)
    timeline = find_timeline(seen, reference, common_cells(seen, reference, window, orientation), orientation)
    if found.spatial.covers_reference and np.array_equal(timeline.match, found.timeline.match):
        return replace(found, timeline=timeline)
    return _measure(low, high, timeline, found.spatial.grid)


def _measure(low: Shot, high: Shot, timeline: Timeline, start: Grid | None = None) -> Alignment:
    """Estimate the spatial alignment from frames that match by the timeline."""
    frames = sample_pairs(low, high, timeline, examined=_EXAMINED, kept=_KEPT)
    return Alignment(timeline, align_spatially(frames, start), frames)


def _try_other_offsets(low: Shot, high: Shot, found: Alignment) -> Alignment:
    """If the alignment is unusual, try other offsets in time: in a pan, an offset looks like a shift in space."""
    timeline, frames = found.timeline, high.frames
    if found.spatial.canonical and timeline.in_order(frames):
        return found
    for other in (timeline.synchronous(), timeline.delayed(1, frames), timeline.delayed(-1, frames)):
        if not np.array_equal(other.match, timeline.match):
            found = _better(found, _measure(low, high, other))
    return found


def _better(one: Alignment, other: Alignment) -> Alignment:
    """The alignment with the higher correlation; if both are similar, an alignment that is usual for degradations."""
    ranks = [(found.spatial.covers_reference, found.spatial.canonical) for found in (one, other)]
    favour = 1.3 if ranks[1] > ranks[0] else 0.8 if ranks[1] == ranks[0] else 0.6
    return other if 1 - other.spatial.correlation < favour * (1 - one.spatial.correlation) else one
