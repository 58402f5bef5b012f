"""Choice of those matching frames of two clips, LR and HR, that are compared at full resolution."""

from dataclasses import dataclass

import numpy as np

from vsr_lab.alignment.signatures import gray
from vsr_lab.alignment.timeline import Timeline
from vsr_lab.core.clip import AnyFrames
from vsr_lab.footage.shots import Shot


@dataclass(frozen=True)
class FramePair:
    """An LR frame and the HR frame that shows the same moment.

    Attributes:
        low: LR frame, uint8 or uint16 RGB (h, w, 3).
        high: HR frame, uint8 or uint16 RGB (H, W, 3), flipped or rotated to the orientation of LR.
    """

    low: AnyFrames
    high: AnyFrames


def detail(frame: AnyFrames) -> float:
    """Amount of detail of a frame, in 8-bit levels of its gray values.

    This is the mean absolute difference of pixels that are neighbours in a row, plus that of neighbours in a column.
    """
    picture = gray(frame)
    return float(np.abs(np.diff(picture, axis=0)).mean() + np.abs(np.diff(picture, axis=1)).mean())


def sample_pairs(low: Shot, high: Shot, timeline: Timeline, *, examined: int, kept: int) -> list[FramePair]:
    """Choose those pairs of matching frames that have most detail, for spatial measurements.

    Args:
        low, high: LR and HR clip.
        timeline: matching HR frame of every LR frame.
        examined: number of LR frames, evenly spaced over the clip, from which pairs are chosen.
        kept: maximum number of pairs that are returned.
    """
    matched = timeline.matched
    places = matched[np.unique(np.linspace(0, len(matched) - 1, examined + 2).round().astype(int)[1:-1])]
    lows = {int(t): low.read(int(t), int(t) + 1).frames[0] for t in places}
    best = sorted(sorted(lows, key=lambda t: -detail(lows[t]))[:kept])
    matches = timeline.match[best].tolist()
    oriented = timeline.orientation.apply
    return [FramePair(lows[t], oriented(high.read(u, u + 1).frames[0])) for t, u in zip(best, matches, strict=True)]
