"""Media for the clip browser of the report: video, crops, time slices and maps of a clip."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np

from vsr_lab.core.clip import Frames
from vsr_lab.core.crops import TILE, Square, cut, square_at
from vsr_lab.core.records.comparison import CandidatePlace, ClipFrames, Comparison
from vsr_lab.reporting.maps import Map, Place, flickering_places, tile_maps
from vsr_lab.reporting.places import Crop, lossless, uri, worst_crops
from vsr_lab.reporting.saved import LOW, SavedClip
from vsr_lab.video.writer import even_size, write_mp4

_ROWS = 8  # of time slices, besides those through the places
_VIDEO = 1_500_000  # bytes
_CROPS, _SLICES = 0.55, 0.15  # of the room of a clip, at most; the video has the rest
_LEAST = 400_000  # bytes that a clip may have even if others are left out for it
_NOTHING = 20_000  # bytes in which no clip fits
_QUALITIES = ((704, 18), (704, 24), (704, 30), (704, 36), (448, 30), (448, 36), (288, 36))  # longer side, crf


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
        reduced: what is shown in lower quality or number to keep the page small; "" if nothing is.
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
    reduced: str
    crops: list[Crop]
    rows: list[int]
    slices: list[str]
    tile_size: int
    maps: dict[str, list[list[list[float]]]]


class Embedded(NamedTuple):
    """Media of the clips in a page. The name of a clip is "SUITE / CLIP".

    Attributes:
        clips: name of each clip -> JSON of its `ClipMedia`.
        reduced: for each clip that is shown in lower quality or number to save space, a text that says how.
        left_out: names of the clips that are not shown because they do not fit.
        places: name of each clip -> keys of the worst places that are shown, see `CandidatePlace.key`.
    """

    clips: dict[str, str]
    reduced: list[str]
    left_out: list[str]
    places: dict[str, list[str]]


def clip_media(comparison: Comparison, root: Path, limit: int) -> Embedded:
    """Media of the clips of a comparison, for as many clips as fit into a size limit.

    First one clip of each suite is included, then a second one of each suite, and so on, beginning with those in which
    candidates are worst. All clips share the limit, so with more clips, the lossy videos have a lower quality and fewer
    time slices and places are shown.

    Args:
        comparison: comparison whose clips are shown.
        root: folder to which the paths in `comparison` are relative.
        limit: maximum size of all media in bytes.
    """
    found = Embedded({}, [], [], {})
    turns = _by_turns(comparison)
    for number, facts in enumerate(turns):
        name = f"{facts.suite} / {facts.clip}"
        worst = [place for place in comparison.worst if (place.suite, place.clip) == (facts.suite, facts.clip)]
        share = max(limit // (len(turns) - number), _LEAST)
        media = _media(SavedClip(facts, root), worst, share) if limit > _NOTHING else None
        text = json.dumps(asdict(media)) if media else ""
        if media is None or len(text) > limit:
            found.left_out.append(name)
            continue
        limit -= len(text)
        found.clips[name] = text
        found.places[name] = [key for crop in media.crops for key in crop.keys]
        if media.reduced:
            found.reduced.append(f"{name}: {media.reduced}")
    names = (f"{facts.suite} / {facts.clip}" for facts in comparison.pictures)
    return found._replace(clips={name: found.clips[name] for name in names if name in found.clips})


def _by_turns(comparison: Comparison) -> list[ClipFrames]:
    worst: dict[tuple[str, str], float] = {}
    for place in comparison.worst:
        key = (place.suite, place.clip)
        worst[key] = max(worst.get(key, 0.0), place.error - place.bicubic)
    seen: dict[str, int] = {}
    turns: list[tuple[int, ClipFrames]] = []
    for clip in sorted(comparison.pictures, key=lambda clip: -worst.get((clip.suite, clip.clip), 0.0)):
        seen[clip.suite] = seen.get(clip.suite, 0) + 1
        turns.append((seen[clip.suite], clip))
    return [clip for _, clip in sorted(turns, key=lambda turn: turn[0])]


def _media(clip: SavedClip, worst: Sequence[CandidatePlace], room: int) -> ClipMedia:
    """Media of a clip in about `room` bytes, if that is possible."""
    facts, (height, width) = clip.facts, clip.size
    maps = tile_maps(clip)
    flickering = flickering_places(maps["flicker"])
    spots = [_spot(clip, "most motion and detail", facts.frame - facts.first, facts.row, facts.column)]
    spots += [_spot(clip, _title(place), place.t, place.y, place.x) for place in flickering]
    through = [min(row, height - 1) for row in (facts.row, *(place.y for place in flickering))]
    rows = sorted({*np.linspace(0, height - 1, _ROWS + 2, dtype=int)[1:-1].tolist(), *through})
    images = [_images(clip, view, rows, spots) for view in clip.videos]
    count = int(room * _SLICES / max(1, sum(len(slices) for slices, _ in images)) * len(rows))
    all_rows, less = len(rows), list[str]()
    if count < all_rows:
        rows = [facts.row] if count < 2 else [rows[at] for at in np.linspace(0, all_rows - 1, count, dtype=int)]
        images = [_images(clip, view, rows, spots) for view in clip.videos]
        less.append(f"{len(rows)} of {all_rows} rows of time slices")
    seen = [_crop(facts, spot, [own[i] for _, own in images]) for i, spot in enumerate(spots)]
    crops, dropped = fitting([[seen[0]], *worst_crops(clip, worst), *([crop] for crop in seen[1:])], room * _CROPS)
    if dropped:
        less.append(f"{dropped} places fewer")
    rest = room - sum(len(slices) for slices, _ in images) - sum(map(_size, crops))
    columns = math.ceil(math.sqrt(len(clip.videos)))
    video = _video(clip, columns, min(_VIDEO, rest * 3 // 4))  # in base64, 3 bytes take 4
    return ClipMedia(
        suite=facts.suite,
        clip=facts.clip,
        views=list(clip.videos),
        first=facts.first,
        count=facts.saved,
        rate=facts.rate,
        width=width,
        height=height,
        video=video.data,
        columns=columns,
        tile=video.tile,
        reduced="; ".join([*([video.reduced] if video.reduced else []), *less]),
        crops=crops,
        rows=rows,
        slices=[slices for slices, _ in images[1:]],
        tile_size=TILE,
        maps={kind: [_mean(own[name]) for name in clip.candidates] for kind, own in maps.items()},
    )


def _size(crop: Crop) -> int:
    return sum(map(len, crop.images))


def fitting(places: Sequence[Sequence[Crop]], room: float) -> tuple[list[Crop], int]:
    """Choose the first places whose crops fit into `room` bytes, at least one place.

    Returns:
        The crops of the chosen places, and the number of the other places.
    """
    crops: list[Crop] = []
    for number, place in enumerate(places):
        if crops and sum(map(_size, [*crops, *place])) > room:
            return crops, len(places) - number
        crops += place
    return crops, 0


def _mean(maps: Map) -> list[list[float]]:
    return [[round(float(value), 2) for value in row] for row in maps.mean(0)]


def _title(place: Place) -> str:
    return f"most flicker of {place.candidate}: {place.value:.1f} levels, the best other {place.other:.1f}"


class _Spot(NamedTuple):
    title: str
    t: int
    square: Square


def _spot(clip: SavedClip, title: str, t: int, y: int, x: int) -> _Spot:
    return _Spot(title, t, square_at(y, x, clip.size, clip.scale))


def _crop(facts: ClipFrames, spot: _Spot, images: list[str]) -> Crop:
    top, left, side = spot.square
    return Crop(spot.title, [], facts.first + spot.t, left, top, side, side, True, images)


def _images(clip: SavedClip, view: str, rows: list[int], spots: list[_Spot]) -> tuple[str, list[str]]:
    """Make the time slices ("" for LR) and the crops of a view, as data URIs, in one pass, since seeking is slow."""
    lines: list[Frames] = []
    cuts = [""] * len(spots)
    for t, frame in enumerate(clip.frames(view)):
        if view != LOW:
            lines.append(frame[rows])
        for i, spot in enumerate(spots):
            if spot.t == t:
                cuts[i] = lossless(cut(frame, spot.square, clip.scale if view == LOW else 1))
    if not lines:
        return "", cuts
    over_time = np.stack(lines, axis=1)  # (rows, T, W, 3)
    return lossless(over_time.reshape(-1, *over_time.shape[2:])), cuts


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


class _Video(NamedTuple):
    """Data URI of a video, (width, height) of a view in it, and a text on the quality ("" if it was not lowered)."""

    data: str
    tile: tuple[int, int]
    reduced: str


def _video(clip: SavedClip, columns: int, limit: int) -> _Video:
    """Encode the video in the best quality that fits into `limit` bytes; in the lowest quality if none fits."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        settings = [(even_size(clip.size, side), crf) for side, crf in _QUALITIES]
        best = tile, crf = settings[0]
        found = _encode(path, clip, columns, best)
        for setting in settings[1:]:
            if found <= limit:
                break
            # 6 more halve the size; encoding is slow, so what would be far too large is left out
            guess = found * 2 ** ((crf - setting[1]) / 6) * math.prod(setting[0]) / math.prod(tile)
            if guess <= 1.3 * limit or setting == settings[-1]:
                tile, crf = setting
                found = _encode(path, clip, columns, setting)
        reduced = "" if (tile, crf) == best else f"lossy video of {tile[0]}×{tile[1]} with crf {crf}"
        return _Video(uri("video/mp4", path.read_bytes()), tile, reduced)


def _encode(path: Path, clip: SavedClip, columns: int, setting: tuple[tuple[int, int], int]) -> int:
    """Encode the video of a clip and return its size in bytes. setting: ((width, height) of a view, crf)."""
    tile, crf = setting
    write_mp4(path, _mosaic(clip, columns, tile), clip.facts.rate, crf=crf)
    return path.stat().st_size
