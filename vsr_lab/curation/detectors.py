"""Detection of scene cuts and black bars in a clip, and measurement of how soft (blurred) the clip is."""

from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector
from torch import Tensor

from vsr_lab.alignment.grids import black_borders
from vsr_lab.core.clip import Frames, luma, quantise, to_tensor
from vsr_lab.core.resize import imresize

_SHORTEST = 8  # frames of a scene
_RATE = 25.0  # PySceneDetect requires one; everything here is counted in frames


class CutDetector:
    """Detects hard cuts (not dissolves) in footage. Unlike `core.cuts`, it also uses the frames after a cut.

    As in PySceneDetect, the change of a frame is the mean absolute difference from the previous frame in hue,
    saturation and luma (0..255). A frame begins a scene if its change is at least 15, and at least 3 times the mean
    change of the two frames before it and the two frames after it. Scenes have at least 8 frames. If the earlier
    picture reappears within two frames, the change is a flash and not a cut.

    Attributes:
        found: numbers of the first frames of the scenes detected so far.
    """

    def __init__(self) -> None:
        self.found: list[int] = []
        self._detector = AdaptiveDetector(min_scene_len=_SHORTEST)
        self._recent: deque[tuple[int, Frames]] = deque(maxlen=6)

    def add(self, number: int, small: Frames) -> None:
        """Examine the next frame, RGB (h, w, 3); number: its frame number."""
        self._recent.append((number, small))
        picture = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        cuts = (time.frame_num for time in self._detector.process_frame(FrameTimecode(number, _RATE), picture))
        self.found += [cut for cut in cuts if not self._is_flash(cut)]

    def _is_flash(self, cut: int) -> bool:
        recent = dict(self._recent)
        before, after = recent.get(cut - 1), recent.get(cut + 2)
        if before is None or after is None:
            return False
        return mean_difference(before, after) < 0.4 * mean_difference(before, recent[cut])


def mean_difference(one: Frames, other: Frames) -> float:
    """Mean absolute difference of two pictures of the same shape, in 8-bit levels (0..255)."""
    return float(np.abs(one.astype(np.int16) - other).mean())


_BLACK = 24  # levels; badly coded limited-range black is still below
_PICTURE = 0.5  # share of an edge's pixels that are lit at some time: text on a black screen stays far below
_SMALLEST = 0.015  # of the side
_MARGIN = 4  # pixels: codecs blur the edge of a bar


class BarDetector:
    """Detects black bars at the borders of a clip, from the maximum of every pixel over all frames."""

    def __init__(self) -> None:
        self._brightest: Frames | None = None

    def add(self, frame: Frames) -> None:
        """Examine a frame, (H, W, 3)."""
        self._brightest = frame.copy() if self._brightest is None else np.maximum(self._brightest, frame)

    def crop(self) -> tuple[int, int, int, int] | None:
        """Crop (width, height, x, y), all even, that removes black bars and 4 pixels beside them; None without bars.

        Bars are borders that are black in every frame. Two opposite bars must have a similar size, and most pixels of
        the row or column next to a bar must be bright in some frame.
        """
        if self._brightest is None:
            return None
        brightest = self._brightest.max(2)
        top, bottom, left, right = black_borders(brightest, _BLACK, 0.01)
        lit = brightest > _BLACK
        (top, bottom), (left, right) = _pair(lit.mean(1), top, bottom), _pair(lit.mean(0), left, right)
        if not (top or left):
            return None
        height, width = lit.shape
        y, x = (side + _MARGIN + side % 2 if side else 0 for side in (top, left))
        bottom, right = (side + _MARGIN if side else 0 for side in (bottom, right))
        return (width - right - x) // 2 * 2, (height - bottom - y) // 2 * 2, x, y


def _pair(lit: np.ndarray, first: int, last: int) -> tuple[int, int]:
    """Return the sizes `first` and `last` of two opposite bars; (0, 0) if they are not letterbox bars.

    lit: fraction of pixels of each row or column that are bright in some frame.
    """
    stop = len(lit) - last
    edges = max(lit[first : first + 3]), max(lit[max(0, stop - 3) : stop])
    small = min(first, last) < _SMALLEST * len(lit)
    uneven = abs(first - last) > max(4, 0.25 * max(first, last))
    return (0, 0) if small or uneven or min(edges) < _PICTURE else (first, last)


SOFT_DB = 46.0  # clips above it are too soft to train on at their size
_FACTORS = (1.0, 1.5, 2.0, 3.0, 4.0)


def softness(frames: Sequence[Frames]) -> tuple[float, float]:
    """Measure how soft (blurred) a clip is: PSNR-Y in dB after bicubic downscaling and upscaling by 2, at most 99.

    A high value means that the clip has no fine detail. Such a clip should be downscaled before it is used as HR.

    Args:
        frames: RGB uint8, each (H, W, 3).

    Returns:
        The PSNR over all frames, and the factor (1, 1.5, 2, 3 or 4) by which the clip must be downscaled so that its
        PSNR is at most 46 dB (`SOFT_DB`), or 4 if none suffices; 1 for a clip that is not soft or has no detail at all.
    """
    pictures = [to_tensor(frame) for frame in frames]
    first = _loss(pictures, 1.0)
    for factor in _FACTORS:
        if (first if factor == 1 else _loss(pictures, factor)) <= SOFT_DB:
            return first, factor
    return first, _FACTORS[-1] if first < 99 else 1.0


def _loss(pictures: Sequence[Tensor], factor: float) -> float:
    error = float(np.mean([_round_trip(picture, factor) for picture in pictures]))
    return min(99.0, 10 * float(np.log10(255**2 / error))) if error > 0 else 99.0


def _round_trip(picture: Tensor, factor: float) -> float:
    """Mean squared error of luma, in squared 8-bit levels, after downscaling and upscaling by 2."""
    if factor != 1:
        picture = quantise(imresize(picture, 1 / factor))
    even = picture[..., : picture.shape[-2] // 2 * 2, : picture.shape[-1] // 2 * 2]
    back = quantise(imresize(quantise(imresize(even, 0.5)), 2))
    return float((luma(back) - luma(even)).square().mean())
