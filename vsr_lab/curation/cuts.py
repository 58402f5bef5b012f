"""Scene cut detection: PySceneDetect's adaptive detector on small frames, with flashes excluded."""

from collections import deque

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from vsr_lab.core.clip import Frames

_SHORTEST = 8  # frames of a scene
_RATE = 25.0  # PySceneDetect requires one; everything here is counted in frames


class CutDetector:
    """Detects hard cuts (not dissolves) in footage. Unlike `core.cuts`, it also uses the frames after a cut.

    As in PySceneDetect, a frame begins a scene if its change in hue, saturation and luma is at least 15 levels, and at
    least 3 times the mean change of the two frames before and after it. If the picture before the change returns within
    two frames, the change is a flash and not a cut.
    """

    def __init__(self) -> None:
        self.found: list[int] = []
        self._detector = AdaptiveDetector(min_scene_len=_SHORTEST)
        self._recent: deque[tuple[int, Frames]] = deque(maxlen=6)

    def add(self, number: int, small: Frames) -> None:
        """Add the next frame, RGB (h, w, 3)."""
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
    """Mean absolute difference of two pictures of the same shape, in 8-bit levels."""
    return float(np.abs(one.astype(np.int16) - other).mean())
