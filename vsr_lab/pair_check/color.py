"""The colours of LR against those of HR, seen as LR should see them."""

import numpy as np
import torch
from torch import Tensor

from vsr_lab.alignment.color_transform import EXACT_TOLERANCE, ColourFit, Colours, fit_colours
from vsr_lab.alignment.grids import Grid, Picture, gaussian_rows
from vsr_lab.alignment.registration import shrink
from vsr_lab.core.clip import AnyFrames
from vsr_lab.pair_check.degradation import LIGHT, Named
from vsr_lab.pair_check.findings import Fault, Findings
from vsr_lab.pair_check.pairing import Matched

_SMOOTH = 2.0  # LR pixels


def _view(high: AnyFrames, size: tuple[int, ...], grid: Grid, sigma: float, power: float = 1.0) -> Picture:
    """HR as LR sees it, h w 3 in levels, blurred by sigma LR pixels; in light to the power where one is given."""
    fine = max(1, int(min(grid.scale) * sigma))
    near = grid.shrunk(1, fine)
    light = (high / np.iinfo(high.dtype).max).astype(np.float32)
    light = light if power == 1 else light**power
    channels = []
    for c in range(3):
        picture = shrink(np.ascontiguousarray(light[..., c]), fine)
        centres = [near.centres(i, size[i]) for i in (0, 1)]
        rows, columns = (gaussian_rows(centres[i], picture.shape[i], sigma * near.scale[i])[0] for i in (0, 1))
        channels.append(rows @ picture @ columns.T)
    return 255 * np.stack(channels, -1)


def _smooth_colours(frames: list[Matched], grid: Grid, sigma: float, power: float) -> tuple[Colours, Colours]:
    """Smoothed HR and LR at the same places, N 3 in [0, 1], smoothed by sigma LR pixels in light to the power."""
    highs, lows = [], []
    for frame in frames:
        size = frame.low.shape[:2]
        inside = [(c > 0) & (c < n - 1) for c, n in ((grid.centres(i, size[i]), frame.high.shape[i]) for i in (0, 1))]
        place = np.ix_(np.flatnonzero(inside[0])[4:-4:3], np.flatnonzero(inside[1])[4:-4:3])
        high = _view(frame.high, size, grid, float(np.hypot(sigma, 0.35)), power)[place].reshape(-1, 3) / 255
        low = _view(frame.low, size, Grid((1.0, 1.0)), sigma, power)[place].reshape(-1, 3) / 255
        highs.append(np.clip(high, 0, 1).astype(np.float64) ** (1 / power))
        lows.append(np.clip(low, 0, 1).astype(np.float64) ** (1 / power))
    return np.concatenate(highs), np.concatenate(lows)


def smooth_fit(frames: list[Matched], grid: Grid, linear: bool) -> ColourFit:
    """The map of colours over whole frames, smoothed. linear: LR was made in linear light."""
    return fit_colours(*_smooth_colours(frames, grid, _SMOOTH, LIGHT if linear else 1.0))


def exact_fit(named: Named) -> ColourFit:
    """The map of colours between LR and what its own degradation makes: pixel by pixel, so that fine detail counts."""
    inner = (slice(None), slice(4, -4), slice(4, -4))
    highs = [lr[inner].reshape(3, -1).mT.double().numpy() for lr in named.best.raw]
    lows = [window.lr[inner].reshape(3, -1).mT.double().numpy() for window in named.windows]
    return fit_colours(np.concatenate(highs), np.concatenate(lows), EXACT_TOLERANCE)


def judge_colour(found: Findings, fit: ColourFit, linear: bool) -> None:
    """Add what is wrong with the colours."""
    if linear:
        found.faults.append(
            Fault(
                "gamma",
                "LR was shrunk in linear light",
                "shrink the coded values, as the families do",
                {"power": LIGHT},
            )
        )
    if fit.name:
        kind, _, rest = fit.name.partition(": ")
        size = f"{rest or kind} ({fit.moved:.1f} levels off; {fit.left:.2f} with that undone)"
        found.faults.append(Fault(kind, size, fit.remedy, fit.value))
    found.measured["colour"] = {
        "moved_levels": round(fit.moved, 3),
        "left_levels": round(fit.left, 3),
        "saturation_levels": round(fit.saturation, 2),
    }
    if fit.saturation < 3:
        found.unjudged.append("matrix, channel order and saturation: cannot be judged (no colour)")


def recolour(fit: ColourFit, picture: Tensor) -> Tensor:
    """A picture (3 h w in [0, 1]) with the colours that LR has, rounded to 8 bits."""
    if fit.name is None:
        return picture
    colours = picture.movedim(0, -1).double().numpy()
    return torch.from_numpy(fit.apply(colours)).movedim(-1, 0).float().mul(255).round().div(255)


def recoloured(fit: ColourFit, frames: list[Matched]) -> list[Matched]:
    """Frames whose HR has the colours that LR has."""
    found = []
    for frame in frames:
        peak = np.iinfo(frame.high.dtype).max
        high = (fit.apply(frame.high / peak) * peak).round().astype(frame.high.dtype)
        found.append(Matched(frame.t, frame.u, frame.low, high))
    return found
