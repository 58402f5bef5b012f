"""Faults in time: offset, reversal, frame order, dropped and repeated frames, and interlaced frames."""

import numpy as np

from vsr_lab.alignment import Timeline
from vsr_lab.alignment.signatures import gray
from vsr_lab.alignment.timeline import Numbers
from vsr_lab.footage.shots import Shot
from vsr_lab.pair_check.findings import Findings
from vsr_lab.video.damage import format_ranges
from vsr_lab.video.interlace_detection import COLUMNS, RUN, ScanType, classify_runs


def judge_order(found: Findings, timeline: Timeline, high_frames: int) -> None:
    """Test the number, order and offset of the LR frames, and add the faults to the findings.

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
    """Add a fault to the findings if a few LR frames differ much more from their HR frames than the other LR frames."""
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
    """Add faults for dropped and repeated frames. match: HR frames of the LR frames from `first` on, in order."""
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


_EXAMINED = 4  # runs of consecutive LR frames


def judge_fields(found: Findings, low: Shot) -> bool:
    """Test whether LR is interlaced or telecined, from its pixels, and if so add this fault to the findings.

    Args:
        found: findings to which the fault is added.
        low: LR shot.

    Returns:
        Whether there is a fault.
    """
    starts = np.unique(np.linspace(0, max(0, low.frames - RUN), _EXAMINED).astype(int)).tolist()
    columns = slice(None, None, max(1, low.size[1] // COLUMNS))
    frames = (low.read(start, min(start + RUN, low.frames)).frames[:, :, columns] for start in starts)
    scan = classify_runs(np.stack([gray(frame) for frame in run]).astype(np.int16) for run in frames)
    found.measured["interlace"] = {"scan_type": str(scan), "confidence": scan.confidence}
    if scan.scan_type == ScanType.UNDETERMINED:
        found.unjudged.append("interlace: cannot be judged (no motion)")
    if scan.combed:
        size = f"LR is {scan}: even and odd rows of a frame show two moments"
        found.add("interlaced", size, "make LR from whole frames, or deinterlace it", found.measured["interlace"])
    return scan.combed
