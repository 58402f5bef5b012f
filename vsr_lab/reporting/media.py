"""Media for the clip browser of the report: video, lossless crops, time slices and maps of a clip."""

import base64
import io
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from vsr_lab.core.clip import Frames
from vsr_lab.core.records.comparison import ClipFrames, Comparison
from vsr_lab.reporting.maps import TILE, Map, Place, tile_maps, worst_places
from vsr_lab.reporting.saved import LOW, SavedClip
from vsr_lab.video.writer import even_size, write_mp4

_SIDE = 704  # pixels of the longer side of a picture in the video
_CROP = 160  # HR pixels on a side of a lossless crop
_ROWS = 8  # of time slices, besides those through the places
_VIDEO = 1_500_000  # bytes
_QUALITIES = (18, 24, 30, 36)  # crf


@dataclass(frozen=True)
class Crop:
    """Lossless crop of one frame, at the same place in every view (LR, HR, candidates); images: a data URI per view."""

    title: str
    frame: int
    x: int
    y: int
    width: int
    height: int
    images: list[str]


@dataclass(frozen=True)
class ClipMedia:
    """Video, crops, time slices and maps of one clip, as embedded in the report.

    Attributes:
        views: names of the versions of the clip: low resolution, ground truth, then the candidates.
        first, count: number of the first frame in the clip, and number of frames.
        rate: frames per second.
        width, height: size of HR in pixels.
        video: data URI of an MP4 that shows all views in a grid of `columns` columns, each view with the size `tile`.
        columns, tile: number of columns of this grid, and (width, height) of a view in it.
        rows: numbers of the HR rows of which time slices are shown.
        slices: for every view except the first, the data URI of one image that contains, one below the other for each
            of `rows`, the pixels of that row over time.
        tile_size: side of a tile of the maps in HR pixels.
        maps: "error" or "flicker" -> one map (rows, columns) per candidate: mean over the frames, in 8-bit levels
            (0..255).
    """

    suite: str
    clip: str
    views: list[str]
    first: int
    count: int
    rate: float
    width: int
    height: int
    video: str
    columns: int
    tile: tuple[int, int]
    crops: list[Crop]
    rows: list[int]
    slices: list[str]
    tile_size: int
    maps: dict[str, list[list[list[float]]]]


def clip_media(comparison: Comparison, root: Path, limit: int) -> tuple[dict[str, str], list[str]]:
    """Media of the clips of a comparison as JSON, for as many clips as fit into a size limit.

    First one clip of each suite is included, then a second one of each suite, and so on.

    Args:
        comparison: comparison whose clips are shown.
        root: folder to which the paths in `comparison` are relative.
        limit: maximum size of all media in bytes.

    Returns:
        Name of each clip -> JSON, and the names of the clips that are left out.
    """
    shown: dict[str, str] = {}
    left: list[str] = []
    for facts in _by_turns(comparison.pictures):
        name = f"{facts.suite} / {facts.clip}"
        text = "" if left else json.dumps(asdict(_media(SavedClip(facts, root))))
        limit -= len(text)
        if left or limit < 0:
            left.append(name)
        else:
            shown[name] = text
    return shown, left


def _by_turns(clips: list[ClipFrames]) -> list[ClipFrames]:
    seen: dict[str, int] = {}
    turns: list[tuple[int, ClipFrames]] = []
    for clip in clips:
        seen[clip.suite] = seen.get(clip.suite, 0) + 1
        turns.append((seen[clip.suite], clip))
    return [clip for _, clip in sorted(turns, key=lambda turn: turn[0])]


def _media(clip: SavedClip) -> ClipMedia:
    facts, (height, width) = clip.facts, clip.size
    maps = tile_maps(clip)
    places = worst_places(maps)
    middle = _Spot("most motion and detail", facts.frame - facts.first, clip.place(_CROP, facts.row, facts.column))
    spots = [middle, *(_Spot(_title(place), place.t, clip.place(_CROP, place.y, place.x)) for place in places)]
    rows = sorted({*np.linspace(0, height - 1, _ROWS + 2, dtype=int)[1:-1].tolist(), *_rows(facts, places, height)})
    images = [_images(clip, view, rows, spots) for view in clip.videos]
    columns = math.ceil(math.sqrt(len(clip.videos)))
    tile = even_size((height, width), _SIDE)
    return ClipMedia(
        suite=facts.suite,
        clip=facts.clip,
        views=list(clip.videos),
        first=facts.first,
        count=facts.saved,
        rate=facts.rate,
        width=width,
        height=height,
        video=_video(clip, columns, tile),
        columns=columns,
        tile=tile,
        crops=[_crop(facts, spot, [own[i] for _, own in images]) for i, spot in enumerate(spots)],
        rows=rows,
        slices=[slices for slices, _ in images[1:]],
        tile_size=TILE,
        maps={kind: [_mean(own[name]) for name in clip.candidates] for kind, own in maps.items()},
    )


def _rows(facts: ClipFrames, places: list[Place], height: int) -> list[int]:
    return [min(row, height - 1) for row in (facts.row, *(place.y for place in places))]


def _mean(maps: Map) -> list[list[float]]:
    return [[round(float(value), 2) for value in row] for row in maps.mean(0)]


def _title(place: Place) -> str:
    what = "largest error" if place.kind == "error" else "most flicker"
    return f"{what} of {place.candidate}: {place.value:.1f} levels, the best other {place.other:.1f}"


class _Spot(NamedTuple):
    title: str
    t: int
    square: tuple[int, int, int]


def _crop(facts: ClipFrames, spot: _Spot, images: list[str]) -> Crop:
    top, left, side = spot.square
    return Crop(spot.title, facts.first + spot.t, left, top, side, side, images)


def _images(clip: SavedClip, view: str, rows: list[int], spots: list[_Spot]) -> tuple[str, list[str]]:
    """Time slices of a view (of LR, an empty text) and its crops, from one pass over the frames: seeking is slow."""
    lines: list[Frames] = []
    cuts = [""] * len(spots)
    for t, frame in enumerate(clip.frames(view)):
        if view != LOW:
            lines.append(frame[rows])
        for i, spot in enumerate(spots):
            if spot.t == t:
                cuts[i] = _lossless(clip.cut(view, frame, spot.square))
    if not lines:
        return "", cuts
    over_time = np.stack(lines, axis=1)  # (rows, T, W, 3)
    return _lossless(over_time.reshape(-1, *over_time.shape[2:])), cuts


def _lossless(image: Frames) -> str:
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(data, "WEBP", lossless=True, method=2, exact=True)
    return _uri("image/webp", data.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _mosaic(clip: SavedClip, columns: int, tile: tuple[int, int]) -> Iterator[Frames]:
    """Yield frames that show all views in a grid, so that a player always shows the same frame of all views."""
    width, height = tile
    views = [clip.frames(view) for view in clip.videos]
    for frames in zip(*views, strict=True):
        picture = np.zeros((math.ceil(len(frames) / columns) * height, columns * width, 3), np.uint8)
        for place, frame in enumerate(frames):
            y, x = place // columns * height, place % columns * width
            how = cv2.INTER_NEAREST if frame.shape[1] < width else cv2.INTER_AREA
            picture[y : y + height, x : x + width] = cv2.resize(frame, tile, interpolation=how)
        yield picture


def _video(clip: SavedClip, columns: int, tile: tuple[int, int]) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        for crf in _QUALITIES:
            write_mp4(path, _mosaic(clip, columns, tile), clip.facts.rate, crf=crf)
            if path.stat().st_size <= _VIDEO:
                break
        return _uri("video/mp4", path.read_bytes())
