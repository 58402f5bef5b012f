"""Choice of representative shots by k-medoids over features, and writing of the files of a sample.

Medoids are used instead of the farthest points, so that each chosen shot is the centre of a cluster of shots and
represents a known fraction of the footage. Distances are squared, so that a rare kind of shot becomes a cluster of its
own.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vsr_lab.core.cuts import split_at_cuts
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import write_json
from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.curation.content import FEATURES
from vsr_lab.curation.scan import Scan, Scans
from vsr_lab.footage.shots import Shot
from vsr_lab.footage.tables import write_rows
from vsr_lab.video import open_footage

Array = npt.NDArray[np.float64]

_LONGEST = 8.0  # seconds: a longer scene counts as several shots
_SHORTEST = 8  # frames
_ROUNDS = 20
_DRAWS = 200
_LOGARITHMIC = ("motion", "detail", "noise")  # compared by ratio: twice the noise matters more than one level more


class ShotCandidate(NamedTuple):
    """Part of a file that may be chosen for a sample.

    Attributes:
        shot: the part.
        features: the features of `vsr_lab.curation.content.measure`, averaged over the measured frames of the part.
    """

    shot: Shot
    features: Array

    def middle(self, frames: int | None) -> Shot:
        """The middle `frames` frames of the shot; None: the whole shot."""
        first = (len(self.shot) - frames) // 2 if frames else 0
        return self.shot.window(first, first + frames) if frames else self.shot


@dataclass(frozen=True)
class Coverage:
    """How well a sample represents the footage: distances of all shots from the nearest chosen shot.

    A distance is the root mean square difference of the features of two shots, each feature divided by its standard
    deviation over all shots. The logarithms of motion, detail and noise are used.

    Attributes:
        mean, worst: mean and largest distance.
        random_mean, random_worst: the same, averaged over 200 random samples of the same number of shots.
    """

    mean: float
    worst: float
    random_mean: float
    random_worst: float


class Sample(NamedTuple):
    """Shots that represent the footage, as chosen by `choose_shots`.

    Attributes:
        chosen: indices of the chosen shots among the candidates; those that represent most footage come first.
        shares: fraction of the total duration that each chosen shot represents, in the same order.
        coverage: distances of all shots from the nearest chosen shot.
    """

    chosen: list[int]
    shares: list[float]
    coverage: Coverage


def shot_candidates(shot: Shot, scan: Scan, rate: float, shortest: int = _SHORTEST) -> list[ShotCandidate]:
    """Divide a part of a video at its scene cuts, and divide long scenes into equal parts.

    Args:
        shot: the part of the video.
        scan: measurements of the whole file.
        rate: frames per second.
        shortest: minimum number of frames of a part; shorter ones, and parts without a measured frame, are left out.
    """
    stop = scan.frames if shot.stop is None else shot.stop
    found: list[ShotCandidate] = []
    for first, last in split_at_cuts(scan.cuts.tolist(), shot.start, stop):
        count = max(1, round((last - first) / (_LONGEST * rate)))
        edges = np.linspace(first, last, count + 1).astype(int).tolist()
        for a, b in pairwise(edges):
            inside = (scan.measured >= a) & (scan.measured < b)
            if b - a >= shortest and inside.any():
                part = shot.window(a - shot.start, b - shot.start)
                found.append(ShotCandidate(part, scan.features[inside].mean(0)))
    return found


def find_candidates(
    shots: Sequence[Shot], scans: Scans, frames: int | None = None
) -> tuple[list[ShotCandidate], dict[str, str]]:
    """Divide shots into the parts from which `choose_shots` chooses.

    Args:
        shots: shots to divide.
        scans: stored measurements of files; files without measurements are measured.
        frames: minimum number of frames of a part; 8 by default.

    Returns:
        The parts, and name -> reason for shots that are left out.
    """
    scans.make()  # or every shot would be left out

    def parts(number: int, scan: Scan) -> list[ShotCandidate]:
        rate = float(open_footage(shots[number].path).rate)
        return shot_candidates(shots[number], scan, rate, frames or _SHORTEST)

    found, problems = scans.of_each(shots, parts)
    return [*chain.from_iterable(found)], problems


def choose_shots(candidates: Sequence[ShotCandidate], n: int, seed: int) -> Sample:
    """Choose the n candidates that represent all candidates best: the medoids in the space of their features.

    Args:
        candidates: parts of shots.
        n: number of candidates to choose.
        seed: seed of the random samples with which the coverage is compared; it does not affect the chosen candidates.

    Raises:
        UserError: n is below 1, or there are fewer than n candidates.
    """
    if not candidates:
        raise UserError(
            "frames", "must be <= the number of frames of the longest shot", "lower frames=, or use longer footage"
        )
    if not 0 < n <= len(candidates):
        raise UserError(
            "n", f"must be >= 1 and <= {len(candidates)}, the number of shots, got {n}", f"set n={len(candidates)}"
        )
    distance = _distances(np.stack([candidate.features for candidate in candidates]))
    weight = np.array([float(len(candidate.shot)) for candidate in candidates])
    chosen = _medoids(distance, n)
    nearest = np.asarray(chosen)[distance[:, chosen].argmin(1)]
    shares = {c: float(weight[nearest == c].sum() / weight.sum()) for c in chosen}
    order = sorted(chosen, key=lambda c: -shares[c])
    rng = np.random.default_rng(seed)
    draws = [_reach(distance, rng.choice(len(candidates), n, replace=False)) for _ in range(_DRAWS)]
    random_mean, random_worst = (float(value) for value in np.mean(draws, 0))
    mean, worst = _reach(distance, np.asarray(chosen))
    return Sample(order, [shares[c] for c in order], Coverage(mean, worst, random_mean, random_worst))


def _distances(features: Array) -> Array:
    """Euclidean distances of standardised features, divided by the square root of their number."""
    features = features.copy()
    for name in _LOGARITHMIC:
        column = FEATURES.index(name)
        features[:, column] = np.log(features[:, column] + 0.01)
    deviation = features.std(0)
    z = (features - features.mean(0)) / np.where(deviation > 1e-9, deviation, 1.0)
    square = np.square(z).sum(1)
    return np.sqrt(np.maximum(square[:, None] + square - 2 * z @ z.T, 0) / z.shape[1])


def _medoids(distance: Array, n: int) -> list[int]:
    """PAM (Kaufman and Rousseeuw 1990): n medoids that minimise the sum of squared distances."""
    square = distance**2
    chosen: list[int] = []
    for _ in range(n):
        chosen.append(int(_costs(square, chosen).argmin()))
    for _ in range(_ROUNDS):
        before = list(chosen)
        for k in range(n):
            costs = _costs(square, chosen[:k] + chosen[k + 1 :])
            best = int(costs.argmin())
            if costs[best] < costs[chosen[k]] - 1e-9:
                chosen[k] = best
        if chosen == before:
            break
    return chosen


def _costs(square: Array, others: list[int]) -> Array:
    """For each candidate, the sum of squared distances to the nearest medoid if it is added to the medoids `others`."""
    nearest = square[:, others].min(1) if others else np.full(len(square), np.inf)
    return np.minimum(square, nearest[:, None]).sum(0)


def _reach(distance: Array, chosen: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Mean and largest distance to the nearest chosen candidate."""
    gaps = distance[:, chosen].min(1)
    return float(gaps.mean()), float(gaps.max())


_CELL, _COLUMNS = (320, 180), 4


def write_sample(folder: Path, shots: Sequence[Shot], sample: Sample) -> dict[str, Path]:
    """Write a sample of shots: sheet.png (the middle frame of each shot), manifest.csv and sample.json.

    Args:
        folder: folder of the files.
        shots: the chosen shots.
        sample: fraction of the footage that each shot represents, and coverage.

    Returns:
        Name -> path of each file.
    """
    names = [f"{shot.name}_{shot.start}" for shot in shots]
    captions = [
        f"{shot.name} {shot.start}:{shot.stop}\nrepresents {share:.1%} of the footage"
        for shot, share in zip(shots, sample.shares, strict=True)
    ]
    frames = [shot.read(len(shot) // 2, len(shot) // 2 + 1).eight_bit()[0] for shot in shots]
    firsts = range(0, len(shots), _COLUMNS)
    pictures = [SheetRow(frames[first : first + _COLUMNS], captions[first : first + _COLUMNS]) for first in firsts]
    rows = [
        {
            "path": str(shot.path.resolve()),
            "name": name,
            "start": shot.start,
            "stop": shot.stop,
            "downscale": "" if shot.downscale == 1 else shot.downscale,
            "crop": " ".join(str(number) for number in shot.crop or ()),
            "stands_for": round(share, 4),
        }
        for shot, name, share in zip(shots, names, sample.shares, strict=True)
    ]
    numbers = {"stands_for": dict(zip(names, sample.shares, strict=True)), "coverage": asdict(sample.coverage)}
    files = {"sheet": folder / "sheet.png", "manifest": folder / "manifest.csv", "numbers": folder / "sample.json"}
    write_contact_sheet(files["sheet"], pictures, _CELL)
    write_rows(files["manifest"], rows)
    write_json(files["numbers"], {"schema": 1, **numbers})
    return files
