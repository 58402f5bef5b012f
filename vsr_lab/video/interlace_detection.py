"""Is a stream of whole frames, of interlaced fields, or of film spread over fields? By its pixels, not by its word.

Two fields of one frame, weaved, comb where the picture moved between them. The measure is that of FFmpeg's idet and
fieldmatch: the second difference across rows, |T[j] + T[j+1] - 2 B[j]|, where T are rows of one field and B of the
other, taken of this frame's two fields and crosswise of two neighbouring frames. Unlike idet it looks at moving pixels
alone, and it compares the two crosswise weaves of the *same* pair of frames: u = T[t+1] with B[t] and d = T[t] with
B[t+1]. Whole frames are equally far apart either way, whatever the motion and however fine the lines (u = d); with the
top field first u weaves fields half a frame apart and d fields one and a half apart (u < d).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vsr_lab.video.damage import LISTENING
from vsr_lab.video.packets import open_input, packets_of

Luma = npt.NDArray[np.int16]
Vector = npt.NDArray[np.float64]


class ScanType(StrEnum):
    """What the frames of a stream are made of."""

    PROGRESSIVE = "progressive"
    INTERLACED = "interlaced"
    TELECINED = "telecined"  # film frames spread over fields: 3:2 pulldown, or 2:2 with the fields out of step
    UNDETERMINED = "undetermined"  # too little moves to tell


@dataclass(frozen=True)
class Interlacing:
    """What the pixels say. top_field_first: the order of the fields in time, where there are two.

    cadence: "3:2" or "2:2" of telecined film; phase: number, modulo 5, of the first of a cadence's five frames
    within the window judged; confidence: 0 to 1, share of the evidence that agrees, less where there is little of it.
    """

    scan_type: ScanType
    top_field_first: bool = True
    cadence: str = ""
    phase: int = 0
    confidence: float = 0.0

    def __str__(self) -> str:
        fields = self.scan_type in (ScanType.INTERLACED, ScanType.TELECINED)
        order = (" tff" if self.top_field_first else " bff") if fields else ""
        return f"{self.scan_type}{order}" + (f" {self.cadence}" if self.cadence else "")


_WINDOWS = (0.1, 0.37, 0.63, 0.9)  # where in a file frames are looked at, as shares of its length
_WINDOW = 13  # frames in a row: two cadences of 3:2 pulldown and their neighbours
_HEAVY = 250_000  # bytes a frame from which decoding is slow: one run must do
_COLUMNS = 256  # evenly spread columns of a frame that are looked at
_MOVES = 12  # levels of 255 by which a pixel of one field changes where something moves: above the noise of a coder
_LEAST = 3e-4  # share of moving pixels below which a pair of frames tells nothing
_PLENTY = 0.01  # share from which it tells all it can


@dataclass(frozen=True)
class _Pairs:
    """Each pair of neighbouring frames: weight 0 to 1; own, up, down: combing of the frames themselves, of T[t+1] with
    B[t], of T[t] with B[t+1], in levels; repeat: -1 where the top field is the one before, 1 the bottom, 0 neither."""

    weight: Vector
    own: Vector
    up: Vector
    down: Vector
    repeat: Vector


def detect_interlacing(path: Path, stream: int | None = None) -> Interlacing:
    """What a video file is made of, judged from four short runs of its frames; the same file is looked at once.

    stream: which of its streams; the first of pictures where nothing is said.
    The runs begin at keyframes, where decoding is cheap. Where runs differ, the surest that is not of whole frames
    counts: a file that is partly interlaced is interlaced. Frames that cannot be decoded are passed over.
    """
    status = path.stat()
    return _find_fields(path, stream, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _find_fields(path: Path, number: int | None, size: int, changed: int) -> Interlacing:
    with LISTENING, open_input(path) as container:
        stream: Any = container.streams.video[0] if number is None else container.streams[number]
        verdicts = [classify_interlacing(luma) for luma in _runs(container, stream)]
    combed = [verdict for verdict in verdicts if verdict.scan_type in (ScanType.INTERLACED, ScanType.TELECINED)]
    whole = [verdict for verdict in verdicts if verdict.scan_type == ScanType.PROGRESSIVE]
    return max(combed or whole or [Interlacing(ScanType.UNDETERMINED)], key=lambda verdict: verdict.confidence)


def _runs(container: InputContainer, stream: VideoStream) -> Iterator[Luma]:
    stream.thread_type = "AUTO"
    seconds = (container.duration or 0) / 1e6
    heavy = container.size > _HEAVY * max(1.0, seconds * float(stream.average_rate or 25))
    seen, again = -1.0, container.duration is None  # a bare stream has no times, and a seek is its end
    for share in _WINDOWS[:1] if heavy else _WINDOWS:
        run: list[Luma] = []
        try:
            if not again:
                container.seek(int(share * seconds * 1e6))
            for frame in (frame for packet in packets_of(container, stream) for frame in packet.decode()):
                time = seen + 1 if frame.pts is None else float(frame.time)
                again = again or time <= seen  # a long group of pictures brought us back: from here on, straight ahead
                if time > seen:
                    run.append(_columns(frame))
                    seen = time
                if len(run) == _WINDOW:
                    break
        except av.error.FFmpegError:
            continue  # damage is for damage.py to name
        if len({picture.shape for picture in run}) == 1 and len(run) > 5:
            yield np.stack(run)


def _columns(frame: VideoFrame) -> Luma:
    """Some columns of a frame's luma, every row, 0..255."""
    if frame.format.name in {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray", "nv12"}:
        plane = frame.planes[0]
        luma = np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    else:
        luma = frame.to_ndarray(format="gray")
    return luma[:, :: max(1, frame.width // _COLUMNS)].astype(np.int16)


def classify_interlacing(luma: Luma) -> Interlacing:
    """What consecutive frames are made of. luma: T H W, 0..255; a thinned set of columns will do.

    At least 6 frames are needed for 3:2 pulldown to be seen, 11 to be sure.
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
        share = float(moving.mean())
        if share < _LEAST:
            yield 0.0, 1.0, 1.0, 1.0, 0.0
            continue
        own = (_combing(top[t], bottom[t], moving) + _combing(top[t + 1], bottom[t + 1], moving)) / 2
        up, down = _combing(top[t + 1], bottom[t], moving), _combing(top[t], bottom[t + 1], moving)
        top_moved, bottom_moved = float(change_top[:-1][moving].mean()), float(change_bottom[:-1][moving].mean())
        repeat = (top_moved - bottom_moved) / (top_moved + bottom_moved + 1e-9)
        yield min(1.0, share / _PLENTY), own, up, down, repeat


def _combing(top: Luma, bottom: Luma, moving: npt.NDArray[np.bool_]) -> float:
    """Mean of both second differences across the rows of two weaved fields, where something moves; a level's floor."""
    down = np.abs(top[:-1] + top[1:] - 2 * bottom[:-1])[moving]
    up = np.abs(bottom[:-1] + bottom[1:] - 2 * top[1:])[moving]
    return float(down.mean() + up.mean()) / 4 + 0.5


# Film frames A B C D as five video frames, one field / the other: A/A B/B B/C C/D D/D. From each to the next:
_REPEATS = np.array([0, -1, 0, 1, 0])  # which field is shown again (the first: -1)
_LEANS = np.array([0, 1, 1, 1, 0])  # whether the fields lie closer crosswise one way


def _leaning(pairs: _Pairs) -> Vector:
    """0 for whole frames; above 0 where T[t+1] lies closer to B[t] than T[t] to B[t+1], as with the top field first."""
    return (pairs.down - pairs.up) / (pairs.down + pairs.up)


def _cadence(pairs: _Pairs, certainty: float) -> Interlacing | None:
    """3:2 pulldown, if the repeated fields come and go in its rhythm of five."""
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
                found = Interlacing(
                    ScanType.TELECINED, top_field_first, "3:2", phase, round(min(1.0, best) * certainty, 2)
                )
    return found


def _parity(pairs: _Pairs, certainty: float) -> Interlacing:
    """Whole frames, fields in turn, or fields of film frames that lie one frame apart."""
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
    if abs(mean) > 0.12 or own > 0.95:  # as near to a neighbour's field as to its own: stripes, noise, leaps
        return Interlacing(ScanType.UNDETERMINED)
    return Interlacing(ScanType.PROGRESSIVE, confidence=round(certainty * (1 - 4 * abs(mean)), 2))
