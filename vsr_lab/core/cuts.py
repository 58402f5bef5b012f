"""Where a new scene begins, told at its first frame: no future is needed, and a frame costs a glance."""

from collections import deque
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

IsCut = Callable[[Tensor], bool]

_GRID = (18, 32)  # cells of a frame that are compared: what moves inside one is no cut
_CELL = 8  # pixels that a cell has at least on a side
_LEAST = 8 / 255  # mean change of a cell at a cut
_RATIO = 2.0  # times the mean change of the last frames: a fast camera is no cut
_ALIKE = 0.8  # correlation from which two pictures show the same thing, however bright
_FLAT = 2 / 255  # deviation under which a picture shows nothing: black, or a flash


class SceneCutDetector:
    """Called with each frame (C h w in [0, 1]) of a clip in order: whether it begins a new scene.

    It does where the picture changes much, more than it has of late, and does not correlate with the one before; so
    neither fast motion nor a flash is taken for a cut. found: numbers of the frames that began one.
    """

    def __init__(self) -> None:
        self.found: list[int] = []
        self._seen = 0
        self._last: Tensor | None = None
        self._changes: deque[float] = deque(maxlen=4)

    def __call__(self, lr: Tensor) -> bool:
        rows, columns = (min(most, -(-side // _CELL)) for most, side in zip(_GRID, lr.shape[-2:], strict=True))
        small = F.adaptive_avg_pool2d(lr.float(), (rows, columns))
        begins = self._last is not None and self._differs(small, self._last)
        if begins:
            self.found.append(self._seen)
        self._seen += 1
        self._last = small
        return begins

    def _differs(self, small: Tensor, last: Tensor) -> bool:
        change = float((small - last).abs().mean())
        usual = sum(self._changes) / max(len(self._changes), 1)
        self._changes.append(change)
        return change >= max(_LEAST, _RATIO * usual) and _correlation(small, last) < _ALIKE


def no_cut(lr: Tensor) -> bool:
    """A clip of one scene."""
    return False


def _correlation(one: Tensor, other: Tensor) -> float:
    """Of gray pictures, in [-1, 1]; 1 where one of them shows nothing."""
    a, b = (picture.mean(0) - picture.mean() for picture in (one, other))
    deviations = float(a.square().mean().sqrt()), float(b.square().mean().sqrt())
    return float((a * b).mean()) / (deviations[0] * deviations[1]) if min(deviations) > _FLAT else 1.0
