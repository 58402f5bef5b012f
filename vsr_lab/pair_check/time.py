"""Faults in time: offset, reversal, frame order, dropped and repeated frames, and interlaced frames."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vsr_lab.alignment import FramePair, Grid, Timeline
from vsr_lab.alignment.grids import Picture, centred, resample
from vsr_lab.alignment.signatures import gray
from vsr_lab.alignment.timeline import Numbers
from vsr_lab.core.clip import AnyFrames
from vsr_lab.pair_check.findings import Findings
from vsr_lab.video.damage import format_ranges


def judge_order(found: Findings, timeline: Timeline, high_frames: int) -> None:
    """Test whether LR has the frames of HR in the same order, and add the faults to the findings.

    Args:
        found: findings to which the faults are added.
        timeline: the matching HR frame of every LR frame.
        high_frames: number of HR frames.
    """
    match, frames = timeline.match, len(timeline.match)
    found.measured["time"] = {
        "lr_frames": frames,
        "hr_frames": high_frames,
        "offset": int(match[0]),
        "signature_floor_levels": round(timeline.noise_floor, 4),
        "single_frames_seen": round(timeline.detectable, 4),
    }
    if frames != high_frames:
        size = f"LR has {frames} frames, HR {high_frames} ({frames - high_frames:+d})"
        found.add("frame count", size, "pair them frame by frame", {"lr_frames": frames, "hr_frames": high_frames})
    if timeline.evidence < 2:
        found.unjudged.append("frame order, offset, dropped and repeated frames: cannot be judged (no motion)")
        return
    if timeline.backwards:
        found.add("reversed", f"LR frame 0 shows HR frame {match[0]}, the last {match[-1]}", "reverse LR")
        match = high_frames - 1 - match
    offset = int(match[0])
    inside = (match >= 0) & (match < high_frames)
    first = int(inside.argmax())
    match = match[inside]
    if (np.diff(match) < 0).any():
        _judge_shuffle(found, match, first)
        return
    if offset:
        remedy = f"drop the first {abs(offset)} {'HR' if offset > 0 else 'LR'} frames"
        value = {"offset": offset, "overlap": len(match)}
        found.add("temporal offset", f"LR frame t shows HR frame t{offset:+d}", remedy, value)
    _judge_gaps(found, timeline, match, first)


def judge_outlier_frames(found: Findings, timeline: Timeline) -> None:
    """Add a fault to the findings if single LR frames differ much more from the matching HR frame than others do."""
    inside = (timeline.match >= 0) & (timeline.match <= len(timeline.motion))
    known = {t for fault in found.faults for t in fault.value.get("lr", [])}
    outliers = np.flatnonzero(inside & (timeline.mismatch > max(12 * timeline.noise_floor, 4.0)))
    outliers = [int(t) for t in outliers if int(t) not in known]
    if outliers and len(outliers) < 0.3 * len(timeline.match):
        worst = timeline.mismatch[outliers].max()
        others = f"the others by {timeline.noise_floor:.2f}"
        size = f"LR {format_ranges(outliers)} differ from HR by {worst:.1f} levels, {others}"
        found.add("outlier frames", size, "inspect them for damage or edits, or regenerate LR", {"lr": outliers})


def _judge_shuffle(found: Findings, match: Numbers, first: int) -> None:
    lag = match - np.arange(len(match))
    places = np.flatnonzero(lag != np.bincount(lag - lag.min()).argmax() + lag.min())
    moved = [int(t) + first for t in places]
    pairs = ", ".join(f"LR {t} shows HR {match[t - first]}" for t in moved[:3])
    size = f"{len(moved)} of {len(match)} frames out of place ({pairs}{', ...' if len(moved) > 3 else ''})"
    value = {"frames": moved, "match": match.tolist()}
    found.add("frame order", size, "renumber the frames (file names sorted as text?)", value)


def _judge_gaps(found: Findings, timeline: Timeline, match: Numbers, first: int) -> None:
    """Add dropped and repeated frames. match: matches of the LR frames from `first` on, in order and inside HR."""
    step = np.diff(match)
    missing = [int(u) for t in np.flatnonzero(step > 1) for u in range(int(match[t]) + 1, int(match[t + 1]))]
    repeated = [int(t) + 1 + first for t in np.flatnonzero(step == 0)]
    unmatched = [t for t in repeated if timeline.mismatch[t] > 6 * timeline.noise_floor]
    repeated = [t for t in repeated if t not in unmatched]
    if missing:
        size = f"LR lacks {len(missing)}: HR {format_ranges(missing)}"
        found.add("dropped frames", size, "drop these HR frames, or regenerate LR", {"hr": missing})
    if repeated:
        size = f"LR has {len(repeated)} twice: LR {format_ranges(repeated)}"
        found.add("repeated frames", size, "drop these LR frames, or regenerate LR", {"lr": repeated})
    if unmatched:
        size = f"no HR frame shows LR {format_ranges(unmatched)}"
        found.add("unmatched frames", size, "drop these LR frames (HR lost them)", {"lr": unmatched})


_MOVING = 6.0  # levels between neighbouring HR frames: above, a pixel shows which moment it belongs to
_ENOUGH = 150  # such LR pixels


class MovingPair(NamedTuple):
    """A pair of matching LR and HR frames, with the HR frames before and after the HR frame."""

    pair: FramePair
    before: AnyFrames
    after: AnyFrames


class _Moments(NamedTuple):
    """The moments that the rows of an LR frame show, as offsets from the matching HR frame.

    Attributes:
        even, odd: -1, 0 or +1 for even and odd rows.
        as_one, as_two: residual in 8-bit levels (0..255) with one moment for all rows, and with these two.
    """

    even: int
    odd: int
    as_one: float
    as_two: float

    @property
    def combed(self) -> bool:
        return self.even != self.odd


def judge_fields(found: Findings, frames: list[MovingPair], worst: list[MovingPair], grid: Grid) -> bool:
    """Test whether LR is interlaced, and if so add this fault to the findings.

    In an interlaced LR frame, even and odd rows match different HR frames. Both are compared with the matching HR frame
    and its neighbours.

    Args:
        found: findings to which the fault is added.
        frames: frame pairs with motion.
        worst: frame pairs that match badly, if any. In animation, where most frames repeat, only these show combing.
        grid: measured positions of LR pixels on HR. Combing biases the measurement, so the positions without a shift
            are tried too.

    Returns:
        Whether there is a fault.
    """
    grids = [grid, centred(frames[0].pair.low, frames[0].pair.high)]
    sets = [frames] + ([worst] if worst else [])
    tried = [[m for frame in some if (m := _moments(frame, g))] for some in sets for g in grids]
    tried = [moments for moments in tried if 2 * sum(m.combed for m in moments) > len(moments)] or tried
    judged = min(tried, key=lambda moments: np.mean([m.as_two for m in moments]) if moments else np.inf)
    if not judged:
        found.unjudged.append("interlace: cannot be judged (no motion)")
        return False
    combed = [m for m in judged if m.combed]
    found.measured["interlace"] = {"moving_frames": len(judged), "combed": len(combed)}
    faulty = 2 * len(combed) > len(judged)
    if faulty:
        m = combed[0]
        size = (
            f"rows of {len(combed)} of {len(judged)} moving frames show two moments: even rows HR t{m.even:+d}, "
            f"odd rows t{m.odd:+d} ({m.as_one:.1f} levels off as one moment, {m.as_two:.1f} as two)"
        )
        value = {"even": m.even, "odd": m.odd, "combed": len(combed), "moving": len(judged)}
        found.add("interlaced", size, "make LR from whole frames, or deinterlace it", value)
    return faulty


def _moments(frame: MovingPair, grid: Grid) -> _Moments | None:
    """The moments that a frame shows; None if there is too little motion."""
    low = gray(frame.pair.low)
    highs = {-1: frame.before, 0: frame.pair.high, 1: frame.after}
    views = {k: resample(gray(high), grid, low.shape, 0.38) for k, high in highs.items()}
    moving = np.maximum(np.abs(views[1] - views[0]), np.abs(views[-1] - views[0])) > _MOVING
    moving[:3] = moving[-3:] = False
    moving[:, :3] = moving[:, -3:] = False
    parts = [moving & (np.arange(len(low)) % 2 == parity)[:, None] for parity in (0, 1)]
    if min(part.sum() for part in parts) < _ENOUGH:
        return None
    residuals = [{k: _residual(low, view, part) for k, view in views.items()} for part in parts]
    even, odd = (min(rows, key=lambda k: rows[k]) for rows in residuals)
    one = {k: float(np.hypot(residuals[0][k], residuals[1][k])) for k in views}
    as_one, as_two = min(one.values()), float(np.hypot(residuals[0][even], residuals[1][odd]))
    if as_two > 0.7 * as_one:  # two moments that are hardly better than one
        even = odd = min(one, key=lambda k: one[k])
    return _Moments(even, odd, as_one, as_two)


def _residual(low: Picture, view: Picture, part: npt.NDArray[np.bool_]) -> float:
    gap = (low - view)[part]
    return float(np.sqrt(((gap - np.median(gap)) ** 2).mean()))
