"""Square parts of frames, cut out at the same place in LR, HR and SR."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # that module imports torch
    from vsr_lab.core.clip import Frames

TILE = 16  # HR pixels on a side of the tiles on which candidates are compared
CROP = 128  # HR pixels on a side of a lossless crop

Square = tuple[int, int, int]  # top, left and side in HR pixels


def square_at(y: int, x: int, size: tuple[int, int], scale: int, *, side: int = CROP) -> Square:
    """Compute a square around a pixel: (top, left, side) in HR pixels, each a multiple of `scale`.

    A square that would extend beyond the frame is moved into the frame.

    Args:
        y, x: the pixel, in HR pixels.
        size: height and width of HR.
        scale: ratio of HR size to LR size.
        side: side of the square in HR pixels; it is reduced if the frame is smaller.
    """
    side = min(side, *size) // scale * scale
    corners = ((y, size[0]), (x, size[1]))
    top, left = (max(0, min(at - side // 2, whole - side)) // scale * scale for at, whole in corners)
    return top, left, side


def cut(frame: "Frames", square: Square, scale: int = 1) -> "Frames":
    """Cut a square (in HR pixels) out of a frame (H, W, 3). scale: for LR the upscaling factor; 1 for HR and SR."""
    top, left, side = (value // scale for value in square)
    return frame[top : top + side, left : left + side]
