"""Footage that is on both sides of a split: the same shot, however it was coded, cropped or shifted in time."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsr_lab.core.cuts import split_at_cuts
from vsr_lab.curation.fingerprint import Match, Prints, find_matches
from vsr_lab.curation.scan import Scan
from vsr_lab.footage.shots import Shot


@dataclass(frozen=True)
class Entry:
    """A row of a manifest as the check sees it. numbers: frames of its prints; scenes: (first, last + 1)."""

    name: str
    split: str
    numbers: Sequence[int]
    prints: Prints
    scenes: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Leak:
    """Two shots that show the same. Windows are (first, last + 1) of each file; likeness in [0, 1]."""

    one: str
    other: str
    splits: tuple[str, str]
    window: tuple[int, int]
    twin: tuple[int, int]
    likeness: float
    mirrored: bool

    def __str__(self) -> str:
        how = ", mirrored" if self.mirrored else ""
        (a, b), (c, d) = self.window, self.twin
        return f"{self.one} {a}:{b} ({self.splits[0]}) is {self.other} {c}:{d} ({self.splits[1]}){how}"


def entry(shot: Shot, split: str, scan: Scan) -> Entry:
    """The prints of a shot's window, inside its crop."""
    stop = scan.frames if shot.stop is None else shot.stop
    first = max(0, int(np.searchsorted(scan.prints, shot.start, side="right")) - 1)  # what still stands at the start
    last = int(np.searchsorted(scan.prints, stop))
    thumbs = scan.thumbs[first:last]
    if shot.crop:
        height, width = shot.footage.size
        wide, tall, x, y = shot.crop
        rows = slice(round(y / height * thumbs.shape[1]), max(2, round((y + tall) / height * thumbs.shape[1])))
        columns = slice(round(x / width * thumbs.shape[2]), max(2, round((x + wide) / width * thumbs.shape[2])))
        thumbs = np.ascontiguousarray(thumbs[:, rows, columns])
    numbers = [max(shot.start, int(number)) for number in scan.prints[first:last]]
    return Entry(shot.name, split, numbers, Prints(thumbs), split_at_cuts(scan.cuts.tolist(), shot.start, stop))


def find_leaks(entries: Sequence[Entry]) -> list[Leak]:
    """Shots of different splits that show the same, the likest first. Entries without a split are in none."""
    found: list[Leak] = []
    for one, other in itertools.combinations(entries, 2):
        if one.split and other.split and one.split != other.split:
            found += compare(one, other)
    return sorted(found, key=lambda leak: -leak.likeness)


def compare(one: Entry, other: Entry) -> list[Leak]:
    """The shots of two entries that show the same: one for each pair of scenes."""
    together: dict[tuple[tuple[int, int], tuple[int, int]], list[Match]] = defaultdict(list)
    for match in find_matches(one.prints, other.prints):
        a, b = one.numbers[match.a], other.numbers[match.b]
        together[_scene(one, a), _scene(other, b)].append(match)
    leaks: list[Leak] = []
    for (window, twin), matches in together.items():
        best = max(matches, key=lambda match: match.likeness)
        splits = (one.split, other.split)
        leaks.append(Leak(one.name, other.name, splits, window, twin, round(best.likeness, 3), best.mirrored))
    return leaks


def _scene(entry: Entry, number: int) -> tuple[int, int]:
    return next(scene for scene in entry.scenes if scene[0] <= number < scene[1])
