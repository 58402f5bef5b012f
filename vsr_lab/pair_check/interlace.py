"""Detection of interlacing in LR: even and odd rows of one frame that show two moments."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vsr_lab.alignment import FramePair, Grid
from vsr_lab.alignment.grids import Picture, centred, resample
from vsr_lab.alignment.signatures import gray
from vsr_lab.core.clip import AnyFrames
from vsr_lab.pair_check.findings import Findings

_MOVING = 6.0  # levels between neighbouring HR frames: above, a pixel shows which moment it belongs to
_ENOUGH = 150  # such LR pixels


class MovingPair(NamedTuple):
    """A frame pair with the previous and the next HR frame."""

    pair: FramePair
    before: AnyFrames
    after: AnyFrames


class _Moments(NamedTuple):
    """The moments that the rows of an LR frame show, as offsets from the matching HR frame.

    Attributes:
        even, odd: -1, 0 or +1 for even and odd rows.
        as_one, as_two: residual in 8-bit levels (0..255) with one moment for all rows, and with these two.
    """

    even: int
    odd: int
    as_one: float
    as_two: float

    @property
    def combed(self) -> bool:
        return self.even != self.odd


def judge_fields(found: Findings, frames: list[MovingPair], worst: list[MovingPair], grid: Grid) -> bool:
    """Test whether LR is interlaced, and if so add this fault to the findings.

    In an interlaced LR frame, even and odd rows match different HR frames. Both are compared with the matching HR frame
    and its neighbours.

    Args:
        found: findings to which the fault is added.
        frames: frame pairs with motion.
        worst: frame pairs that match badly, if any. In animation, where most frames repeat, only these show combing.
        grid: measured positions of LR pixels on HR. Combing biases the measurement, so the positions without a shift
            are tried too.

    Returns:
        Whether there is a fault.
    """
    grids = [grid, centred(frames[0].pair.low, frames[0].pair.high)]
    sets = [frames] + ([worst] if worst else [])
    tried = [[m for frame in some if (m := _moments(frame, g))] for some in sets for g in grids]
    tried = [moments for moments in tried if 2 * sum(m.combed for m in moments) > len(moments)] or tried
    judged = min(tried, key=lambda moments: np.mean([m.as_two for m in moments]) if moments else np.inf)
    if not judged:
        found.unjudged.append("interlace: cannot be judged (no motion)")
        return False
    combed = [m for m in judged if m.combed]
    found.measured["interlace"] = {"moving_frames": len(judged), "combed": len(combed)}
    faulty = 2 * len(combed) > len(judged)
    if faulty:
        m = combed[0]
        size = (
            f"rows of {len(combed)} of {len(judged)} moving frames show two moments: even rows HR t{m.even:+d}, "
            f"odd rows t{m.odd:+d} ({m.as_one:.1f} levels off as one moment, {m.as_two:.1f} as two)"
        )
        value = {"even": m.even, "odd": m.odd, "combed": len(combed), "moving": len(judged)}
        found.add("interlaced", size, "make LR from whole frames, or deinterlace it", value)
    return faulty


def _moments(frame: MovingPair, grid: Grid) -> _Moments | None:
    """The moments that a frame shows; None if there is too little motion."""
    low = gray(frame.pair.low)
    highs = {-1: frame.before, 0: frame.pair.high, 1: frame.after}
    views = {k: resample(gray(high), grid, low.shape, 0.38) for k, high in highs.items()}
    moving = np.maximum(np.abs(views[1] - views[0]), np.abs(views[-1] - views[0])) > _MOVING
    moving[:3] = moving[-3:] = False
    moving[:, :3] = moving[:, -3:] = False
    parts = [moving & (np.arange(len(low)) % 2 == parity)[:, None] for parity in (0, 1)]
    if min(part.sum() for part in parts) < _ENOUGH:
        return None
    residuals = [{k: _residual(low, view, part) for k, view in views.items()} for part in parts]
    even, odd = (min(rows, key=lambda k: rows[k]) for rows in residuals)
    one = {k: float(np.hypot(residuals[0][k], residuals[1][k])) for k in views}
    as_one, as_two = min(one.values()), float(np.hypot(residuals[0][even], residuals[1][odd]))
    if as_two > 0.7 * as_one:  # two moments that are hardly better than one
        even = odd = min(one, key=lambda k: one[k])
    return _Moments(even, odd, as_one, as_two)


def _residual(low: Picture, view: Picture, part: npt.NDArray[np.bool_]) -> float:
    gap = (low - view)[part]
    return float(np.sqrt(((gap - np.median(gap)) ** 2).mean()))
