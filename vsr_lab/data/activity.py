"""Activity maps, which contain motion and detail of every cell of 16 x 16 pixels of a clip.

By these maps, training crops with motion and detail are chosen without reading frames.
"""

import numpy as np
import numpy.typing as npt

from vsr_lab.core.clip import Frames

Activity = npt.NDArray[np.float16]

CELL = 16  # HR pixels on a side


def measure_activity(frames: Frames, before: Frames | None = None) -> Activity:
    """Measure motion and detail of every 16x16 block of every frame, by which training crops are chosen.

    Every second row and column of the green channel is used.

    Args:
        frames: uint8 (T, H, W, C).
        before: the frame before the first one; None if there is none, which gives motion 0.

    Returns:
        (T, 2, ceil(H / 16), ceil(W / 16)) in 8-bit levels. [:, 0] is motion, the mean absolute difference from the
        previous frame; [:, 1] is detail, the mean absolute gradient.
    """
    length, height, width, _ = frames.shape
    rows, columns = np.arange(0, height, CELL) // 2, np.arange(0, width, CELL) // 2
    shape = len(rows), len(columns)
    counts = _cells(np.ones(frames[0, ::2, ::2, 1].shape, np.float32), rows, columns)
    activity = np.zeros((length, 2, *shape), np.float16)
    previous = None if before is None else before[::2, ::2, 1].astype(np.int16)
    for t, frame in enumerate(frames):
        green = frame[::2, ::2, 1].astype(np.int16)
        gradient = np.zeros(green.shape, np.int16)
        gradient[:-1] += np.abs(green[1:] - green[:-1])
        gradient[:, :-1] += np.abs(green[:, 1:] - green[:, :-1])
        activity[t, 1] = _cells(gradient, rows, columns) / counts
        if previous is not None:
            activity[t, 0] = _cells(np.abs(green - previous), rows, columns) / counts
        previous = green
    return activity


def _cells(values: npt.NDArray[np.generic], rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> np.ndarray:
    return np.add.reduceat(np.add.reduceat(values.astype(np.float32), rows, 0), columns, 1)


def motion_and_detail(
    activity: Activity, t: int, span: int, *, y: int, x: int, size: int, stride: int
) -> tuple[float, float]:
    """Mean motion and detail of a crop, in 8-bit levels.

    Args:
        activity: result of `measure_activity` for the clip.
        t: number of the first frame of the crop.
        span: last frame minus first frame of the crop.
        y, x: top left corner of the crop in pixels.
        size: height and width of the crop in pixels.
        stride: every stride-th frame is used, and motion is the change from one used frame to the next.
    """
    cells = activity[
        t : t + span + 1, :, y // CELL : (y + size - 1) // CELL + 1, x // CELL : (x + size - 1) // CELL + 1
    ]
    motion = float(cells[1:, 0].mean(dtype=np.float32)) * stride if span else 0.0
    return motion, float(cells[span // 2, 1].mean(dtype=np.float32))
