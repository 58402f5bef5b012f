"""Pairing of LR and HR clips."""

from pathlib import Path
from typing import NamedTuple

from vsr_lab.core.errors import UserError
from vsr_lab.footage.shots import Shot, ShotSelection, find_shots


class ShotPair(NamedTuple):
    """An LR shot and an HR shot that should have the same content."""

    name: str
    low: Shot
    high: Shot


def find_pairs(lr: Path, hr: Path, clips: list[str] | None, frames: str | None) -> tuple[list[ShotPair], list[str]]:
    """Find pairs of LR and HR clips with the same name. If there is one LR and one HR clip, their names may differ.

    Args:
        lr, hr: files, folders or manifests.
        clips: names to use; None: all.
        frames: frames to use of every clip, "start:stop", such as "60:84"; None: all.

    Returns:
        The pairs, and the names that only one side has.

    Raises:
        UserError: no name is on both sides, or a name in `clips` is missing on one side.
    """
    if lr.resolve() == hr.resolve():
        raise UserError("lr", f"is the same as hr, {hr}", "set it to the footage at the lower resolution")
    lows, highs = (find_shots(root, ShotSelection(frames=frames)) for root in (lr, hr))
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
