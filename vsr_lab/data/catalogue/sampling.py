"""A few shots that stand for a whole project: k-medoids over what shots look like.

Medoids and not the farthest points: each chosen shot is the middle of those that it stands for, and the share that it
stands for is known. Starting from the farthest points, rare kinds of shots get one of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vsr_lab.core.errors import UserError
from vsr_lab.core.shots import Shot
from vsr_lab.data.catalogue.cuts import scenes
from vsr_lab.data.catalogue.features import FEATURES
from vsr_lab.data.catalogue.scan import Scan

Array = npt.NDArray[np.float64]

_LONGEST = 8.0  # seconds: a longer take is counted as several shots
_SHORTEST = 8  # frames
_ROUNDS = 50
_DRAWS = 200
# What is counted by its order of magnitude, since twice the noise matters more than one level more.
_LOGARITHMIC = ("motion", "detail", "noise")


class Take(NamedTuple):
    """Frames start..stop-1 of a file. looks: its features, one row."""

    shot: Shot
    looks: Array


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


def takes_of(shot: Shot, scan: Scan, rate: float) -> list[Take]:
    """The shots inside a shot: between its cuts, long ones in pieces, each with the mean of the looks taken in it."""
    stop = scan.frames if shot.stop is None else shot.stop
    found: list[Take] = []
    for first, last in scenes(scan.cuts.tolist(), shot.start, stop):
        count = max(1, round((last - first) / (_LONGEST * rate)))
        edges = np.linspace(first, last, count + 1).astype(int).tolist()
        for a, b in pairwise(edges):
            looks = _looks(scan, a, b)
            if b - a >= _SHORTEST and looks is not None:
                found.append(Take(shot.window(a - shot.start, b - shot.start), looks))
    return found


def _looks(scan: Scan, first: int, last: int) -> Array | None:
    inside = (scan.looks >= first) & (scan.looks < last)
    return scan.features[inside].mean(0) if inside.any() else None


def choose(takes: list[Take], n: int, seed: int) -> Sample:
    """n takes that stand for all. The same takes give the same choice; seed is for the random draws it is held against.

    Raises UserError where there are not that many.
    """
    if not 0 < n <= len(takes):
        raise UserError(f"n={n}", f"the footage has {len(takes)} shots", f"say n=1 to n={len(takes)}")
    distance = _distances(np.stack([take.looks for take in takes]))
    weight = np.array([float(len(take.shot)) for take in takes])
    chosen = _medoids(distance, weight, n)
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


def _medoids(distance: Array, weight: Array, n: int) -> list[int]:
    """k-medoids by turns (Park and Jun 2009), begun at the middle and at the farthest points from what is chosen."""
    chosen = [int((distance**2 @ weight).argmin())]
    while len(chosen) < n:
        chosen.append(int(distance[:, chosen].min(1).argmax()))
    for _ in range(_ROUNDS):
        nearest = distance[:, chosen].argmin(1)
        better = [_middle(distance, weight, np.flatnonzero(nearest == k), chosen[k]) for k in range(n)]
        if better == chosen:
            break
        chosen = better
    return chosen


def _middle(distance: Array, weight: Array, group: npt.NDArray[np.int64], now: int) -> int:
    if not len(group):  # twins of another chosen one
        return now
    cost = distance[np.ix_(group, group)] ** 2 @ weight[group]
    return int(group[cost.argmin()])


def _reach(distance: Array, chosen: npt.NDArray[np.int64]) -> tuple[float, float]:
    gaps = distance[:, chosen].min(1)
    return float(gaps.mean()), float(gaps.max())


def gather(
    shots: list[Shot], scan_of: Callable[[Shot], tuple[Scan, float]], done: Callable[[Shot], object] = lambda shot: None
) -> list[Take]:
    """The takes of all shots; scan_of gives the scan of a shot's file and its frame rate."""
    takes: list[Take] = []
    for shot in shots:
        takes += takes_of(shot, *scan_of(shot))
        done(shot)
    return takes
