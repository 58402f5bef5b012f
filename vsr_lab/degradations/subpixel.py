"""Text whose edges are coloured by the stripes of a panel."""

from functools import lru_cache

import torch
from torch import Tensor

from vsr_lab.core.luma import quantise
from vsr_lab.degradations.base import Degradation, Params

_FIR5 = (1, 2, 3, 2, 1)


@lru_cache(maxsize=16)
def _stripes(width: int, scale: int) -> Tensor:
    """Weights from `width` pixels to each third of a pixel, by colour: (3, width / scale, width), rows sum to 1."""
    thirds = 3 * (width // scale)
    edges = torch.arange(thirds + 1, dtype=torch.float64) * scale / 3
    pixel = torch.arange(width, dtype=torch.float64)
    overlap = torch.minimum(edges[1:, None], pixel + 1) - torch.maximum(edges[:-1, None], pixel)
    mean = overlap.clamp(min=0) * 3 / scale
    taps = torch.zeros(thirds, thirds, dtype=torch.float64)
    middle = torch.arange(thirds)
    for step, weight in zip(range(-2, 3), _FIR5, strict=True):
        taps.index_put_((middle, (middle + step).clamp(0, thirds - 1)), torch.tensor(weight / 9).double(), True)
    return (taps @ mean).unflatten(0, (-1, 3)).transpose(0, 1)


class SubpixelDown(Degradation):
    """Shrinking as ClearType and FreeType draw text: red, green and blue are a third of a pixel apart, then smoothed.

    Every third of a pixel is the mean of its area, then runs through FreeType's default filter (1 2 3 2 1) / 9. The
    whole picture is drawn so and not its text alone, since no one says where text is: fit for screens, not for photos.
    Source: Platt, "Optimal filtering for patterned displays", 2000; FreeType, FT_LCD_FILTER_DEFAULT.
    """

    def __init__(self, scale: int) -> None:
        self.scale = scale

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rows = clip.unflatten(-2, (-1, self.scale)).mean(-2)
        return quantise(torch.einsum("cxw,...chw->...chx", _stripes(clip.shape[-1], self.scale).to(clip), rows))
