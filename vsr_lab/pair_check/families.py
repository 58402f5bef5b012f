"""Comparison of LR with HR after each known degradation ("family"), such as bicubic."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.alignment.grids import YX
from vsr_lab.core.clip import ycbcr_matrix
from vsr_lab.core.resize import resize_matrix
from vsr_lab.degradations import Degradation, degrade

Families = Mapping[str, Degradation]
Recolor = Callable[[Tensor], Tensor]
EXACT = 50.0  # dB: above, only rounding is left
DISPLAY_GAMMA = 2.2  # approximates the transfer functions of displays
_MARGIN = 4  # LR pixels at a window's border that depend on pixels outside
_INNER = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))


def phase(degradation: Degradation) -> YX:
    """Sampling phase of a degradation, measured by degrading two ramps.

    Returns:
        Shift of LR in HR pixels (rows, columns), as in `Grid.shift`; 0 for centred sampling.
    """
    scale, count = degradation.scale, 32
    ramp = (torch.arange(scale * count, dtype=torch.float32) + 0.5) / (scale * count)
    picture = torch.stack(
        [ramp[:, None].expand(-1, len(ramp)), ramp[None].expand(len(ramp), -1), ramp[None] * ramp[:, None]]
    )
    small = degrade_picture(degradation, picture).double() * scale * count
    centres = scale * (torch.arange(count, dtype=torch.float64) + 0.5)
    inner = slice(count // 4, -count // 4)
    down = (small[0] - centres[:, None])[inner, inner].mean()
    across = (small[1] - centres[None])[inner, inner].mean()
    return float(down), float(across)


class Window(NamedTuple):
    """Part of a frame pair with much detail, in which degradations are compared.

    Attributes:
        lr: (3, h, w) in [0, 1].
        hr: (3, scale * h, scale * w) in [0, 1].
        origin: position (row, column) of hr in the HR frame, in pixels.
    """

    lr: Tensor
    hr: Tensor
    origin: tuple[int, int]


class Fit(NamedTuple):
    """How well the output of a known degradation, applied to HR, agrees with LR.

    Attributes:
        family: name of the degradation.
        psnr: PSNR of luma in dB, over all windows (parts of frames that are compared).
        softened: PSNR of luma in dB if the output is also blurred slightly, as by a codec. The strength of the blur is
            chosen for the highest PSNR.
        rgb: PSNR of all channels, in dB.
        shift: shift (rows, columns) that was applied to HR before the degradation, in LR pixels.
        output: output of the degradation for each window, converted to the colours of LR.
        raw: output of the degradation for each window, with the colours of HR.
    """

    family: str
    psnr: float
    softened: float
    rgb: float
    shift: YX
    output: list[Tensor]
    raw: list[Tensor]


def degrade_picture(degradation: Degradation, hr: Tensor, linear: bool = False) -> Tensor:
    """Apply a degradation to a picture, on its values or in linear light.

    Args:
        degradation: the degradation.
        hr: (3, H, W) in [0, 1].
        linear: whether values are raised to the power 2.2 (`DISPLAY_GAMMA`) before the degradation, and back after it.

    Returns:
        (3, h, w) in [0, 1].
    """
    if not linear:
        return degrade(hr[None], degradation)[0]
    return degrade(hr[None] ** DISPLAY_GAMMA, degradation)[0].clamp(0, 1) ** (1 / DISPLAY_GAMMA)


def fit_family(
    name: str, degradation: Degradation, windows: list[Window], *, shift: YX, recolor: Recolor, linear: bool
) -> Fit:
    """Compare LR with HR after a shift, a degradation, and conversion to the colours of LR.

    Args:
        name, degradation: the degradation and its name.
        windows: parts of frames that are compared.
        shift: shift of HR in LR pixels (rows, columns).
        recolor: function that converts degraded HR to the colours of LR.
        linear: whether HR is degraded in linear light.
    """
    scale = degradation.scale
    moved = (translated(w.hr, (shift[0] * scale, shift[1] * scale)) if any(shift) else w.hr for w in windows)
    raw = [degrade_picture(degradation, hr, linear) for hr in moved]
    output = [recolor(picture) for picture in raw]
    gaps = [(lr - window.lr)[:, *_INNER] for lr, window in zip(output, windows, strict=True)]
    count = sum(gap[0].numel() for gap in gaps)
    error = sum(float(luma(gap).double().square().sum()) for gap in gaps)
    color = sum(float(gap.double().square().mean(0).sum()) for gap in gaps)
    softened = _softened(windows, output)
    return Fit(name, decibel(error / count), softened, decibel(color / count), shift, output, raw)


def _softened(windows: list[Window], output: list[Tensor]) -> float:
    """PSNR of luma in dB if the output is also blurred by a 3 x 3 filter, of the strength with the highest PSNR."""
    gaps, directions = [], []
    for window, lr in zip(windows, output, strict=True):
        sharp = luma(lr)
        blurred = F.avg_pool2d(sharp[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
        gaps.append((luma(window.lr) - sharp)[_INNER].double().flatten())
        directions.append((blurred - sharp)[_INNER].double().flatten())
    gap, direction = torch.cat(gaps), torch.cat(directions)
    share = float((gap @ direction) / (direction @ direction + 1e-12))
    return decibel(float((gap - min(max(share, 0.0), 0.6) * direction).square().mean()))


def luma(picture: Tensor) -> Tensor:
    """BT.709 luma of a picture, (3, h, w) to (h, w).

    Degradations are compared by luma, since chroma may be subsampled.
    """
    red, green, blue = ycbcr_matrix("bt709")[0].tolist()
    return red * picture[0] + green * picture[1] + blue * picture[2]


def decibel(mean_square: float) -> float:
    """PSNR in dB of a mean squared error of values in [0, 1]; at most 99, so that JSON can store it."""
    return float(min(99.0, -10 * np.log10(mean_square + 1e-12)))


def translated(hr: Tensor, shift: YX) -> Tensor:
    """Sample hr (3, H, W) by Lanczos-3 at positions that are moved by `shift` HR pixels (down, right)."""
    sides = zip(hr.shape[-2:], shift, strict=True)
    rows, columns = (resize_matrix(side, side, 1.0, method="lanczos", shift=by).to(hr) for side, by in sides)
    return (rows @ hr @ columns.mT).clamp(0, 1)


def leaning(windows: list[Window], one: Fit, other: Fit) -> float:
    """Which of two degradations LR resembles more: the result is about 0 for `one`, and about 1 for `other`.

    LR is projected onto the line from the output of `one` (0) to that of `other` (1). Noise in LR does not bias the
    result.

    Args:
        windows: parts of frames that are compared.
        one, other: fits of the two degradations.
    """
    along, across = 0.0, 0.0
    for window, a, b in zip(windows, one.output, other.output, strict=True):
        direction = luma(b - a)[_INNER].double()
        along += float((luma(window.lr - a)[_INNER] * direction).sum())
        across += float(direction.square().sum())
    return along / across if across > 0 else 0.0
