"""Who trains and who judges: dealt out by source, never by neighbouring frames."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from vsr_lab.curation.leaks import Entry, compare


@dataclass(frozen=True)
class SourceGroup:
    """A row to be dealt out. source: rows of one stay together; split: what a person said, which stays; kind: content
    type, each of which is dealt out by itself; seconds: what it weighs."""

    source: Hashable
    split: str
    kind: str
    seconds: float


def near_duplicates(entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """Pairs of entries, by number, that share a shot."""
    return [(i, j) for (i, one), (j, other) in combinations(enumerate(entries), 2) if compare(one, other)]


def assign_splits(
    pieces: Sequence[SourceGroup], alike: Sequence[tuple[int, int]], share: float, names: tuple[str, str], seed: int
) -> list[str]:
    """A split for each piece: `share` of each kind's time goes to the second name, groups kept together.

    A group is what is of one source or shares a shot (alike: pairs of numbers). A group in which a person gave a split
    takes it, so that a later run never moves what is there. The same seed deals the same way.
    """
    groups = _groups(pieces, alike)
    kinds: dict[str, list[list[int]]] = defaultdict(list)
    for group in groups:
        kinds[_heaviest(pieces, group)].append(group)
    splits = [piece.split for piece in pieces]
    rng = np.random.default_rng(seed)
    for kind in sorted(kinds):
        _deal_kind(pieces, kinds[kind], share, names, rng, splits)
    return splits


def _groups(pieces: Sequence[SourceGroup], alike: Sequence[tuple[int, int]]) -> list[list[int]]:
    parent = list(range(len(pieces)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    first: dict[Hashable, int] = {}
    links = [(i, first.setdefault(piece.source, i)) for i, piece in enumerate(pieces)]
    for i, j in [*links, *alike]:
        parent[root(i)] = root(j)
    groups: dict[int, list[int]] = defaultdict(list)
    for i in range(len(pieces)):
        groups[root(i)].append(i)
    return list(groups.values())


def _heaviest(pieces: Sequence[SourceGroup], group: Sequence[int]) -> str:
    time: dict[str, float] = defaultdict(float)
    for i in group:
        time[pieces[i].kind] += pieces[i].seconds
    return max(time, key=lambda kind: time[kind])


def _deal_kind(
    pieces: Sequence[SourceGroup],
    groups: list[list[int]],
    share: float,
    names: tuple[str, str],
    rng: np.random.Generator,
    splits: list[str],
) -> None:
    """Fill splits for the groups of one kind."""
    weight = [sum(pieces[i].seconds for i in group) for group in groups]
    target, have = share * sum(weight), 0.0
    free: list[int] = []
    for number, group in enumerate(groups):
        said = {pieces[i].split for i in group} - {""}
        if not said:
            free.append(number)
            continue
        _set(splits, group, sorted(said)[0])
        have += weight[number] if names[1] in said else 0.0
    for number in rng.permutation(free):
        takes = abs(have + weight[number] - target) < abs(have - target)
        have += weight[number] if takes else 0.0
        _set(splits, groups[number], names[takes])


def _set(splits: list[str], group: Sequence[int], name: str) -> None:
    for i in group:
        splits[i] = splits[i] or name


def split_times(pieces: Sequence[SourceGroup], splits: Sequence[str]) -> Mapping[str, float]:
    """Seconds of each split."""
    time: dict[str, float] = defaultdict(float)
    for piece, split in zip(pieces, splits, strict=True):
        time[split] += piece.seconds
    return time
