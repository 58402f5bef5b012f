"""Frame signatures, which are very small gray pictures by which the frames of two clips are matched in time."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.grids import Grid, Picture, gaussian_matrices
from vsr_lab.core.clip import AnyFrames, Frames, to_eight_bit
from vsr_lab.core.orientation import Orientation, Window
from vsr_lab.footage.shots import Shot
from vsr_lab.video import read_chunks

WHOLE: Window = (0.0, 1.0, 0.0, 1.0)
_THUMB, _CELLS, _FINE_CELLS = 96, 24, 40
_SOFT = 0.8  # cells by which a signature is blurred, so that aliasing is the same in LR and HR
_BLACK = 16.0  # levels
_CHUNK = 8


def gray(frame: AnyFrames) -> Picture:
    """Convert an RGB frame to gray, (H, W) in [0, 255], by the mean of R, G and B; swapped channels have no effect.

    Used for spatial alignment and to detect bars and combing. Signatures are computed from `thumbnails` instead.
    """
    share = np.float32(1 / 3 if frame.dtype == np.uint8 else 1 / 3 / 257)
    return cv2.transform(frame.astype(np.float32), np.full((1, 3), share))  # pyright: ignore[reportReturnType]


def thumbnails(shot: Shot, on_frame: Callable[[], None]) -> Frames:
    """Read a shot and downscale every frame to a gray picture of at most 96 x 96 pixels.

    Args:
        shot: frames to read.
        on_frame: called after every frame, for a progress bar.

    Returns:
        Pictures (T, n, m) in 8-bit levels (0..255); at most 9 kB per frame.
    """
    height, width = (min(_THUMB, n) for n in shot.size)
    third = np.full((1, 3), np.float32(1 / 3))
    found = []
    for clip in read_chunks(shot, 0, shot.frames, _CHUNK):
        for frame in to_eight_bit(clip.frames):
            found.append(cv2.resize(cv2.transform(frame, third), (width, height), interpolation=cv2.INTER_AREA))
            on_frame()
    return np.stack(found)


def signature_cells(low: Shot, high: Shot, fine: bool) -> int:
    """Number of cells per side of a signature (a very small gray picture by which frames are matched).

    Args:
        low, high: LR and HR clip.
        fine: whether to use more cells, which helps only if the spatial alignment is known.
    """
    return max(4, min(_FINE_CELLS if fine else _CELLS, min(*low.size, *high.size) // 2))


def signatures(thumbs: Frames, cells: int, window: Window = WHOLE) -> Picture:
    """Reduce thumbnails to signatures: very small blurred gray pictures by which frames are matched.

    Args:
        thumbs: result of `thumbnails`, (T, n, m).
        cells: number of cells per side of a signature.
        window: part of the thumbnails that is used, (top, bottom, left, right) as fractions of height and width.

    Returns:
        (T, cells, cells) in 8-bit levels (0..255).
    """
    height, width = thumbs.shape[1:]
    top, bottom, left, right = window
    grid = Grid((height * (bottom - top) / cells, width * (right - left) / cells), (height * top, width * left))
    rows, columns = gaussian_matrices(grid, (cells, cells), (height, width), _SOFT)
    return np.stack([rows @ thumb.astype(np.float32) @ columns.T for thumb in thumbs])


def common_cells(low: Picture, high: Picture, window: Window, orientation: Orientation) -> Picture:
    """Mask (n, n), 1 for the cells of LR that can be compared with HR.

    Two kinds of cells are 0, together with their neighbours: cells for which HR has no pixels (LR may show more than
    HR), and cells that are black in only one of the clips.

    Args:
        low, high: signatures of LR (T, n, n), and of the part of HR that LR shows (U, n, n).
        window: the part of HR that LR shows, (top, bottom, left, right) as fractions of height and width.
        orientation: orientation of HR that matches LR.
    """
    cells = low.shape[1]
    share = (np.arange(cells) + 0.5) / cells
    rows, columns = (a + (b - a) * share for a, b in (window[:2], window[2:]))
    covered = ((rows > 0) & (rows < 1))[:, None] & ((columns > 0) & (columns < 1))[None]
    black = [x.max(0) < _BLACK for x in (low, orientation.apply(high, 1))]
    return _eroded(orientation.apply(covered) & (black[0] == black[1]))


def lit_cells(low: Picture) -> Picture:
    """Mask (n, n) of signatures (T, n, n): 0 for cells that are black in all frames and their neighbours, else 1."""
    return _eroded(low.max(0) >= _BLACK)


def _eroded(cells: npt.NDArray[np.bool_]) -> Picture:
    """Also exclude the neighbours of excluded cells, since signatures are blurred."""
    whole = cells.all() or not cells.any()
    return (cells if whole else cv2.erode(cells.astype(np.uint8), np.ones((3, 3), np.uint8))).astype(np.float32)
