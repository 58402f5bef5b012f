"""A few shots that stand for a whole project: k-medoids over what shots look like.

Medoids and not the farthest points: each chosen shot is the middle of those that it stands for, and the share that it
stands for is known. Distances are squared, so that a rare kind of shot that lies far from all others gets its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vsr_lab.core.cuts import split_at_cuts
from vsr_lab.core.errors import UserError
from vsr_lab.curation.features import FEATURES
from vsr_lab.curation.scan import Scan
from vsr_lab.footage.shots import Shot

Array = npt.NDArray[np.float64]

_LONGEST = 8.0  # seconds: a longer take is counted as several shots
_SHORTEST = 8  # frames
_ROUNDS = 20
_DRAWS = 200
# What is counted by its order of magnitude, since twice the noise matters more than one level more.
_LOGARITHMIC = ("motion", "detail", "noise")


class ShotCandidate(NamedTuple):
    """Frames start..stop-1 of a file. looks: its features, one row."""

    shot: Shot
    looks: Array

    def middle(self, frames: int | None) -> Shot:
        """Its middle frames, or all of it."""
        first = (len(self.shot) - frames) // 2 if frames else 0
        return self.shot.window(first, first + frames) if frames else self.shot


@dataclass(frozen=True)
class Coverage:
    """How far shots are from the nearest chosen one, in deviations of their features: mean and worst, and the same for
    the mean of 200 random draws of as many.
    """

    mean: float
    worst: float
    random_mean: float
    random_worst: float


@dataclass(frozen=True)
class Sample:
    """chosen: numbers of takes, the one that stands for most first; shares: of all time, that each stands for."""

    chosen: list[int]
    shares: list[float]
    coverage: Coverage


def takes_of(shot: Shot, scan: Scan, rate: float, shortest: int = _SHORTEST) -> list[ShotCandidate]:
    """The shots inside a shot: between its cuts, long ones in pieces, each with the mean of the looks taken in it.

    shortest: frames, under which a piece does not count.
    """
    stop = scan.frames if shot.stop is None else shot.stop
    found: list[ShotCandidate] = []
    for first, last in split_at_cuts(scan.cuts.tolist(), shot.start, stop):
        count = max(1, round((last - first) / (_LONGEST * rate)))
        edges = np.linspace(first, last, count + 1).astype(int).tolist()
        for a, b in pairwise(edges):
            looks = _looks(scan, a, b)
            if b - a >= shortest and looks is not None:
                found.append(ShotCandidate(shot.window(a - shot.start, b - shot.start), looks))
    return found


def _looks(scan: Scan, first: int, last: int) -> Array | None:
    inside = (scan.looks >= first) & (scan.looks < last)
    return scan.features[inside].mean(0) if inside.any() else None


def choose(takes: list[ShotCandidate], n: int, seed: int) -> Sample:
    """n takes that stand for all. The same takes give the same choice; seed is for the random draws it is held against.

    Raises UserError where there are not that many.
    """
    if not takes:
        raise UserError(f"n={n}", "no shot is long enough", "bring longer footage, or say fewer frames=")
    if not 0 < n <= len(takes):
        raise UserError(f"n={n}", f"the footage has {len(takes)} shots", f"say n=1 to n={len(takes)}")
    distance = _distances(np.stack([take.looks for take in takes]))
    weight = np.array([float(len(take.shot)) for take in takes])
    chosen = _medoids(distance, n)
    nearest = np.asarray(chosen)[distance[:, chosen].argmin(1)]
    shares = {c: float(weight[nearest == c].sum() / weight.sum()) for c in chosen}
    order = sorted(chosen, key=lambda c: -shares[c])
    rng = np.random.default_rng(seed)
    draws = [_reach(distance, rng.choice(len(takes), n, replace=False)) for _ in range(_DRAWS)]
    random_mean, random_worst = (float(value) for value in np.mean(draws, 0))
    mean, worst = _reach(distance, np.asarray(chosen))
    return Sample(order, [shares[c] for c in order], Coverage(mean, worst, random_mean, random_worst))


def _distances(looks: Array) -> Array:
    """Between all takes: Euclidean over standardised features, divided by the root of their number."""
    looks = looks.copy()
    for name in _LOGARITHMIC:
        column = FEATURES.index(name)
        looks[:, column] = np.log(looks[:, column] + 0.01)
    deviation = looks.std(0)
    z = (looks - looks.mean(0)) / np.where(deviation > 1e-9, deviation, 1.0)
    square = np.square(z).sum(1)
    return np.sqrt(np.maximum(square[:, None] + square - 2 * z @ z.T, 0) / z.shape[1])


def _medoids(distance: Array, n: int) -> list[int]:
    """PAM: the n that make the sum of squared distances to the nearest smallest, built up one by one, then exchanged
    while that helps (Kaufman and Rousseeuw 1990).
    """
    square = distance**2
    chosen: list[int] = []
    for _ in range(n):
        chosen.append(_best(square, _nearest(square, chosen)))
    for _ in range(_ROUNDS):
        before = list(chosen)
        for k in range(n):
            others = _nearest(square, chosen[:k] + chosen[k + 1 :])
            better = _best(square, others)
            if _cost(square, others, better) < _cost(square, others, chosen[k]) - 1e-9:
                chosen[k] = better
        if chosen == before:
            break
    return chosen


def _nearest(square: Array, chosen: list[int]) -> Array:
    return square[:, chosen].min(1) if chosen else np.full(len(square), np.inf)


def _best(square: Array, others: Array) -> int:
    """The one that helps most beside those whose nearest lies at `others`."""
    return int(np.minimum(square, others[:, None]).sum(0).argmin())


def _cost(square: Array, others: Array, one: int) -> float:
    return float(np.minimum(square[:, one], others).sum())


def _reach(distance: Array, chosen: npt.NDArray[np.int64]) -> tuple[float, float]:
    gaps = distance[:, chosen].min(1)
    return float(gaps.mean()), float(gaps.max())


def gather(
    shots: list[Shot],
    scan_of: Callable[[Shot], tuple[Scan, float]],
    done: Callable[[Shot], object] = lambda shot: None,
    frames: int | None = None,
) -> tuple[list[ShotCandidate], dict[str, str]]:
    """The takes of all shots, and why others are left out, by name. scan_of gives the scan of a shot's file and its
    frame rate, or raises UserError; frames: how long a take has to be, other than 8.

    Raises UserError where that is no number of frames.
    """
    if frames is not None and frames < 1:
        raise UserError(f"frames={frames}", "is no length", "say how many frames, such as frames=48")
    takes: list[ShotCandidate] = []
    problems: dict[str, str] = {}
    for shot in shots:
        try:
            takes += takes_of(shot, *scan_of(shot), frames or _SHORTEST)
        except UserError as error:
            problems[shot.name] = str(error)
        done(shot)
    return takes, problems
