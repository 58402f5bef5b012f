"""Interlace residue: rows of one LR frame that show two moments."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.grids import Grid, Picture, gaussian_rows
from vsr_lab.alignment.registration import centred
from vsr_lab.alignment.signatures import gray
from vsr_lab.core.clip import AnyFrames
from vsr_lab.pair_check.findings import Fault, Findings
from vsr_lab.pair_check.pairing import Matched

_MOVING = 6.0  # levels between the HR frames before and after: where a moment can be told
_ENOUGH = 150  # such LR pixels


@dataclass(frozen=True)
class Moving:
    """A matched frame with the HR frames before and after the one it shows."""

    shown: Matched
    before: AnyFrames
    after: AnyFrames


def judge_fields(found: Findings, frames: list[Moving], worst: list[Moving], grid: Grid) -> bool:
    """Compare the even and the odd rows of LR with the HR frame it shows, the one before and the one after.

    worst: frames that match HR badly, if any: in held animation only they are combed. Rows of two moments pull the
    estimated place between the two, so the centred place is tried as well. True: a fault.
    """
    grids = [grid, centred(frames[0].shown.low, frames[0].shown.high)]
    sets = [frames] + ([worst] if worst else [])
    tried = [[m for frame in some if (m := field_moments(frame, g))] for some in sets for g in grids]
    tried = [m for m in tried if 2 * sum(even != odd for even, odd, _, _ in m) > len(m)] or tried
    judged = min(tried, key=lambda moments: sum(m[3] for m in moments) / (len(moments) + 1e-9) if moments else np.inf)
    if not judged:
        found.unjudged.append("interlace: cannot be judged (no motion)")
        return False
    combed = [m for m in judged if m[0] != m[1]]
    found.measured["interlace"] = {"moving_frames": len(judged), "combed": len(combed)}
    if 2 * len(combed) > len(judged):
        even, odd, before, after = combed[0]
        found.faults.append(
            Fault(
                "interlaced",
                f"rows of {len(combed)} of {len(judged)} moving frames show two moments: even rows HR t{even:+d}, "
                f"odd rows t{odd:+d} ({before:.1f} levels off as one moment, {after:.1f} as two)",
                "make LR from whole frames, or deinterlace it",
                {"even": even, "odd": odd, "combed": len(combed), "moving": len(judged)},
            )
        )
    return 2 * len(combed) > len(judged)


def field_moments(frame: Moving, grid: Grid) -> tuple[int, int, float, float] | None:
    """The moment (-1, 0, +1 from the matched HR frame) that even and odd rows show, and how far LR is off (levels) as
    one moment and as two. None where too little moves."""
    low = gray(frame.shown.low)
    highs = {-1: frame.before, 0: frame.shown.high, 1: frame.after}
    seen = {k: _seen(gray(high), low.shape, grid) for k, high in highs.items()}
    moving = np.maximum(np.abs(seen[1] - seen[0]), np.abs(seen[-1] - seen[0])) > _MOVING
    moving[:3] = moving[-3:] = False
    moving[:, :3] = moving[:, -3:] = False
    parts = [moving & (np.arange(len(low)) % 2 == parity)[:, None] for parity in (0, 1)]
    if min(part.sum() for part in parts) < _ENOUGH:
        return None
    off = [{k: _off(low, view, part) for k, view in seen.items()} for part in parts]
    even, odd = (min(rows, key=lambda k: rows[k]) for rows in off)
    as_one = min(float(np.hypot(off[0][k], off[1][k])) for k in seen)
    as_two = float(np.hypot(off[0][even], off[1][odd]))
    if as_two > 0.7 * as_one:  # two moments that explain hardly more are one
        odd = even = min(seen, key=lambda k: np.hypot(off[0][k], off[1][k]))
    return even, odd, as_one, as_two


def _seen(high: Picture, shape: tuple[int, ...], grid: Grid) -> Picture:
    rows, columns = (gaussian_rows(grid.centres(i, shape[i]), high.shape[i], 0.38 * grid.scale[i])[0] for i in (0, 1))
    return rows @ high @ columns.T


def _off(low: Picture, view: Picture, part: npt.NDArray[np.bool_]) -> float:
    gap = (low - view)[part]
    return float(np.sqrt(((gap - np.median(gap)) ** 2).mean()))
