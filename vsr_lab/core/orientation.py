"""Flips of pictures, and rotations by multiples of 90 degrees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Window = tuple[float, float, float, float]  # top, bottom, left, right, as shares of a picture


@dataclass(frozen=True)
class Orientation:
    """One of the eight flips and rotations of a picture: it is transposed first, then rows and columns are reversed.

    Args:
        transpose: exchange rows and columns.
        rows: reverse the order of the rows (flip vertically).
        columns: reverse the order of the columns (flip horizontally).
    """

    transpose: bool = False
    rows: bool = False
    columns: bool = False

    @property
    def name(self) -> str:
        """The orientation in words, such as "rotated by 90 degrees clockwise"."""
        return _NAMES[self]

    def apply(self, pictures: npt.NDArray[Any], first: int = 0) -> npt.NDArray[Any]:
        """Flip or rotate pictures. Returns a view, not a copy.

        Args:
            pictures: array of any shape, whose axes `first` and `first + 1` are height and width.
            first: index of the height axis.
        """
        if self.transpose:
            pictures = pictures.swapaxes(first, first + 1)
        return np.flip(pictures, self._flipped(first))

    def invert(self, picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Undo the orientation of a picture, (H, W, ...). Returns a view."""
        picture = np.flip(picture, self._flipped(0))
        return picture.swapaxes(0, 1) if self.transpose else picture

    def invert_window(self, window: Window) -> Window:
        """Convert a window of the picture after `apply` to the same area of the picture before it.

        Windows are (top, bottom, left, right), as fractions of height and width.
        """
        top, bottom, left, right = window
        if self.rows:
            top, bottom = 1 - bottom, 1 - top
        if self.columns:
            left, right = 1 - right, 1 - left
        return (left, right, top, bottom) if self.transpose else (top, bottom, left, right)

    def _flipped(self, first: int) -> tuple[int, ...]:
        return tuple(first + i for i, flip in enumerate((self.rows, self.columns)) if flip)


UPRIGHT = Orientation()
_NAMES = {
    UPRIGHT: "upright",
    Orientation(columns=True): "mirrored left to right",
    Orientation(rows=True): "flipped upside down",
    Orientation(rows=True, columns=True): "rotated by 180 degrees",
    Orientation(transpose=True): "transposed",
    Orientation(transpose=True, columns=True): "rotated by 90 degrees clockwise",
    Orientation(transpose=True, rows=True): "rotated by 90 degrees anticlockwise",
    Orientation(transpose=True, rows=True, columns=True): "transposed along the other diagonal",
}
ORIENTATIONS = tuple(_NAMES)
