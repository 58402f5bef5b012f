"""Perceptual hashes of a video, one per second, which hardly change if it is upscaled, encoded again or remuxed."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.core.clip import AnyFrames

_SIDE, _LOW = 32, 8  # of the picture that is transformed, and of its low frequencies that are kept
_BLANK = 3.0  # levels of deviation below which a picture has no hash
_SAME = 10  # bits of 64 in which hashes of the same picture may differ; other pictures differ in about 32


def frame_hash(picture: AnyFrames) -> str:
    """Perceptual hash (pHash) of a picture, which hardly changes if the picture is compressed or resized.

    Its bits are the signs of the coefficients of the lowest frequencies (Zauner 2010).

    Args:
        picture: RGB (H, W, 3), uint8 or uint16.

    Returns:
        64 bits in hexadecimal; empty if the picture is blank.
    """
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    gray = np.asarray(small, np.float32).mean(-1) * (255 / np.iinfo(picture.dtype).max)
    if gray.std() < _BLANK:
        return ""
    low: npt.NDArray[np.float32] = np.asarray(cv2.dct(gray), np.float32)[:_LOW, :_LOW].ravel()
    return np.packbits(low > np.median(low[1:])).tobytes().hex()


class FrameHashes:
    """Collects the perceptual hash of the first frame of every second of a video.

    Attributes:
        values: one hash per second; empty for a second without frames, or whose first frame is blank.
    """

    def __init__(self) -> None:
        self.values: list[str] = []

    def wants(self, seconds: float) -> bool:
        """Whether the frame at this time is the first one of its second."""
        return int(seconds) >= len(self.values)

    def add(self, seconds: float, picture: AnyFrames) -> None:
        """Process the next frame of the video, and store its hash if it is the first frame of a second.

        Args:
            seconds: time since the first frame of the video.
            picture: RGB (H, W, 3), uint8 or uint16.
        """
        if self.wants(seconds):
            self.values += [""] * (int(seconds) - len(self.values)) + [frame_hash(picture)]


def agreement(one: Sequence[str], other: Sequence[str]) -> float:
    """Similarity of two videos by their perceptual hashes: fraction of the seconds in which the hashes match.

    Args:
        one, other: hash of each second, or "" if a second has no hash. Only seconds with both hashes are counted.

    Returns:
        Fraction in [0, 1]; 0 if the durations of the videos differ by more than 2 seconds and by more than 2 %.

    Example:
        >>> agreement(["00ff00ff00ff00ff", ""], ["00ff00ff00ff00fe", ""])
        1.0
    """
    longer = max(len(one), len(other))
    if abs(len(one) - len(other)) > 2 + 0.02 * longer:
        return 0.0
    pairs = [(int(a, 16), int(b, 16)) for a, b in zip(one, other, strict=False) if a and b]
    return sum((a ^ b).bit_count() <= _SAME for a, b in pairs) / max(1, len(pairs))
