"""Comparison of two versions of a video: alignment, metrics with and without ground truth, and videos of both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import Frames, luma, to_frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path
from vsr_lab.core.records import write_record
from vsr_lab.core.records.comparison import VideoComparison, VideoFacts, VideoMetric
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.protocol import Pair, Protocol
from vsr_lab.evaluation.scoring import score_clip
from vsr_lab.evaluation.statistics import Values
from vsr_lab.footage.shots import Shot
from vsr_lab.metrics import flicker, psnr, self_flicker, ssim
from vsr_lab.reporting import write_video_report
from vsr_lab.reporting.wipe import wiped
from vsr_lab.video.writer import write_mp4
from vsr_lab.workflows.placed import Placed, place

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

    Both are aligned in time and space to the ground truth; without a ground truth, the version with fewer pixels is
    aligned to the other one.

    Args:
        a, b: video files, or folders of images.
        folder: folder to write to.
        truth: ground truth of both, a video file or folder of images; None: there is none.
        begin: called once, after the alignment and before the first write.

    Returns:
        How they were aligned, and the mean of every metric.

    Raises:
        UserError: a file cannot be read, the videos show different content, or have no frame in common.
    """
    shots = {name: Shot(name, path) for name, path in (("a", a), ("b", b), ("truth", truth)) if path}
    reference = shots.get("truth") or max(shots.values(), key=lambda shot: shot.size[0] * shot.size[1])
    placed = {name: place(name, shot, reference) for name, shot in shots.items()}
    kept = [u for u in range(reference.frames) if all(video.order[u] >= 0 for video in placed.values())]
    if not kept:
        raise UserError(b, f"has no frame in common with {a}", "give versions of one clip")
    placed = {name: video.only(kept) for name, video in placed.items()}
    begin()
    scores = _scores(placed, len(kept))
    rate = float(reference.rate)
    for name, view in zip(FILES[2:], (_side_by_side, _wiped), strict=True):
        pairs = zip(_pictures(placed["a"]), _pictures(placed["b"]), strict=True)
        with atomic_path(folder / name) as temporary:
            write_mp4(temporary, (view(left, right, t / rate) for t, (left, right) in enumerate(pairs)), rate)
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
    """Scores of a and b against the truth, or else against a."""
    protocol = Protocol("videos", "two versions of one video", 1, ResizeDown(1), metrics=_MEASURES)
    standard = placed.get("truth", placed["a"]).frames("", ())
    pairs = (Pair(frame, frame) for frame in standard)
    with torch.inference_mode():
        made = [placed["a"], placed["b"]]
        return score_clip(made, "", pairs, frames=frames, protocol=protocol, chunk=8, watch=lambda *_: None)[0]


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
    return _fitted(np.concatenate([left, right], 1))


def _wiped(left: Frames, right: Frames, seconds: float) -> Frames:
    return _fitted(wiped(left, right, seconds))


def _fitted(picture: Frames) -> Frames:
    """Reduce a picture that is too wide for players, and make its sides even."""
    share = min(_WIDEST / picture.shape[1], 1.0)
    height, width = (round(side * share) // 2 * 2 for side in picture.shape[:2])
    if share == 1:
        return picture[:height, :width]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)  # pyright: ignore[reportReturnType]
