"""Assignment of clips to a training and an evaluation split, such that clips of one source are in the same split."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vsr_lab.curation.leaks import ShotFingerprint, fingerprint_shot, shared_scenes
from vsr_lab.curation.rows import Row
from vsr_lab.curation.scans import Scans
from vsr_lab.footage.shots import find_shots


@dataclass(frozen=True)
class SourceGroup:
    """A clip that `assign_splits` assigns to a split (training, validation or test).

    Attributes:
        source: clips with the same source get the same split.
        split: split that a person assigned, or "".
        kind: content type; clips of each content type are divided separately.
        seconds: duration of the clip.
    """

    source: Hashable
    split: str
    kind: str
    seconds: float


def near_duplicates(shots: Sequence[ShotFingerprint]) -> list[tuple[int, int]]:
    """Pairs of shots, by index, that share a scene."""
    return [(i, j) for (i, one), (j, other) in combinations(enumerate(shots), 2) if shared_scenes(one, other)]


def assign_splits(
    clips: Sequence[SourceGroup], duplicates: Sequence[tuple[int, int]], share: float, names: tuple[str, str], seed: int
) -> list[str]:
    """Divide clips into two splits, such as train and test, by source.

    Clips of one source, and clips that share a scene, get the same split.

    Args:
        clips: the clips.
        duplicates: pairs of clips (indices) that share a scene.
        share: fraction of the duration of each content type for the second split, in (0, 1).
        names: names of the two splits.
        seed: seed of the random order in which groups of such clips are assigned.

    Returns:
        The name of each clip's split. If a person assigned a split to one clip of a group, the whole group gets it.
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
    """Fill the empty cells of the column `split` of a manifest. Related and near-duplicate clips get the same split.

    Args:
        rows: rows of the manifest, which are changed.
        manifest: path of the manifest.
        scans: stored measurements of files.
        share: fraction of the duration of each content type for the second split, in (0, 1).
        names: names of the two splits.
        seed: seed of the random order in which groups of related clips are assigned.
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
    shots = [
        fingerprint_shot(shot, "", scans.get(shot.path, str(row["sha256"])))
        for shot, row in zip(find_shots(manifest), usable, strict=True)
    ]
    splits = assign_splits(clips, near_duplicates(shots), share, names, seed)
    for row, split in zip(usable, splits, strict=True):
        row["split"] = split


def _groups(clips: Sequence[SourceGroup], duplicates: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Clips of one source, and clips that share a scene, with all that these are linked to."""
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
