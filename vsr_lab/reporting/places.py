"""Pictures of places for the clip browser of the report: lossless crops and lossy whole frames of every view."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import reported
from vsr_lab.core.records.comparison import CandidatePlace
from vsr_lab.evaluation.worst import crop_file, square_around, still_file
from vsr_lab.reporting.saved import LOW, TRUTH, SavedClip


@dataclass(frozen=True)
class Crop:
    """Part of a frame, or a whole frame, shown in every view (LR, HR, candidates).

    Attributes:
        title: text about the picture.
        keys: keys of the worst places that are in the picture, see `CandidatePlace.key`.
        frame: number of the frame.
        x, y, width, height: position and size of the part, in HR pixels.
        lossless: whether the images are lossless; False for a whole frame.
        images: a data URI per view; "" for a candidate that was evaluated in another run, which saved no picture of
            this place.
    """

    title: str
    keys: list[str]
    frame: int
    x: int
    y: int
    width: int
    height: int
    lossless: bool
    images: list[str]


def worst_crops(clip: SavedClip, places: Sequence[CandidatePlace]) -> list[list[Crop]]:
    """Make pictures of the worst places of the candidates in a clip.

    The worst tiles are first, sorted by error minus error of bicubic. Then come the worst frames. Places with the same
    frame or the same tile share a picture.

    Returns:
        A list of pictures for each place. A worst tile has one picture, a crop. A worst frame has a picture of the
        whole frame and crops of its worst tiles, except tiles that are already among the worst tiles of the clip.
    """
    frames: dict[int, list[CandidatePlace]] = {}
    tiles: dict[tuple[int, int, int], list[CandidatePlace]] = {}
    for place in places:
        tiles.setdefault((place.frame, place.top, place.left), []).append(place)
        if place.kind == "frame":
            frames.setdefault(place.frame, []).append(place)
    found: list[list[Crop]] = []
    others: dict[int, list[Crop]] = {frame: [] for frame in frames}
    for own in sorted(tiles.values(), key=lambda own: own[0].bicubic - own[0].error):
        if any(place.kind == "tile" for place in own):
            found.append([_part(clip, own)])
        else:
            others[own[0].frame].append(_part(clip, own))
    return [*found, *([_whole(clip, own), *others[frame]] for frame, own in frames.items())]


def _whole(clip: SavedClip, places: Sequence[CandidatePlace]) -> Crop:
    height, width = clip.size
    title = f"whole frame: worst frame of {', '.join(place.candidate for place in places)}"
    images = _images(clip, places[0], "image/jpeg", still_file)
    return Crop(title, [], places[0].frame, 0, 0, width, height, False, images)


def _part(clip: SavedClip, places: Sequence[CandidatePlace]) -> Crop:
    top, left, side = square_around(places[0], clip.size, clip.scale)
    title = "; ".join(
        f"{_name(name, own)}: error {own[0].error:.1f} levels, bicubic {own[0].bicubic:.1f}"
        for name, own in _by_candidate(places).items()
    )
    images = _images(clip, places[0], "image/webp", crop_file)
    return Crop(title, [place.key for place in places], places[0].frame, left, top, side, side, True, images)


def _by_candidate(places: Sequence[CandidatePlace]) -> dict[str, list[CandidatePlace]]:
    found: dict[str, list[CandidatePlace]] = {}
    for place in places:
        found.setdefault(place.candidate, []).append(place)
    return found


def _name(candidate: str, places: Sequence[CandidatePlace]) -> str:
    if any(place.kind == "tile" for place in places):
        return f"worst tile of {candidate}"
    return f"in the worst frame of {candidate}"


def _images(
    clip: SavedClip, place: CandidatePlace, kind: str, file: Callable[[Path, str, CandidatePlace], Path]
) -> list[str]:
    """Data URI of the picture of each view; "" if the run that evaluated a candidate saved none of this place."""
    home = clip.folder(place.candidate)
    folders = {LOW: (home, "lr"), TRUTH: (home, "hr"), **{name: (clip.folder(name), "sr") for name in clip.candidates}}
    paths = [file(folder, view, place) for folder, view in folders.values()]
    with reported(OSError, clip.root, "has a picture that cannot be read ({})", "run vsr-lab evaluate again"):
        return [uri(kind, path.read_bytes()) if path.is_file() else "" for path in paths]


def lossless(image: Frames) -> str:
    """Data URI of an image that is compressed losslessly."""
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(data, "WEBP", lossless=True, method=2, exact=True)
    return uri("image/webp", data.getvalue())


def uri(kind: str, data: bytes) -> str:
    """Data URI of bytes of a media type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
