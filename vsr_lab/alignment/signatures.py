"""A tiny gray picture of every frame: what time is judged by."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.grids import Grid, Orientation, Picture, Window, gaussian_rows
from vsr_lab.core.clip import AnyFrames, to_eight_bit
from vsr_lab.footage.shots import Shot
from vsr_lab.video import read_chunks

WHOLE: Window = (0.0, 1.0, 0.0, 1.0)
_THUMB, _CELLS, _FINE_CELLS = 96, 24, 40
_SOFT = 0.8  # cells by which a signature is blurred, so that LR and HR alias alike
_BLACK = 16.0  # levels
_CHUNK = 8

Thumbs = npt.NDArray[np.uint8]


def gray(frame: AnyFrames) -> Picture:
    """The mean of R, G and B in levels 0..255, H W. No channel weighs more, so that swapped channels change nothing."""
    share = np.float32(1 / 3 if frame.dtype == np.uint8 else 1 / 3 / 257)
    return cv2.transform(frame.astype(np.float32), np.full((1, 3), share))  # pyright: ignore[reportReturnType]


def thumbnails(shot: Shot, seen: Callable[[], None]) -> Thumbs:
    """Every frame in gray, shrunk by area to 96 x 96 at most: T n m. seen: called for every frame.

    Frames are read in small chunks: memory holds 9 kB a frame.
    """
    height, width = (min(_THUMB, n) for n in shot.size)
    third = np.full((1, 3), np.float32(1 / 3))
    found = []
    for clip in read_chunks(shot, 0, shot.frames, _CHUNK):
        for frame in to_eight_bit(clip.frames):
            found.append(cv2.resize(cv2.transform(frame, third), (width, height), interpolation=cv2.INTER_AREA))
            seen()
    return np.stack(found)


def cells_for(low: Shot, high: Shot, placed: bool) -> int:
    """How many cells a signature has on a side: more once it is known where LR lies, as then both alias alike."""
    return max(4, min(_FINE_CELLS if placed else _CELLS, min(*low.size, *high.size) // 2))


def signatures(thumbs: Thumbs, cells: int, window: Window) -> Picture:
    """cells x cells soft samples of a window of every thumbnail, in levels: T cells cells."""
    sizes = thumbs.shape[1:]
    spans = ((window[0], window[1]), (window[2], window[3]))
    rows, columns = (
        gaussian_rows(
            Grid((n * (b - a) / cells,) * 2, (n * a,) * 2).centres(0, cells), n, _SOFT * n * abs(b - a) / cells
        )[0]
        for n, (a, b) in zip(sizes, spans, strict=True)
    )
    return np.stack([rows @ thumb.astype(np.float32) @ columns.T for thumb in thumbs])


def common_cells(low: Picture, high: Picture, window: Window, orientation: Orientation) -> Picture:
    """1 for cells (as LR lies) that HR covers and that are not black in LR alone or HR alone; 0 for the others."""
    cells = low.shape[1]
    share = (np.arange(cells) + 0.5) / cells
    rows, columns = (a + (b - a) * share for a, b in (window[:2], window[2:]))
    covered = ((rows > 0) & (rows < 1))[:, None] & ((columns > 0) & (columns < 1))[None]
    black = [x.max(0) < _BLACK for x in (low, orientation.turn(high, 1))]
    return _without_rim(orientation.turn(covered) & (black[0] == black[1]))


def lit_cells(low: Picture) -> Picture:
    """1 for cells that are not black in every frame, else 0."""
    return _without_rim(low.max(0) >= _BLACK)


def _without_rim(cells: npt.NDArray[np.bool_]) -> Picture:
    """Cells beside one that is left out are left out too, as signatures are soft."""
    whole = cells.all() or not cells.any()
    return (cells if whole else cv2.erode(cells.astype(np.uint8), np.ones((3, 3), np.uint8))).astype(np.float32)
