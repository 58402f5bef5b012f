"""The same picture known again after coding, scaling, cropping, mirroring and a change of brightness.

Two steps. A coarse one finds candidates by one matrix product: 16x16 pictures of local contrast, each also as five
crops and mirrored. A fine one lays the small gray pictures over each other in every crop of up to a fifth and takes
the normalised correlation of their local contrast, which brightness and gamma hardly touch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float32]

_COARSE = 16
_CROP = 0.86  # of the sides: the crops that the coarse step tries
_SCALES = (1.0, 0.95, 0.9, 0.85, 0.8)  # of the sides: the crops that the fine step tries,
_FINER = 0.025  # and the ones that lie between
_CANDIDATE = 0.45  # coarse likeness from which a pair is looked at closely
_TRIES = 3  # how many candidates of a picture
SAME = 0.87  # fine likeness of the same picture; the likest two different screens that were met reach 0.85
_TILES = 4  # a side, in which two pictures have to agree
_TILE_LIVE = 0.02  # local contrast, squared, from which a tile shows something
_TILE_ALIKE, _TILE_SHARE = 0.5, 0.8  # correlation of a tile, and the share of live tiles that must reach it
_EMPTY = 3.0  # levels of deviation below which a picture is blank, and like any other blank one


@dataclass(frozen=True)
class Match:
    """Prints a and b (numbers in their lists) show the same: correlation in [-1, 1], and whether b is mirrored."""

    a: int
    b: int
    likeness: float
    mirrored: bool


class Prints:
    """Small gray pictures (P h w) with what the coarse step needs of them."""

    def __init__(self, thumbs: Gray) -> None:
        self.thumbs = thumbs
        self.plain = _coarse(thumbs)
        self.variants = {False: [*_crops(thumbs)], True: [*_crops(np.ascontiguousarray(thumbs[:, :, ::-1]))]}

    def __len__(self) -> int:
        return len(self.thumbs)


def find_matches(one: Prints, other: Prints) -> list[Match]:
    """Pictures of `other` that show the same as pictures of `one`, for each picture of `one` at most one."""
    best = np.full((len(one), len(other)), -1.0, np.float32)
    how = np.zeros(best.shape, np.bool_)
    for mirrored in (False, True):
        whole_in_crop = (one.plain @ crop.T for crop in other.variants[mirrored])
        crop_in_whole = (crop @ other.plain.T for crop in one.variants[mirrored])
        highest = np.max([*whole_in_crop, *crop_in_whole], 0)
        how[highest > best] = mirrored
        best = np.maximum(best, highest)
    found: list[Match] = []
    for a in (int(n) for n in np.flatnonzero((best > _CANDIDATE).any(1))):
        tried = [int(b) for b in np.argsort(-best[a])[:_TRIES] if best[a, b] > _CANDIDATE]
        likeness = {b: _aligned(one.thumbs[a], other.thumbs[b], bool(how[a, b])) for b in tried}
        top = max(likeness, key=lambda b: likeness[b])
        if likeness[top] >= SAME:
            found.append(Match(a, top, likeness[top], bool(how[a, top])))
    return found


def _contrast(picture: npt.NDArray[np.generic]) -> Array:
    """Local contrast: what differs from the surroundings, over how much things differ there."""
    plane = np.asarray(picture, np.float32)
    sigma = max(1.0, plane.shape[1] / 12)
    plane = plane - cv2.GaussianBlur(plane, (0, 0), sigma)
    spread = np.sqrt(np.asarray(cv2.GaussianBlur(plane * plane, (0, 0), 2 * sigma)))
    return np.asarray(plane / (spread + 4), np.float32)


def _coarse(pictures: Gray) -> Array:
    """P x 256, each row of zero mean and length 1; rows of blank pictures are zero, and like nothing."""
    rows = np.zeros((len(pictures), _COARSE**2), np.float32)
    for i, picture in enumerate(pictures):
        if picture.std() < _EMPTY:
            continue
        small = cv2.resize(_contrast(picture), (_COARSE, _COARSE), interpolation=cv2.INTER_AREA).ravel()
        small = small - small.mean()
        rows[i] = small / max(1e-6, float(np.linalg.norm(small)))
    return rows


def _crops(pictures: Gray) -> Iterator[Array]:
    """Coarse pictures of the whole and of five crops."""
    yield _coarse(pictures)
    height, width = pictures.shape[1:]
    tall, wide = round(height * _CROP), round(width * _CROP)
    down, right = height - tall, width - wide
    for y, x in ((down // 2, right // 2), (0, 0), (0, right), (down, 0), (down, right)):
        yield _coarse(pictures[:, y : y + tall, x : x + wide])


def _aligned(a: Gray, b: Gray, mirrored: bool) -> float:
    """The best correlation of one picture with a crop of the other; 0 where they agree in some places only."""
    if mirrored:
        b = np.ascontiguousarray(b[:, ::-1])
    b = np.asarray(cv2.resize(b, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_AREA), np.uint8)
    best = max(_within(_contrast(a), b), _within(_contrast(b), a), key=lambda fit: fit.likeness)
    return best.likeness if best.likeness < SAME or _agrees(best.place, best.part) else 0.0


class _Fit(NamedTuple):
    """A picture laid into another: the place that it covers there, and itself, as local contrast."""

    likeness: float
    place: Array
    part: Array


def _within(whole: Array, part: Gray) -> _Fit:
    """The best fit of `part`, shrunk along either axis to no less than four fifths, in `whole`."""
    grid = {(tall, wide): _placed(whole, part, tall, wide) for tall in _SCALES for wide in _SCALES}
    tall, wide = max(grid, key=lambda scales: grid[scales].likeness)
    best = grid[tall, wide]
    if best.likeness < _CANDIDATE:
        return best
    near = [(tall + y, wide + x) for y in (-_FINER, 0, _FINER) for x in (-_FINER, 0, _FINER)]
    finer = [_placed(whole, part, min(1.0, tall), min(1.0, wide)) for tall, wide in near]
    return max(best, *finer, key=lambda fit: fit.likeness)


def _placed(whole: Array, part: Gray, tall: float, wide: float) -> _Fit:
    width, height = round(whole.shape[1] * wide), round(whole.shape[0] * tall)
    shrunk = _contrast(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))
    likeness = cv2.matchTemplate(whole, shrunk, cv2.TM_CCOEFF_NORMED)
    y, x = divmod(int(likeness.argmax()), likeness.shape[1])
    return _Fit(float(likeness.max()), whole[y : y + height, x : x + width], shrunk)


def _agrees(a: Array, b: Array) -> bool:
    """Whether two pictures are alike wherever either shows something: frames of windows alone may correlate by 0.95."""
    alike = [
        _correlation(one, other) > _TILE_ALIKE
        for rows in zip(np.array_split(a, _TILES), np.array_split(b, _TILES), strict=True)
        for one, other in zip(*(np.array_split(row, _TILES, axis=1) for row in rows), strict=True)
        if max(float(np.square(one).mean()), float(np.square(other).mean())) > _TILE_LIVE
    ]
    return len(alike) >= 4 and float(np.mean(alike)) >= _TILE_SHARE


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt(float(np.square(a).sum()) * float(np.square(b).sum())) + 1e-6))
