"""Which LR clip belongs to which HR clip, and the few frames of a pair that are looked at closely."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError
from vsr_lab.core.shots import Shot, find_shots
from vsr_lab.data.pairs.signatures import gray
from vsr_lab.data.pairs.timeline import Timeline


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
    """One LR frame and the HR frame it shows, H W 3; HR turned to lie like LR. before, after: HR's neighbours."""

    t: int
    u: int
    low: AnyFrames
    high: AnyFrames
    before: AnyFrames
    after: AnyFrames


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
    found = []
    for t in best:
        u = int(timeline.match[t])
        first, stop = max(0, u - 1), min(pair.high.frames, u + 2)
        near = [timeline.orientation.turn(frame) for frame in pair.high.read(first, stop).frames]
        found.append(Matched(t, u, lows[t], near[u - first], near[0], near[-1]))
    return found
