"""Comparison of two versions of one video: alignment, metrics with and without ground truth, and videos of both.

Every video is converted to the frames and pixels of one of them, the reference.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from vsr_lab.alignment import UNRELATED, Alignment, align
from vsr_lab.alignment.grids import YX
from vsr_lab.core.clip import AnyFrames, Frames, luma, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path
from vsr_lab.core.orientation import UPRIGHT
from vsr_lab.core.records import write_record
from vsr_lab.core.records.comparison import VideoComparison, VideoFacts, VideoMetric
from vsr_lab.core.records.evaluation import CandidateFacts
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.protocol import Pair, Protocol
from vsr_lab.evaluation.scoring import ClipFacts, score_clip
from vsr_lab.evaluation.statistics import Values
from vsr_lab.footage.shots import Shot
from vsr_lab.metrics import flicker, psnr, self_flicker, ssim
from vsr_lab.reporting import write_video_report
from vsr_lab.reporting.wipe import wiped
from vsr_lab.video.writer import write_mp4

_CHUNK = 8
_CLOSE = 0.1  # pixels from a whole number of them, below which a displacement is taken for it
_EQUAL = 2e-3  # share of a scale, below which it is taken for the ratio of the sizes


class Axes(NamedTuple):
    """Positions of the pixels of a reference in a video: pixel i of the reference is at scale * i + shift in the video.

    Args:
        scale: pixels of the video per pixel of the reference (rows, columns).
        shift: position of pixel 0 of the reference in the video, in pixels of the video (rows, columns).
    """

    scale: YX
    shift: YX


@dataclass(frozen=True)
class Placed:
    """Candidate whose frames are those of a video, aligned to a reference in time and space; made by `place`.

    Attributes:
        name: name of the video, for tables.
        shot: the video.
        order: for each frame of the reference, the number of the matching frame of the video; -1 if there is none.
        size: height and width of the reference.
        axes: positions of the pixels of the reference in the video; None if they are the same.
        steps: what was done to align the video, as sentences.
    """

    name: str
    shot: Shot
    order: Sequence[int]
    size: tuple[int, int]
    axes: Axes | None
    steps: tuple[str, ...]
    facts: CandidateFacts = field(default_factory=lambda: CandidateFacts(kind="frames"))
    scale: int | None = 1

    def only(self, kept: Sequence[int]) -> "Placed":
        """Copy that contains only the frames in `kept`, a list of frame numbers of the reference."""
        return replace(self, order=[self.order[u] for u in kept])

    def frames(self, clip: str, lr: Iterable[Tensor]) -> Iterator[Tensor]:
        """Yield the frames of the video, resampled to the pixels of the reference, (C, H, W) in [0, 1].

        Args:
            clip, lr: not used, since the frames are read from the video.
        """
        for first in range(0, len(self.order), _CHUNK):
            numbers = self.order[first : first + _CHUNK]
            start = min(numbers)
            read = self.shot.read(start, max(numbers) + 1).frames
            yield from (to_tensor(self._moved(read[number - start])) for number in numbers)

    def _moved(self, frame: AnyFrames) -> np.ndarray:
        if self.axes is None:
            return frame
        (down, across), (top, left) = self.axes
        shrunk = max(down, across)
        if shrunk > 1.1:  # against aliasing
            frame = cv2.GaussianBlur(frame, None, 0.4 * (shrunk**2 - 1) ** 0.5)  # pyright: ignore[reportCallIssue, reportArgumentType]
        matrix = np.array([[across, 0, left], [0, down, top]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(frame, matrix, self.size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)


def place(name: str, shot: Shot, reference: Shot) -> Placed:
    """Align a video to a reference in time and space, for a comparison of two versions of a video.

    Differences in colour are described in `Placed.steps`, but not removed.

    Args:
        name: name of the video, for tables.
        shot: the video.
        reference: video with which the video is aligned.

    Raises:
        UserError: the two videos show different content, or the video is flipped or rotated.
    """
    size = reference.size
    if shot is reference:
        return Placed(name, shot, range(shot.frames), size, None, ("the others are aligned to it",))
    larger = shot.size[0] * shot.size[1] > size[0] * size[1]
    found = align(reference, shot) if larger else align(shot, reference)
    if found.spatial.correlation < UNRELATED:
        reason = f"shows something else than {reference.path}"
        raise UserError(shot.path, reason, "give two versions of the same clip")
    if found.timeline.orientation != UPRIGHT:
        raise UserError(
            shot.path,
            f"is {found.timeline.orientation.name} compared with {reference.path}",
            "turn it to the same orientation",
        )
    order = _order(found, reference.frames, larger)
    scales, moved = zip(*(_axis(found, larger, i, (size[i], shot.size[i])) for i in (0, 1)), strict=True)
    same = scales == (1, 1) and moved == (0, 0)
    ends = zip(scales, moved, size, shot.size, strict=True)
    shift = [scale * (by - (side - 1) / 2) + (own - 1) / 2 for scale, by, side, own in ends]
    steps = (*_in_time(order), *_in_space(scales, moved), *_in_color(found))
    return Placed(name, shot, order, size, None if same else Axes(scales, (shift[0], shift[1])), steps)


def _order(found: Alignment, frames: int, larger: bool) -> list[int]:
    """Number of the video's frame for each frame of the reference; -1 if there is none."""
    match = found.timeline.match.tolist()
    if larger:  # the reference is matched to the video
        return [there if 0 <= there <= len(found.timeline.motion) else -1 for there in match]
    offset = np.median(np.arange(len(match)) - match)
    nearest: dict[int, int] = {}  # of frames that are repeated, the one that the others agree with
    for own, there in enumerate(match):
        if there not in nearest or abs(own - there - offset) < abs(nearest[there] - there - offset):
            nearest[there] = own
    return [nearest.get(there, -1) for there in range(frames)]


def _axis(found: Alignment, larger: bool, i: int, sides: tuple[int, int]) -> tuple[float, float]:
    """Alignment along one axis: pixels of the video per pixel of the reference, and shift of the middle of the video.

    The shift is in pixels of the reference. sides: lengths of the reference and of the video along the axis.
    """
    scale, shift = found.spatial.grid.scale[i], found.spatial.grid.shift[i]
    if not larger:
        scale, shift = 1 / scale, -shift / scale
    ratio = sides[1] / sides[0]
    moved = (scale * sides[0] / 2 + shift - sides[1] / 2) / scale
    scale = ratio if abs(scale / ratio - 1) < _EQUAL else scale
    return scale, float(round(moved)) if abs(moved - round(moved)) < _CLOSE else moved


def _in_time(order: Sequence[int]) -> Iterator[str]:
    steps = [own - there for there, own in enumerate(order) if own >= 0]
    offset = int(np.median(steps)) if steps else 0
    if offset:
        yield f"moved by {_counted(abs(offset))}, {'earlier' if offset > 0 else 'later'}"
    if others := sum(step != offset for step in steps):
        yield f"{_counted(others)} moved by another number, since frames are repeated, left out or out of order"
    if missing := sum(own < 0 for own in order):
        yield f"does not show {_counted(missing)} of the reference, left out"


def _counted(frames: int) -> str:
    return f"{frames} frame" + ("s" if frames > 1 else "")


def _in_space(scales: YX, moved: YX) -> Iterator[str]:
    if scales != (1, 1):
        yield f"scaled by {1 / scales[1]:.3f} in width and {1 / scales[0]:.3f} in height (bicubic)"
    if moved != (0, 0):
        yield f"moved by {-moved[1]:+.2f} pixels to the right and {-moved[0]:+.2f} down"


def _in_color(found: Alignment) -> Iterator[str]:
    if found.color.name:
        yield f"its colours differ from the others' ({found.color.name}); they are left as they are"


FILES = ("video_comparison.json", "report.html", "side_by_side.mp4", "wipe.mp4")
_WIDEST = 4096  # pixels of a picture with both videos

_TRUE = (
    VideoMetric(name="psnr", label="PSNR to the truth", unit="dB", better="higher"),
    VideoMetric(name="ssim", label="SSIM to the truth", unit="", better="higher"),
    VideoMetric(name="flicker", label="flicker that the truth does not have", unit="levels", better="lower"),
)
_BETWEEN = (
    VideoMetric(name="psnr", label="PSNR to a", unit="dB", better=""),
    VideoMetric(name="ssim", label="SSIM to a", unit="", better=""),
)
_ALONE = (
    VideoMetric(name="self_flicker", label="change along its own motion", unit="levels", better=""),
    VideoMetric(name="detail", label="detail", unit="levels", better=""),
)


def _detail(sr: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels of luma, in 8-bit levels (0..255)."""
    y = luma(sr)
    return y.diff(dim=-1).abs().mean((-3, -2, -1)) + y.diff(dim=-2).abs().mean((-3, -2, -1))


_MEASURES = {"psnr": psnr, "ssim": ssim, "flicker": flicker, "self_flicker": self_flicker, "detail": _detail}


def compare_videos(
    a: Path, b: Path, folder: Path, *, truth: Path | None = None, begin: Callable[[], object] = lambda: None
) -> VideoComparison:
    """Compare two versions of one video and write video_comparison.json, report.html, side_by_side.mp4 and wipe.mp4.

    Both are aligned in time and space to the ground truth. Without a ground truth, the version with fewer pixels is
    aligned to the version with more.

    Args:
        a, b: video files, or folders of images.
        folder: folder to write to.
        truth: ground truth, a video file or folder of images; None: there is none.
        begin: called once, after the alignment and before the first write.

    Returns:
        What was done to align the videos, and the mean of every metric.

    Raises:
        UserError: a file cannot be read, the videos show different content, or they have no frame in common.
    """
    shots = {name: Shot(name, path) for name, path in (("a", a), ("b", b), ("truth", truth)) if path}
    reference = shots.get("truth") or max(shots.values(), key=lambda shot: shot.size[0] * shot.size[1])
    placed = {name: place(name, shot, reference) for name, shot in shots.items()}
    kept = [u for u in range(reference.frames) if all(video.order[u] >= 0 for video in placed.values())]
    if not kept:
        raise UserError(b, f"has no frame in common with {a}", "give two versions of the same clip")
    placed = {name: video.only(kept) for name, video in placed.items()}
    begin()
    scores = _scores(placed, len(kept))
    rate = float(reference.rate)
    for name, view in zip(FILES[2:], (_side_by_side, wiped), strict=True):
        pairs = zip(_pictures(placed["a"]), _pictures(placed["b"]), strict=True)
        with atomic_path(folder / name) as temporary:
            write_mp4(temporary, (_fitted(view(*pair, t / rate)) for t, pair in enumerate(pairs)), rate)
    comparison = VideoComparison(
        videos=[_facts(name, video) for name, video in placed.items()],
        reference=reference.name,
        frames=len(kept),
        metrics=_metrics(scores, "truth" in placed),
    )
    write_record(folder / FILES[0], comparison)
    write_video_report(comparison, folder / FILES[1])
    return comparison


def _scores(placed: Mapping[str, Placed], frames: int) -> dict[str, dict[str, Values]]:
    """Scores of a and b in comparison with the ground truth or, without ground truth, in comparison with a."""
    protocol = Protocol("videos", "two versions of one video", 1, ResizeDown(1), metrics=_MEASURES)
    standard = placed.get("truth", placed["a"]).frames("", ())
    pairs = (Pair(frame, frame) for frame in standard)
    with torch.inference_mode():
        made = [placed["a"], placed["b"]]
        return score_clip(made, ClipFacts("", frames), pairs, protocol=protocol, chunk=8, watch=lambda *_: None)[0]


def _metrics(scores: Mapping[str, Mapping[str, Values]], has_truth: bool) -> list[VideoMetric]:
    def mean(candidate: str, metric: str) -> float | None:
        known = (values := scores[candidate][metric])[~np.isnan(values)]
        return float(known.mean()) if len(known) else None

    def filled(metrics: Sequence[VideoMetric], of: Sequence[str]) -> Iterator[VideoMetric]:
        return (metric.model_copy(update={key: mean(key, metric.name) for key in of}) for metric in metrics)

    return [*(filled(_TRUE, "ab") if has_truth else filled(_BETWEEN, "b")), *filled(_ALONE, "ab")]


def _facts(name: str, video: Placed) -> VideoFacts:
    shot = video.shot
    return VideoFacts(
        name=name,
        path=str(shot.path),
        height=shot.size[0],
        width=shot.size[1],
        frames=shot.frames,
        frames_per_second=float(shot.rate),
        steps=list(video.steps),
    )


def _pictures(video: Placed) -> Iterator[Frames]:
    return map(to_frames, video.frames("", ()))


def _side_by_side(left: Frames, right: Frames, seconds: float) -> Frames:
    return np.concatenate([left, right], 1)


def _fitted(picture: Frames) -> Frames:
    """Reduce a picture that is too wide for players, and make its sides even."""
    share = min(_WIDEST / picture.shape[1], 1.0)
    height, width = (round(side * share) // 2 * 2 for side in picture.shape[:2])
    if share == 1:
        return picture[:height, :width]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)  # pyright: ignore[reportReturnType]
