"""Worst frames and tiles of candidates, found in whole clips while they are scored, with small pictures of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from vsr_lab.core.clip import Frames, judged_channels, quantise, to_frames
from vsr_lab.core.crops import TILE, Square, cut, square_at
from vsr_lab.core.files import atomic_path
from vsr_lab.core.records.evaluation import WorstKind, WorstPlace
from vsr_lab.core.resize import imresize
from vsr_lab.evaluation.protocol import Pair, Protocol
from vsr_lab.video.writer import even_size

STILL = 704  # pixels of the longer side of a lossy picture of a whole frame
_JPEG = 90  # quality


class _Found(NamedTuple):
    """A bad place of a candidate.

    Attributes:
        badness: how bad the place is; larger is worse.
        place: the place.
        crops: view (hr, lr or "sr CANDIDATE") -> picture of the place.
        stills: view -> picture of the whole frame; empty for a place of kind "tile".
    """

    badness: float
    place: WorstPlace
    crops: dict[str, Frames]
    stills: dict[str, Frames]


class WorstPlaces:
    """Finds the worst frame and the worst tile of every candidate in a clip, frame by frame.

    Only the pictures of the worst places so far are kept, so memory does not grow with the length of the clip. The
    places that are found for a candidate do not depend on the other candidates.

    Args:
        clip: name of the clip.
        frames: number of frames of the clip.
        protocol: determines which frames are scored, and how PSNR is computed.
    """

    def __init__(self, clip: str, frames: int, protocol: Protocol) -> None:
        self._clip = clip
        self._scored = protocol.scored_frames(frames)
        self._protocol = protocol
        self._found: dict[tuple[str, WorstKind], _Found] = {}

    def watch(self, t: int, pair: Pair, made: Mapping[str, Tensor]) -> None:
        """Compare frame t with the worst places so far.

        Args:
            t: number of the frame.
            pair: its LR and HR.
            made: candidate -> SR frame (3, H, W) in [0, 1].
        """
        if t not in self._scored:
            return
        bicubic = _errors(quantise(imresize(pair.lr, self._protocol.scale)), pair.hr)
        truth = self._judged(pair.hr)
        for name, sr in made.items():
            error = _errors(sr, pair.hr)
            excess = error - bicubic
            row, column = divmod(int(excess.argmax()), excess.shape[1])
            place = WorstPlace(
                clip=self._clip,
                kind="tile",
                frame=t,
                top=row * TILE,
                left=column * TILE,
                error=float(error[row, column]),
                bicubic=float(bicubic[row, column]),
            )
            views = {"hr": pair.hr, "lr": pair.lr, **{_sr(other): frame for other, frame in made.items()}}
            if place.error > place.bicubic:
                self._offer(name, place.error - place.bicubic, place, views)
            squared = float((self._judged(sr) - truth).square_().mean())
            self._offer(name, squared, place.model_copy(update={"kind": "frame"}), views)

    def _judged(self, frame: Tensor) -> Tensor:
        """Select the channels and pixels from which the protocol computes PSNR."""
        return judged_channels(self._protocol.cropped(frame), self._protocol.colour)

    def _offer(self, name: str, badness: float, place: WorstPlace, views: Mapping[str, Tensor]) -> None:
        """Keep a place of a candidate, with pictures, if it is worse than the place of this kind found before."""
        so_far = self._found.get((name, place.kind))
        if so_far and so_far.badness >= badness:
            return
        size = (views["hr"].shape[-2], views["hr"].shape[-1])
        scale = size[0] // views["lr"].shape[-2]
        square = square_around(place, size, scale)
        shown = {view: to_frames(frame) for view, frame in views.items()}
        crops = {view: cut(frame, square, scale if view == "lr" else 1).copy() for view, frame in shown.items()}
        stills = {view: _reduced(frame) for view, frame in shown.items()} if place.kind == "frame" else {}
        self._found[name, place.kind] = _Found(badness, place, crops, stills)

    def places(self, candidate: str) -> list[WorstPlace]:
        """The worst frame and the worst tile of a candidate; no tile if none is worse than bicubic interpolation."""
        return [
            found.place
            for (name, _), found in sorted(self._found.items(), key=lambda item: item[0])
            if name == candidate
        ]

    def write(self, folders: Mapping[str, Path]) -> None:
        """Write the pictures of all places.

        The folder of a candidate gets pictures of its SR at the worst places of every candidate, and pictures of HR and
        LR at its own worst places.

        Args:
            folders: candidate -> folder for its pictures, see `crop_file` and `still_file` for their names.
        """
        for (owner, _), found in self._found.items():
            homes = {"hr": folders[owner], "lr": folders[owner], **{_sr(name): own for name, own in folders.items()}}
            for view, crop in found.crops.items():
                _write(crop_file(homes[view], view[:2], found.place), crop)
            for view, still in found.stills.items():
                _write(still_file(homes[view], view[:2], found.place), still)


def _sr(candidate: str) -> str:
    return f"sr {candidate}"


def crop_file(folder: Path, view: str, place: WorstPlace) -> Path:
    """Path of the lossless crop of a view (hr, lr or sr) around the tile of a place."""
    return folder / f"{view}-{place.frame}-{place.left}-{place.top}.webp"


def still_file(folder: Path, view: str, place: WorstPlace) -> Path:
    """Path of the lossy picture of a whole frame of a view (hr, lr or sr)."""
    return folder / f"{view}-{place.frame}.jpg"


def square_around(place: WorstPlace, size: tuple[int, int], scale: int) -> Square:
    """Square of the crop around the tile of a place, see `square_at`."""
    return square_at(place.top + TILE // 2, place.left + TILE // 2, size, scale)


def tile_means(values: Tensor) -> Tensor:
    """Mean of every tile of frames (T, 3, H, W) in [0, 1]. Returns (T, rows, columns) in 8-bit levels."""
    return F.avg_pool2d(values.mean(1, keepdim=True), TILE, ceil_mode=True)[:, 0] * 255


def _errors(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute error of every tile of a frame (3, H, W) in 8-bit levels, (rows, columns)."""
    return tile_means((sr - hr).abs_()[None])[0]


def _reduced(frame: Frames) -> Frames:
    size = even_size((frame.shape[0], frame.shape[1]), STILL)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _write(path: Path, picture: Frames) -> None:
    with atomic_path(path) as temporary:
        image = Image.fromarray(picture)
        if path.suffix == ".jpg":
            image.save(temporary, quality=_JPEG)
        else:
            image.save(temporary, lossless=True, method=2, exact=True)
