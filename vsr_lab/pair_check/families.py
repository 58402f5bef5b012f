"""Which known degradation made LR from HR: each is applied, and compared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.alignment.grids import Grid, Pair, lanczos_rows
from vsr_lab.degradations import Degradation

Families = Mapping[str, Degradation]
_MARGIN = 4  # LR pixels at a window's border that depend on what lies outside
EXACT = 50.0  # dB: above, nothing but rounding is left


def phase(degradation: Degradation) -> Pair:
    """The shift of a degradation's grid in HR pixels (rows, columns; see Grid), read off two ramps."""
    scale, count = degradation.scale, 32
    ramp = (torch.arange(scale * count, dtype=torch.float32) + 0.5) / (scale * count)
    picture = torch.stack(
        [ramp[:, None].expand(-1, len(ramp)), ramp[None].expand(len(ramp), -1), ramp[None] * ramp[:, None]]
    )
    params = degradation.sample(np.random.default_rng(0))
    small = degradation.apply(picture[None], params)[0].double() * scale * count
    centres = scale * (torch.arange(count, dtype=torch.float64) + 0.5)
    inner = slice(count // 4, -count // 4)
    down = (small[0] - centres[:, None])[inner, inner].mean()
    across = (small[1] - centres[None])[inner, inner].mean()
    return float(down), float(across)


@dataclass(frozen=True)
class Window:
    """A detailed part of one matched frame. lr: 3 h w; hr: 3 sh sw, cut out at `place` of the HR frame; both [0, 1]."""

    lr: Tensor
    hr: Tensor
    place: tuple[int, int]


@dataclass(frozen=True)
class Fit:
    """A family held against LR. psnr: of luma, over all windows, in dB; soft: likewise, once the blur that a codec adds
    is allowed for; rgb: of all channels; shift: LR pixels that HR had to be moved by first (rows, columns); made: its
    LR, one a window; raw: the same before it is recoloured."""

    family: str
    psnr: float
    soft: float
    rgb: float
    shift: Pair
    made: list[Tensor]
    raw: list[Tensor]


def degrade(degradation: Degradation, hr: Tensor, linear: bool = False) -> Tensor:
    """hr 3 H W to lr 3 h w; linear: in linear light, as if the transfer were a power of 2.2."""
    params = degradation.sample(np.random.default_rng(0))
    if not linear:
        return degradation.apply(hr[None], params)[0]
    return degradation.apply(hr[None] ** 2.2, params)[0].clamp(0, 1) ** (1 / 2.2)


def fit_family(
    name: str,
    degradation: Degradation,
    windows: list[Window],
    shift: Pair,
    recolour: Callable[[Tensor], Tensor],
    linear: bool,
) -> Fit:
    """Apply the family to HR moved by `shift` LR pixels, then recolour, and compare with LR."""
    raw, made, error, colour, count = [], [], 0.0, 0.0, 0
    for window in windows:
        hr = moved(window.hr, (shift[0] * degradation.scale, shift[1] * degradation.scale)) if any(shift) else window.hr
        raw.append(degrade(degradation, hr, linear))
        small = recolour(raw[-1])
        made.append(small)
        gap = (small - window.lr)[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        error, colour = (
            error + float(luma(gap).double().square().sum()),
            colour + float(gap.double().square().mean(0).sum()),
        )
        count += gap[0].numel()
    return Fit(name, decibel(error / count), _softened(windows, made), decibel(colour / count), shift, made, raw)


def _softened(windows: list[Window], made: list[Tensor]) -> float:
    """PSNR of luma with the best share of a 3 x 3 blur mixed in, in dB."""
    inner = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    gaps, ways = [], []
    for window, lr in zip(windows, made, strict=True):
        sharp = luma(lr)
        blurred = F.avg_pool2d(sharp[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
        gaps.append((luma(window.lr) - sharp)[inner].double().flatten())
        ways.append((blurred - sharp)[inner].double().flatten())
    gap, way = torch.cat(gaps), torch.cat(ways)
    share = float((gap @ way) / (way @ way + 1e-12))
    return decibel(float((gap - min(max(share, 0.0), 0.6) * way).square().mean()))


def luma(picture: Tensor) -> Tensor:
    """3 h w to h w: what families are told apart by, as chroma may have been subsampled."""
    red, green, blue = picture
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def decibel(mean_square: float) -> float:
    """PSNR in dB of values in [0, 1]; at most 99, so that JSON can hold it."""
    return float(min(99.0, -10 * np.log10(mean_square + 1e-12)))


def moved(hr: Tensor, shift: Pair) -> Tensor:
    """hr (3 H W) sampled `shift` HR pixels further down and right, by Lanczos-3."""
    height, width = hr.shape[-2:]
    grid = Grid((1.0, 1.0), shift)
    rows, columns = (torch.from_numpy(lanczos_rows(grid.centres(i, n), n)) for i, n in enumerate((height, width)))
    return (rows @ hr @ columns.mT).clamp(0, 1)


def leaning(windows: list[Window], one: Fit, other: Fit) -> float:
    """Where LR lies between two predictions: 0 at `one`, 1 at `other`. Noise and a codec blur neither end."""
    inner = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    along, across = 0.0, 0.0
    for window, a, b in zip(windows, one.made, other.made, strict=True):
        direction = luma(b - a)[inner].double()
        along += float((luma(window.lr - a)[inner] * direction).sum())
        across += float(direction.square().sum())
    return along / across if across > 0 else 0.0
