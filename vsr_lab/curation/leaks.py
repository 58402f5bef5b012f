"""Detection of shots that are in more than one split, also if they were re-encoded, cropped or shifted in time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from vsr_lab.core.cuts import split_at_cuts
from vsr_lab.curation.fingerprint import Fingerprints, Match, find_matches
from vsr_lab.curation.scan import Scan
from vsr_lab.curation.scans import Scans
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.footage.tables import read_rows

Window = tuple[int, int]  # (first, last + 1), frames of the file


@dataclass(frozen=True)
class ShotFingerprint:
    """Small pictures of a shot, by which it is compared with other shots.

    Attributes:
        name, split: name and split of the shot.
        frames: frame numbers of the fingerprints.
        fingerprints: small gray pictures of these frames.
        scenes: range of frames (start, stop) of each scene, without `stop`.
    """

    name: str
    split: str
    frames: Sequence[int]
    fingerprints: Fingerprints
    scenes: Sequence[Window]


@dataclass(frozen=True)
class Leak:
    """Two shots of different splits with the same content.

    Attributes:
        one, other: names of the shots.
        splits: splits of the two shots.
        window, other_window: range of frames (start, stop) of the matching part in the file of each shot, without
            `stop`.
        similarity: highest correlation of two matching frames, in [0, 1].
        mirrored: whether one of the shots is mirrored.
    """

    one: str
    other: str
    splits: tuple[str, str]
    window: Window
    other_window: Window
    similarity: float
    mirrored: bool

    def __str__(self) -> str:
        how = ", mirrored" if self.mirrored else ""
        (a, b), (c, d) = self.window, self.other_window
        return f"{self.one} {a}:{b} ({self.splits[0]}) is {self.other} {c}:{d} ({self.splits[1]}){how}"


def fingerprint_shot(shot: Shot, split: str, scan: Scan) -> ShotFingerprint:
    """Compute the fingerprints of a shot, in its range of frames and its crop, from the measurements of its file."""
    stop = scan.frames if shot.stop is None else shot.stop
    first = max(0, int(np.searchsorted(scan.thumb_frames, shot.start, side="right")) - 1)  # the last one before start
    last = int(np.searchsorted(scan.thumb_frames, stop))
    thumbs = scan.thumbs[first:last]
    if shot.crop:
        height, width = shot.footage.size
        wide, tall, x, y = shot.crop
        rows = slice(round(y / height * thumbs.shape[1]), max(2, round((y + tall) / height * thumbs.shape[1])))
        columns = slice(round(x / width * thumbs.shape[2]), max(2, round((x + wide) / width * thumbs.shape[2])))
        thumbs = np.ascontiguousarray(thumbs[:, rows, columns])
    frames = [max(shot.start, int(number)) for number in scan.thumb_frames[first:last]]
    scenes = split_at_cuts(scan.cuts.tolist(), shot.start, stop)
    return ShotFingerprint(shot.name, split, frames, Fingerprints(thumbs), scenes)


def fingerprint_manifest(manifest: Path, scans: Scans) -> tuple[list[ShotFingerprint], dict[str, str]]:
    """Compute the fingerprints of all shots of a manifest. Also returns name -> reason for shots that are left out."""
    rows = [row for row in read_rows(manifest) if not row.get("problem")]
    shots = [replace(shot, sha256="") for shot in find_shots(manifest)]  # their files may have changed
    return scans.of_each(shots, rows, lambda n, scan: fingerprint_shot(shots[n], rows[n].get("split") or "", scan))


def find_leaks(shots: Sequence[ShotFingerprint]) -> list[Leak]:
    """Find leaks between splits (such as train and test): shots of different splits with the same content.

    Shots without a split are ignored.

    Returns:
        Pairs of shots, in order of descending similarity.
    """
    pairs = [(a, b) for a, b in combinations(shots, 2) if a.split and b.split and a.split != b.split]
    found = [leak for one, other in pairs for leak in shared_scenes(one, other)]
    return sorted(found, key=lambda leak: -leak.similarity)


def shared_scenes(one: ShotFingerprint, other: ShotFingerprint) -> list[Leak]:
    """Find the scenes of one shot that also occur in another shot. Returns one leak per pair of scenes."""
    together: dict[tuple[Window, Window], list[Match]] = defaultdict(list)
    for match in find_matches(one.fingerprints, other.fingerprints):
        together[_scene(one, match.a), _scene(other, match.b)].append(match)
    splits = (one.split, other.split)
    leaks: list[Leak] = []
    for windows, matches in together.items():
        best = max(matches, key=lambda match: match.similarity)
        leaks.append(Leak(one.name, other.name, splits, *windows, round(best.similarity, 3), best.mirrored))
    return leaks


def _scene(shot: ShotFingerprint, index: int) -> Window:
    return next(scene for scene in shot.scenes if scene[0] <= shot.frames[index] < scene[1])
