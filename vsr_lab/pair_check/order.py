"""A timeline's faults: offset, direction, order, dropped and repeated frames."""

import numpy as np

from vsr_lab.alignment.timeline import Numbers, Timeline
from vsr_lab.pair_check.findings import Fault, Findings, listed


def judge_order(found: Findings, timeline: Timeline, high_frames: int) -> None:
    """Add what is wrong with the frames' order to found."""
    match, frames = timeline.match, len(timeline.match)
    found.measured["time"] = {
        "lr_frames": frames,
        "hr_frames": high_frames,
        "offset": int(match[0]),
        "signature_floor_levels": round(timeline.floor, 4),
        "single_frames_seen": round(timeline.clear, 4),
    }
    if frames != high_frames:
        found.faults.append(
            Fault(
                "frame count",
                f"LR has {frames} frames, HR {high_frames} ({frames - high_frames:+d})",
                "pair them frame by frame",
                {"lr_frames": frames, "hr_frames": high_frames},
            )
        )
    if timeline.evidence < 2:
        found.unjudged.append("frame order, offset, dropped and repeated frames: cannot be judged (no motion)")
        return
    if timeline.backwards:
        found.faults.append(
            Fault("reversed", f"LR frame 0 shows HR frame {match[0]}, the last {match[-1]}", "reverse LR", {})
        )
        match = high_frames - 1 - match
    lag = int(match[0])
    inside = (match >= 0) & (match < high_frames)
    first = int(inside.argmax())
    match = match[inside]
    if (np.diff(match) < 0).any():
        _judge_shuffle(found, match, first)
        return
    _judge_offset(found, lag, len(match))
    _judge_gaps(found, timeline, match, first)


def judge_strangers(found: Findings, timeline: Timeline) -> None:
    """LR frames in their place that show something else than HR does there."""
    inside = (timeline.match >= 0) & (timeline.match <= len(timeline.motion))
    known = {t for fault in found.faults for t in fault.value.get("lr", [])}
    strange = np.flatnonzero(inside & (timeline.mismatch > max(12 * timeline.floor, 4.0)))
    strange = [int(t) for t in strange if int(t) not in known]
    if strange and len(strange) < 0.3 * len(timeline.match):
        found.faults.append(
            Fault(
                "strange frames",
                f"LR {listed(strange)} differ from HR by {timeline.mismatch[strange].max():.1f} levels, the others by "
                f"{timeline.floor:.2f}",
                "look at them: damaged or edited? make LR anew",
                {"lr": strange},
            )
        )


def _judge_offset(found: Findings, offset: int, overlap: int) -> None:
    if offset:
        found.faults.append(
            Fault(
                "temporal offset",
                f"LR frame t shows HR frame t{offset:+d}",
                f"drop the first {offset} HR frames" if offset > 0 else f"drop the first {-offset} LR frames",
                {"offset": offset, "overlap": overlap},
            )
        )


def _judge_shuffle(found: Findings, match: Numbers, first: int) -> None:
    lag = match - np.arange(len(match))
    places = np.flatnonzero(lag != np.bincount(lag - lag.min()).argmax() + lag.min())
    moved = [int(t) + first for t in places]
    pairs = ", ".join(f"LR {t} shows HR {match[t - first]}" for t in moved[:3])
    found.faults.append(
        Fault(
            "frame order",
            f"{len(moved)} of {len(match)} frames out of place ({pairs}{', ...' if len(moved) > 3 else ''})",
            "number the frames anew (file names sorted as text?)",
            {"frames": moved, "match": match.tolist()},
        )
    )


def _judge_gaps(found: Findings, timeline: Timeline, match: Numbers, first: int) -> None:
    """match: of the LR frames from `first` on, none of them outside HR, in order."""
    step = np.diff(match)
    missing = [int(u) for t in np.flatnonzero(step > 1) for u in range(int(match[t]) + 1, int(match[t + 1]))]
    repeated = [int(t) + 1 + first for t in np.flatnonzero(step == 0)]
    extra = [t for t in repeated if timeline.mismatch[t] > 6 * timeline.floor]
    repeated = [t for t in repeated if t not in extra]
    if missing:
        found.faults.append(
            Fault(
                "dropped frames",
                f"LR lacks {len(missing)}: HR {listed(missing)}",
                "drop these HR frames, or make LR anew",
                {"hr": missing},
            )
        )
    if repeated:
        found.faults.append(
            Fault(
                "repeated frames",
                f"LR has {len(repeated)} twice: LR {listed(repeated)}",
                "drop these LR frames, or make LR anew",
                {"lr": repeated},
            )
        )
    if extra:
        found.faults.append(
            Fault(
                "frames without a partner",
                f"no HR frame shows LR {listed(extra)}",
                "drop these LR frames (HR lost them)",
                {"lr": extra},
            )
        )
