"""Which LR clip belongs to which HR clip, and the few frames of a pair that are looked at closely."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsr_lab.alignment.signatures import gray
from vsr_lab.alignment.timeline import Timeline
from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError
from vsr_lab.footage.shots import Shot, find_shots


@dataclass(frozen=True)
class ShotPair:
    """Two shots said to be one clip, twice."""

    name: str
    low: Shot
    high: Shot


def find_pairs(lr: Path, hr: Path, clips: list[str] | None, frames: str | None) -> tuple[list[ShotPair], list[str]]:
    """The pairs under two files, folders or manifests, and the names that only one of them has.

    One clip on either side is a pair whatever the names. Raises UserError where no name is on both sides.
    """
    lows = find_shots(lr, frames=frames)
    highs = find_shots(hr, frames=frames)
    if len(lows) == len(highs) == 1:
        return [ShotPair(highs[0].name, lows[0], highs[0])], []
    low_of, high_of = ({shot.name: shot for shot in shots} for shots in (lows, highs))
    names = sorted(low_of.keys() & high_of.keys())
    if not names:
        raise UserError(lr, f"shares no clip name with {hr}", f"they begin with {lows[0].name} and {highs[0].name}")
    alone = sorted(low_of.keys() ^ high_of.keys())
    if clips:
        missing = sorted(set(clips) - set(names))
        if missing:
            raise UserError(hr, f"has no pair {', '.join(missing)}", f"it has {', '.join(names)}")
        names, alone = clips, []
    return [ShotPair(name, low_of[name], high_of[name]) for name in names], alone


@dataclass(frozen=True)
class Matched:
    """LR frame t and the HR frame u that it shows, H W 3; HR turned to lie like LR."""

    t: int
    u: int
    low: AnyFrames
    high: AnyFrames


def detail(frame: AnyFrames) -> float:
    """Mean change from pixel to pixel, in levels."""
    picture = gray(frame)
    return float(np.abs(np.diff(picture, axis=0)).mean() + np.abs(np.diff(picture, axis=1)).mean())


def sample_frames(pair: ShotPair, timeline: Timeline, looked: int, kept: int) -> list[Matched]:
    """The `kept` most detailed of `looked` soundly matched LR frames over the clip, with the HR frames they show."""
    sound = timeline.partnered
    places = sound[np.unique(np.linspace(0, len(sound) - 1, looked + 2).round().astype(int)[1:-1])]
    lows = {int(t): pair.low.read(int(t), int(t) + 1).frames[0] for t in places}
    best = sorted(sorted(lows, key=lambda t: -detail(lows[t]))[:kept])
    return [_matched(pair, timeline, t, lows[t]) for t in best]


def sample_worst(pair: ShotPair, timeline: Timeline, kept: int) -> list[Matched]:
    """The LR frames that are least like their match, where they are clearly worse than most."""
    inside = (timeline.match >= 0) & (timeline.match < pair.high.frames)
    worst = np.argsort(np.where(inside, -timeline.mismatch, 0))[:kept]
    worst = [int(t) for t in worst if inside[t] and timeline.mismatch[t] > 3 * timeline.floor]
    return [_matched(pair, timeline, t, pair.low.read(t, t + 1).frames[0]) for t in sorted(worst)]


def around(pair: ShotPair, timeline: Timeline, frame: Matched) -> tuple[AnyFrames, AnyFrames]:
    """The HR frames before and after the one that a frame shows (that one itself at an end), turned likewise."""
    last = pair.high.frames - 1
    before, after = (_high(pair, timeline, int(np.clip(u, 0, last))) for u in (frame.u - 1, frame.u + 1))
    return before, after


def _matched(pair: ShotPair, timeline: Timeline, t: int, low: AnyFrames) -> Matched:
    u = int(timeline.match[t])
    return Matched(t, u, low, _high(pair, timeline, u))


def _high(pair: ShotPair, timeline: Timeline, u: int) -> AnyFrames:
    return timeline.orientation.turn(pair.high.read(u, u + 1).frames[0])
