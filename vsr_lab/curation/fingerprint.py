"""Detection of copies of a picture after coding, scaling, cropping, mirroring and changes of brightness.

There are two steps. The coarse step finds possible pairs of pictures by a matrix product of 16x16 pictures of local
contrast; crops and mirrored versions of each picture are compared too. The fine step computes the normalised
correlation of the local contrast of both pictures of a pair, which hardly depends on brightness and gamma. It also
compares each picture with crops of the other, from which up to a fifth of the height and width is removed.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float32]

_COARSE = 16
_CROP = 0.86  # of the sides: the crops of the coarse step
_SCALES = (1.0, 0.95, 0.9, 0.85, 0.8)  # of the sides: the crops of the fine step,
_FINER = 0.025  # and those in between
_CANDIDATE = 0.45  # coarse similarity from which two pictures are compared in the fine step
_TRIES = 3  # candidates of a picture
SAME = 0.87  # fine similarity of copies; two different screens reached at most 0.85
_TILES = 4  # a side, in which two pictures have to agree
_TILE_ACTIVE = 0.02  # mean squared local contrast from which a tile shows something
_TILE_SAME, _TILE_SHARE = 0.5, 0.8  # correlation of a tile, and the share of active tiles that must reach it
_EMPTY = 3.0  # levels of deviation below which a picture is blank, and matches no other


class Match(NamedTuple):
    """Two pictures with the same content.

    Attributes:
        a: index of one picture in the first argument of `find_matches`.
        b: index of the other picture in the second argument.
        similarity: normalised correlation in [-1, 1].
        mirrored: whether picture b is a mirror image of picture a.
    """

    a: int
    b: int
    similarity: float
    mirrored: bool


class Fingerprints:
    """Small gray pictures (P, h, w), with descriptors by which pictures of the same content are found."""

    def __init__(self, thumbs: Gray) -> None:
        self.thumbs = thumbs
        self.plain = _coarse(thumbs)
        self.variants = {False: [*_crops(thumbs)], True: [*_crops(np.ascontiguousarray(thumbs[:, :, ::-1]))]}

    def __len__(self) -> int:
        return len(self.thumbs)


def find_matches(one: Fingerprints, other: Fingerprints) -> list[Match]:
    """For each picture of `one`, find a picture of `other` with the same content, if any."""
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
        similarity = {b: _fine_similarity(one.thumbs[a], other.thumbs[b], bool(how[a, b])) for b in tried}
        top = max(similarity, key=lambda b: similarity[b])
        if similarity[top] >= SAME:
            found.append(Match(a, top, similarity[top], bool(how[a, top])))
    return found


def _contrast(picture: npt.NDArray[np.generic]) -> Array:
    """Local contrast: difference from the local mean, divided by the local deviation."""
    plane = np.asarray(picture, np.float32)
    sigma = max(1.0, plane.shape[1] / 12)
    plane = plane - cv2.GaussianBlur(plane, (0, 0), sigma)
    spread = np.sqrt(np.asarray(cv2.GaussianBlur(plane * plane, (0, 0), 2 * sigma)))
    return np.asarray(plane / (spread + 4), np.float32)


def _coarse(pictures: Gray) -> Array:
    """Coarse descriptors (P, 256), rows with mean 0 and length 1; zero for blank pictures."""
    rows = np.zeros((len(pictures), _COARSE**2), np.float32)
    for i, picture in enumerate(pictures):
        if picture.std() < _EMPTY:
            continue
        small = cv2.resize(_contrast(picture), (_COARSE, _COARSE), interpolation=cv2.INTER_AREA).ravel()
        small = small - small.mean()
        rows[i] = small / max(1e-6, float(np.linalg.norm(small)))
    return rows


def _crops(pictures: Gray) -> Iterator[Array]:
    """Yield the coarse descriptors of whole pictures and of five crops."""
    yield _coarse(pictures)
    height, width = pictures.shape[1:]
    tall, wide = round(height * _CROP), round(width * _CROP)
    down, right = height - tall, width - wide
    for y, x in ((down // 2, right // 2), (0, 0), (0, right), (down, 0), (down, right)):
        yield _coarse(pictures[:, y : y + tall, x : x + wide])


def _fine_similarity(a: Gray, b: Gray, mirrored: bool) -> float:
    """Highest correlation of one picture with a crop of the other; 0 if only parts of them agree."""
    if mirrored:
        b = np.ascontiguousarray(b[:, ::-1])
    b = np.asarray(cv2.resize(b, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_AREA), np.uint8)
    best = max(_best_crop(_contrast(a), b), _best_crop(_contrast(b), a), key=lambda fit: fit.similarity)
    return best.similarity if best.similarity < SAME or _tiles_agree(best.place, best.part) else 0.0


class _Fit(NamedTuple):
    """Position in a picture that agrees best with another picture, the part.

    Attributes:
        similarity: correlation of `place` and `part`.
        place: local contrast of the area of the picture at this position.
        part: local contrast of the scaled part.
    """

    similarity: float
    place: Array
    part: Array


def _best_crop(whole: Array, part: Gray) -> _Fit:
    """Find the best match of `part` in `whole`. Height and width of `part` are scaled by factors from 0.8 to 1."""
    grid = {(tall, wide): _match(whole, part, tall, wide) for tall in _SCALES for wide in _SCALES}
    tall, wide = max(grid, key=lambda scales: grid[scales].similarity)
    best = grid[tall, wide]
    if best.similarity < _CANDIDATE:
        return best
    near = [(tall + y, wide + x) for y in (-_FINER, 0, _FINER) for x in (-_FINER, 0, _FINER)]
    finer = [_match(whole, part, min(1.0, tall), min(1.0, wide)) for tall, wide in near]
    return max(best, *finer, key=lambda fit: fit.similarity)


def _match(whole: Array, part: Gray, tall: float, wide: float) -> _Fit:
    width, height = round(whole.shape[1] * wide), round(whole.shape[0] * tall)
    shrunk = _contrast(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))
    scores = cv2.matchTemplate(whole, shrunk, cv2.TM_CCOEFF_NORMED)
    y, x = divmod(int(scores.argmax()), scores.shape[1])
    return _Fit(float(scores.max()), whole[y : y + height, x : x + width], shrunk)


def _tiles_agree(a: Array, b: Array) -> bool:
    """Whether two pictures agree in at least 80 % of the tiles that have content.

    Two pictures with the same window frame, but different content, may have a correlation of 0.95 as a whole.
    """
    same = [
        _correlation(one, other) > _TILE_SAME
        for rows in zip(np.array_split(a, _TILES), np.array_split(b, _TILES), strict=True)
        for one, other in zip(*(np.array_split(row, _TILES, axis=1) for row in rows), strict=True)
        if max(float(np.square(one).mean()), float(np.square(other).mean())) > _TILE_ACTIVE
    ]
    return len(same) >= 4 and float(np.mean(same)) >= _TILE_SHARE


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt(float(np.square(a).sum()) * float(np.square(b).sum())) + 1e-6))
