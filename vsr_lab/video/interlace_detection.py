"""Detection of interlaced and telecined video from its pixels.

Flags in the file are not used. The two fields of an interlaced frame show combing if the picture moved between them.
Combing is measured, as in FFmpeg's idet and fieldmatch, by the second difference across rows,
|T[j] + T[j+1] - 2 * B[j]|, where T are the rows of one field and B the rows of the other. It is computed for the two
fields of each frame, and for pairs of fields from two consecutive frames. Unlike in idet, only moving pixels are used,
and two combinations of the same frames t and t+1 are compared: u is the combing of the top field of t+1 with the bottom
field of t, and d that of the top field of t with the bottom field of t+1. For progressive frames, u and d are equal for
any motion and detail. If the top field is first, u combines fields that are half a frame period apart, and d fields
that are one and a half frame periods apart, so u < d.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import av.error
import numpy as np
import numpy.typing as npt
from av import VideoFrame, VideoStream
from av.container import InputContainer

from vsr_lab.video.libav_log import LOG_LOCK
from vsr_lab.video.packets import open_input, packets_of

Luma = npt.NDArray[np.int16]
Vector = npt.NDArray[np.float64]


class ScanType(StrEnum):
    """Scan type of a video stream."""

    PROGRESSIVE = "progressive"
    INTERLACED = "interlaced"
    TELECINED = "telecined"  # 3:2 pulldown, or 2:2 with fields of different film frames in a video frame
    UNDETERMINED = "undetermined"  # too little motion


@dataclass(frozen=True)
class Interlacing:
    """Scan type of a video as detected from its pixels.

    Attributes:
        scan_type: progressive, interlaced, telecined or undetermined.
        top_field_first: field order of interlaced or telecined video.
        cadence: "3:2" or "2:2" for telecined film, else "".
        confidence: how well the frames with motion agree with the result, in [0, 1]; lower if there are few such
            frames, and 0 if the scan type is undetermined.
    """

    scan_type: ScanType
    top_field_first: bool = True
    cadence: str = ""
    confidence: float = 0.0

    @property
    def combed(self) -> bool:
        """Whether frames consist of fields of two moments."""
        return self.scan_type in (ScanType.INTERLACED, ScanType.TELECINED)

    def __str__(self) -> str:
        order = (" tff" if self.top_field_first else " bff") if self.combed else ""
        return f"{self.scan_type}{order}" + (f" {self.cadence}" if self.cadence else "")


_WINDOWS = (0.1, 0.37, 0.63, 0.9)  # positions in the file, as shares of its duration
RUN = 13  # consecutive frames: two cycles of 3:2 pulldown and their neighbours
_HEAVY = 250_000  # bytes per frame from which decoding is slow: only one position is examined
COLUMNS = 256  # columns of a frame that are used, evenly spaced
_MOVES = 12  # change of a moving pixel within one field, of 255: above coding noise
_MIN_MOVING = 3e-4  # share of moving pixels below which a pair of frames has weight 0
_FULL_WEIGHT = 0.01  # share from which it has weight 1


class _Pairs(NamedTuple):
    """Measures of each pair of neighbouring frames.

    weight: in [0, 1], from the amount of motion; own: combing of the two frames; up: of the top field of t+1 with the
    bottom field of t; down: of the top field of t with the bottom field of t+1 (in 8-bit levels, 0..255); repeat: -1 if
    the top field is repeated, 1 if the bottom field is repeated, 0 if neither.
    """

    weight: Vector
    own: Vector
    up: Vector
    down: Vector
    repeat: Vector


def detect_interlacing(path: Path, stream: int | None = None) -> Interlacing:
    """Detect whether a video file is progressive, interlaced or telecined, from up to four short sequences of frames.

    If any sequence is interlaced or telecined, the result with the highest confidence among these sequences is used. So
    a file that is partly interlaced counts as interlaced. A sequence with a decoding error is skipped. A file with a
    high bit rate is slow to decode, so only its first sequence is used. The result is cached until the file changes.

    Args:
        path: the file.
        stream: index of the stream; None: the first video stream.
    """
    status = path.stat()
    return _detect(path, stream, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _detect(path: Path, number: int | None, size: int, changed: int) -> Interlacing:
    with LOG_LOCK, open_input(path) as container:
        stream: Any = container.streams.video[0] if number is None else container.streams[number]
        return classify_runs(_runs(container, stream))


def classify_runs(runs: Iterable[Luma]) -> Interlacing:
    """Classify several sequences of frames, and return the most confident result.

    Results that are interlaced or telecined are preferred to progressive ones.

    Args:
        runs: sequences of consecutive frames, as for `classify_interlacing`.
    """
    found = [classify_interlacing(luma) for luma in runs]
    combed = [verdict for verdict in found if verdict.combed]
    whole = [verdict for verdict in found if verdict.scan_type == ScanType.PROGRESSIVE]
    return max(combed or whole or [Interlacing(ScanType.UNDETERMINED)], key=lambda verdict: verdict.confidence)


def _runs(container: InputContainer, stream: VideoStream) -> Iterator[Luma]:
    stream.thread_type = "AUTO"
    seconds = (container.duration or 0) / 1e6
    heavy = container.size > _HEAVY * max(1.0, seconds * float(stream.average_rate or 25))
    seen, again = -1.0, container.duration is None  # an elementary stream has no times and cannot be sought in
    for share in _WINDOWS[:1] if heavy else _WINDOWS:
        run: list[Luma] = []
        try:
            if not again:
                container.seek(int(share * seconds * 1e6))
            for frame in (frame for packet in packets_of(container, stream) for frame in packet.decode()):
                time = seen + 1 if frame.pts is None else float(frame.time)
                again = again or time <= seen  # the seek went back beyond the last run: stop seeking
                if time > seen:
                    run.append(_columns(frame))
                    seen = time
                if len(run) == RUN:
                    break
        except av.error.FFmpegError:
            continue  # damage.py reports damage
        if len({picture.shape for picture in run}) == 1 and len(run) > 5:
            yield np.stack(run)


def _columns(frame: VideoFrame) -> Luma:
    """Luma of a frame in [0, 255]: all rows, but only some of the columns."""
    if frame.format.name in {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray", "nv12"}:
        plane = frame.planes[0]
        luma = np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    else:
        luma = frame.to_ndarray(format="gray")
    return luma[:, :: max(1, frame.width // COLUMNS)].astype(np.int16)


def classify_interlacing(luma: Luma) -> Interlacing:
    """Detect whether consecutive frames are progressive, interlaced or telecined.

    Args:
        luma: (T, H, W) in [0, 255], with all rows; columns may be left out. With fewer than 6 frames, 3:2 pulldown may
            be missed or taken for 2:2; 11 frames are needed to detect it reliably.
    """
    pairs = _measure(luma)
    evidence = float(pairs.weight.sum())
    if evidence < 1:
        return Interlacing(ScanType.UNDETERMINED)
    certainty = min(1.0, evidence / 3)
    return _cadence(pairs, certainty) or _parity(pairs, certainty)


def _measure(luma: Luma) -> _Pairs:
    height = luma.shape[1] // 2 * 2
    top, bottom = luma[:, 0:height:2], luma[:, 1:height:2]
    return _Pairs(*np.array(list(_each_pair(top, bottom))).reshape(-1, 5).T)


def _each_pair(top: Luma, bottom: Luma) -> Iterator[tuple[float, float, float, float, float]]:
    for t in range(len(top) - 1):
        change_top, change_bottom = np.abs(top[t + 1] - top[t]), np.abs(bottom[t + 1] - bottom[t])
        change = np.maximum(change_top, change_bottom)
        moving = np.maximum(change[:-1], change[1:]) > _MOVES
        share = float(moving.mean()) if moving.size else 0.0
        if share < _MIN_MOVING:
            yield 0.0, 1.0, 1.0, 1.0, 0.0
            continue
        own = (_combing(top[t], bottom[t], moving) + _combing(top[t + 1], bottom[t + 1], moving)) / 2
        up, down = _combing(top[t + 1], bottom[t], moving), _combing(top[t], bottom[t + 1], moving)
        top_moved, bottom_moved = float(change_top[:-1][moving].mean()), float(change_bottom[:-1][moving].mean())
        repeat = (top_moved - bottom_moved) / (top_moved + bottom_moved + 1e-9)
        yield min(1.0, share / _FULL_WEIGHT), own, up, down, repeat


def _combing(top: Luma, bottom: Luma, moving: npt.NDArray[np.bool_]) -> float:
    """Mean second difference across the rows of two woven fields over moving pixels, plus 0.5 to avoid zero."""
    down = np.abs(top[:-1] + top[1:] - 2 * bottom[:-1])[moving]
    up = np.abs(bottom[:-1] + bottom[1:] - 2 * top[1:])[moving]
    return float(down.mean() + up.mean()) / 4 + 0.5


# Film frames A B C D become five video frames of two fields: A/A B/B B/C C/D D/D. From each to the next:
_REPEATS = np.array([0, -1, 0, 1, 0])  # the repeated field (the first: -1)
_LEANS = np.array([0, 1, 1, 1, 0])  # whether one crosswise combination is closer


def _leaning(pairs: _Pairs) -> Vector:
    """Positive if `up` has less combing than `down` (top field first), negative if more, 0 for progressive frames."""
    return (pairs.down - pairs.up) / (pairs.down + pairs.up)


def _cadence(pairs: _Pairs, certainty: float) -> Interlacing | None:
    """Detect 3:2 pulldown, in which fields are repeated in a cycle of five frames; None if there is none."""
    lean, weight = _leaning(pairs), pairs.weight
    best, found = 0.5, None
    for phase in range(5):
        turn = (np.arange(len(weight)) - phase) % 5
        repeats, leans = _REPEATS[turn], _LEANS[turn]
        shown, whole = weight * np.abs(repeats), weight * (1 - leans)
        if shown.sum() < 1 or whole.sum() < 0.5:
            continue
        for top_field_first, sign in ((True, 1), (False, -1)):
            agrees = sign * float((weight * pairs.repeat * repeats).sum() / shown.sum())
            leaning = sign * float((weight * lean * leans).sum() / (weight * leans).sum())
            stray = float((whole * (np.abs(pairs.repeat) + np.abs(lean))).sum() / whole.sum())
            if agrees - stray > best and leaning > 0.05:
                best = agrees - stray
                confidence = round(min(1.0, best) * certainty, 2)
                found = Interlacing(ScanType.TELECINED, top_field_first, "3:2", confidence)
    return found


def _parity(pairs: _Pairs, certainty: float) -> Interlacing:
    """Distinguish progressive video, interlaced video, and 2:2 pulldown with fields of two film frames per frame."""
    lean, weight = _leaning(pairs), pairs.weight
    total = float(weight.sum())
    mean = float((weight * lean).sum()) / total
    agree = float(weight[np.sign(lean) == np.sign(mean)].sum()) / total
    nearest = np.minimum(pairs.up, pairs.down)
    own = float((weight * pairs.own).sum() / (weight * nearest).sum())
    if abs(mean) > 0.05 and own > 0.75 and agree > 0.8:
        if total < 1.5 or np.count_nonzero(weight) < 3:
            return Interlacing(ScanType.UNDETERMINED)
        if own > 1.6 and abs(mean) > 0.3:
            return Interlacing(ScanType.TELECINED, mean > 0, "2:2", confidence=round(agree * certainty, 2))
        return Interlacing(ScanType.INTERLACED, mean > 0, confidence=round(agree * certainty, 2))
    if abs(mean) > 0.12 or own > 0.95:  # fields match a neighbour as well as each other: stripes, noise, jumps
        return Interlacing(ScanType.UNDETERMINED)
    return Interlacing(ScanType.PROGRESSIVE, confidence=round(certainty * (1 - 4 * abs(mean)), 2))
