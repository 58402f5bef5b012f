"""Detection of shots that occur in two splits (such as train and test), and assignment of clips to separate splits."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vsr_lab.core.cuts import split_at_cuts
from vsr_lab.curation.fingerprint import Fingerprints, Match, find_matches
from vsr_lab.curation.index import Row
from vsr_lab.curation.scan import Scan, Scans
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.footage.tables import read_rows

Window = tuple[int, int]  # (first, last + 1), frames of the file


class ShotFingerprint(NamedTuple):
    """Small pictures of a shot, by which it is compared with other shots.

    Attributes:
        name, split: name and split of the shot.
        frames: numbers, in the file, of the frames that the pictures show.
        fingerprints: the pictures, gray, with descriptors.
        scenes: (start, stop) of each scene, as frame numbers in the file, `stop` exclusive.
    """

    name: str
    split: str
    frames: Sequence[int]
    fingerprints: Fingerprints
    scenes: Sequence[Window]


@dataclass(frozen=True)
class Leak:
    """Two scenes with the same content in shots of different splits.

    Attributes:
        one, other: names of the shots.
        splits: splits of the two shots.
        window, other_window: (start, stop) of the scene in each shot, as frame numbers in the file, `stop` exclusive.
        similarity: highest correlation of two matching frames, in [0, 1].
        mirrored: whether one of the scenes is mirrored.
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
    """Select the fingerprints of a shot, and crop them like the shot, from the stored measurements of the whole file.

    Args:
        shot: the shot, a range of frames and a crop of a file.
        split: split of the shot, such as "train"; "" if it has none.
        scan: measurements of the file.
    """
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
    """Compute the fingerprints of all shots of a manifest.

    Args:
        manifest: path of the manifest.
        scans: stored measurements of files; files without measurements are measured.

    Returns:
        The fingerprints, and name -> reason for shots that are left out.
    """
    rows = [row for row in read_rows(manifest) if not row.get("problem")]
    shots = [replace(shot, sha256="") for shot in find_shots(manifest)]  # their files may have changed
    return scans.of_each(shots, lambda n, scan: fingerprint_shot(shots[n], rows[n].get("split") or "", scan))


def find_leaks(shots: Sequence[ShotFingerprint]) -> list[Leak]:
    """Find leaks between splits (such as train and test): shots of different splits with the same content.

    Shots without a split are ignored.

    Returns:
        One leak for each pair of matching scenes, in order of descending similarity.
    """
    pairs = [(a, b) for a, b in combinations(shots, 2) if a.split and b.split and a.split != b.split]
    found = [leak for one, other in pairs for leak in shared_scenes(one, other)]
    return sorted(found, key=lambda leak: -leak.similarity)


def shared_scenes(one: ShotFingerprint, other: ShotFingerprint) -> list[Leak]:
    """Find the scenes of one row of a manifest that also occur in another row.

    A scene is a range of frames without a cut. A row of a manifest contains several scenes if it was not split at cuts.

    Returns:
        One leak for each pair of matching scenes.
    """
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


class SourceGroup(NamedTuple):
    """One clip, with the source by which `assign_splits` groups clips.

    Attributes:
        source: where the clip is from, such as a film; clips with the same source get the same split.
        split: split that a person assigned, or "".
        kind: content type; clips of each content type are divided separately.
        seconds: duration of the clip.
    """

    source: Hashable
    split: str
    kind: str
    seconds: float


def near_duplicates(shots: Sequence[ShotFingerprint]) -> list[tuple[int, int]]:
    """Find all pairs of shots that share a scene. Returns the indices of the shots of each pair."""
    return [(i, j) for (i, one), (j, other) in combinations(enumerate(shots), 2) if shared_scenes(one, other)]


def assign_splits(
    clips: Sequence[SourceGroup],
    duplicates: Sequence[tuple[int, int]],
    share: float,
    *,
    names: tuple[str, str],
    seed: int,
) -> list[str]:
    """Divide clips into two splits, such as train and test, by source.

    Clips with the same source, and clips that share a scene, get the same split.

    Args:
        clips: the clips.
        duplicates: pairs of clips (indices) that share a scene.
        share: fraction of the duration of each content type that goes to the second split, in (0, 1).
        names: names of the first and of the second split.
        seed: seed of the random order in which groups of clips are assigned.

    Returns:
        The name of the split of each clip. If a person assigned a split to one clip of a group (clips that must have
        the same split), the other clips of the group get this split; splits that a person assigned are never changed.
    """
    kinds: dict[str, list[list[int]]] = defaultdict(list)
    for group in _groups(clips, duplicates):
        time: dict[str, float] = defaultdict(float)
        for i in group:
            time[clips[i].kind] += clips[i].seconds
        kinds[max(time, key=lambda kind: time[kind])].append(group)
    splits = [clip.split for clip in clips]
    rng = np.random.default_rng(seed)
    for kind in sorted(kinds):
        for group, name in zip(kinds[kind], _divide(clips, kinds[kind], share, names, rng), strict=True):
            for i in group:
                splits[i] = splits[i] or name
    return splits


def fill_splits(
    rows: Sequence[Row], manifest: Path, scans: Scans, *, share: float, names: tuple[str, str], seed: int
) -> None:
    """Fill the empty cells of the column `split` of a manifest, except in rows with a problem.

    Clips with the same source, and near-duplicates (clips that share a scene), get the same split, unless a person has
    assigned different ones.

    Args:
        rows: rows of the manifest, which are changed in place.
        manifest: path of the manifest.
        scans: stored measurements of files.
        share: fraction of the duration of each content type that goes to the second split, in (0, 1).
        names: names of the first and of the second split.
        seed: seed of the random order in which groups of clips are assigned.
    """
    usable = [row for row in rows if not row["problem"]]
    clips = [
        SourceGroup(
            source=str(row["source"] or row["path"]),
            split=str(row["split"]),
            kind=str(row["content_type"] or row["suggested_content"]),
            seconds=float(str(row["duration"] or 0)),
        )
        for row in usable
    ]
    shots = [fingerprint_shot(shot, "", scans.get(shot.path)) for shot in find_shots(manifest)]
    splits = assign_splits(clips, near_duplicates(shots), share, names=names, seed=seed)
    for row, split in zip(usable, splits, strict=True):
        row["split"] = split


def _groups(clips: Sequence[SourceGroup], duplicates: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Groups of clips, as indices, that are linked by the same source or a shared scene, directly or through others."""
    first: dict[Hashable, int] = {}
    links = [*((i, first.setdefault(clip.source, i)) for i, clip in enumerate(clips)), *duplicates]
    ends = np.array(links, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(links)), (ends[0], ends[1])), shape=(len(clips), len(clips)))
    count, labels = connected_components(graph, directed=False)
    return [np.flatnonzero(labels == group).tolist() for group in range(count)]


def _divide(
    clips: Sequence[SourceGroup],
    groups: list[list[int]],
    share: float,
    names: tuple[str, str],
    rng: np.random.Generator,
) -> list[str]:
    """Assign a split to each group of one content type."""
    seconds = [sum(clips[i].seconds for i in group) for group in groups]
    fixed = [sorted({clips[i].split for i in group} - {""}) for group in groups]
    target = share * sum(seconds)
    taken = sum(length for length, split in zip(seconds, fixed, strict=True) if names[1] in split)
    found = [split[0] if split else "" for split in fixed]
    for number in rng.permutation([i for i, split in enumerate(fixed) if not split]):
        takes = abs(taken + seconds[number] - target) < abs(taken - target)
        taken += seconds[number] if takes else 0.0
        found[number] = names[takes]
    return found
