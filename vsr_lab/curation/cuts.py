"""Where a new scene begins: PySceneDetect's adaptive detector, fed with small frames, and no flash taken for a cut."""

from collections import deque

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from vsr_lab.core.clip import Frames

_SHORTEST = 8  # frames a scene has at least
_RATE = 25.0  # PySceneDetect wants one; everything here is counted in frames


class Cuts:
    """Hard cuts of one source. A dissolve is none: its frames belong together.

    PySceneDetect compares a frame's change in hue, saturation and luma to its neighbours' (window 2, ratio 3, at least
    15 levels). Where the picture from before is back two frames later, it was a flash, and is dropped.
    """

    def __init__(self) -> None:
        self.found: list[int] = []
        self._detector = AdaptiveDetector(min_scene_len=_SHORTEST)
        self._recent: deque[tuple[int, Frames]] = deque(maxlen=6)

    def add(self, number: int, small: Frames) -> None:
        """The next frame, in order (h w 3, RGB)."""
        self._recent.append((number, small))
        picture = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        for time in self._detector.process_frame(FrameTimecode(number, _RATE), picture):
            cut = time.frame_num
            if not self._is_flash(cut):
                self.found.append(cut)

    def _is_flash(self, cut: int) -> bool:
        recent = dict(self._recent)
        before, after = recent.get(cut - 1), recent.get(cut + 2)
        if before is None or after is None:
            return False
        return _gap(before, after) < 0.4 * _gap(before, recent[cut])


def _gap(one: Frames, other: Frames) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean())
