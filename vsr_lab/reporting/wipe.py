"""A video per suite in which a moving line divides the baseline and the selected candidate."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vsr_lab.core.clip import Frames
from vsr_lab.core.files import atomic_path, inside
from vsr_lab.core.records.comparison import ClipFrames, Comparison
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.saved import LOW, SavedClip
from vsr_lab.reporting.verdict import headline
from vsr_lab.video.disclosure import DISCLOSURE
from vsr_lab.video.writer import even_size, write_mp4

_SECONDS = 4  # in which the divider goes to and fro; the clip is repeated until then
_SIDE = 1920  # pixels of the longer side, at most


def write_wipes(comparison: Comparison, root: Path, folder: Path) -> list[Path]:
    """Write wipe_SUITE.mp4 for each suite: the first clip, with a moving line between two candidates.

    On the left of the line is the baseline, or LR if there are no frames of the baseline. On the right is the candidate
    that `select` chose. If it chose none, the candidate with the best mean of the metric `headline` is on the right, or
    the last candidate if the best one is the baseline.

    Args:
        comparison: comparison whose clips are shown.
        root: folder to which the paths in `comparison` are relative.
        folder: folder to write to.

    Returns:
        Paths of the videos.
    """
    firsts = {clip.suite: clip for clip in reversed(comparison.pictures)}
    paths: list[Path] = []
    for suite in (suite.name for suite in comparison.suites if suite.name in firsts):
        path = inside(folder, f"wipe_{suite}.mp4")
        left, right = _sides(comparison, firsts[suite])
        clip = SavedClip(firsts[suite], root)
        with atomic_path(path) as temporary:
            tags = {"title": f"{left} | {right}", "comment": DISCLOSURE}
            write_mp4(temporary, _frames(clip, left, right), clip.facts.rate, tags=tags)
        paths.append(path)
    return paths


def _sides(comparison: Comparison, clip: ClipFrames) -> tuple[str, str]:
    """Names of the two views: the baseline (or LR if it has no frames), and the selected or else the best candidate."""
    lookup, metric = Lookup(comparison), headline(comparison.metrics)
    names = [candidate.candidate for candidate in clip.candidates]
    choices = comparison.selection.choices if comparison.selection else []
    chosen = [choice.chosen for choice in choices if choice.suite == clip.suite and choice.chosen]
    best = lookup.best(clip.suite, metric) if metric else []
    right = next((name for name in (*chosen, *best) if name != comparison.baseline), names[-1])
    left = comparison.baseline
    return (left if left in names and left != right else LOW), right


def _frames(clip: SavedClip, left: str, right: str) -> Iterator[Frames]:
    size, count = even_size(clip.size, _SIDE), 0
    while count < _SECONDS * clip.facts.rate:
        for pair in zip(clip.frames(left), clip.frames(right), strict=True):
            a, b = (cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in pair)
            picture = wiped(np.asarray(a, np.uint8), np.asarray(b, np.uint8), count / clip.facts.rate)
            yield _labelled(picture, left, right)
            count += 1


def wiped(left: Frames, right: Frames, seconds: float) -> Frames:
    """Frame of a wipe: one picture on the left and another on the right of a white line that moves left and right.

    Args:
        left, right: pictures of the same size (H, W, 3).
        seconds: time of the frame; the line begins in the middle, and its motion repeats every 4 seconds.
    """
    way = (seconds / _SECONDS + 0.25) % 1
    column = round(left.shape[1] * (1 - abs(1 - 2 * way)))
    picture = np.concatenate([left[:, :column], right[:, column:]], axis=1)
    picture[:, max(column - 1, 0) : column + 1] = 255
    return picture


def _labelled(picture: Frames, left: str, right: str) -> Frames:
    """Draw the names of the two views into the lower corners, white on black to be readable on any picture."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(11, image.height // 36))
    edge = image.height - 6
    for text, at, anchor in ((left, (8, edge), "lb"), (right, (image.width - 8, edge), "rb")):
        x0, y0, x1, y1 = draw.textbbox(at, text, font, anchor)
        draw.rectangle((x0 - 4, y0 - 3, x1 + 4, y1 + 3), "black")
        draw.text(at, text, "white", font, anchor)
    return np.asarray(image)
