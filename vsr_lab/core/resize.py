"""MATLAB's imresize as two matrix products, and as a convolution for integer upscaling factors.

Its bicubic downscaling is the degradation "BI" of the literature: cubic convolution with a = -0.5, antialiased when
shrinking, symmetric borders. References: MATLAB documentation of imresize; Keys, "Cubic convolution interpolation for
digital image processing", 1981, eq. 15.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Kernel = Callable[[Tensor], Tensor]


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x <= 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


def _linear(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


def _box(x: Tensor) -> Tensor:
    return ((x >= -0.5) & (x < 0.5)).to(x.dtype)


def _lanczos3(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 3, torch.sinc(x) * torch.sinc(x / 3), torch.zeros_like(x))


KERNELS: dict[str, tuple[Kernel, float]] = {  # name: function, support in pixels
    "bicubic": (_cubic, 4.0),
    "bilinear": (_linear, 2.0),
    "area": (_box, 1.0),
    "nearest": (_box, 1.0),
    "lanczos": (_lanczos3, 6.0),
}


@lru_cache(maxsize=64)
def resize_matrix(size: int, out_size: int, scale: float, *, method: str, shift: float = 0.0) -> Tensor:
    """Compute the matrix that interpolates one axis of an image.

    Args:
        size: input length in pixels.
        out_size: output length in pixels.
        scale: output pixels per input pixel; as in MATLAB it may differ from out_size / size.
        method: "bicubic", "bilinear", "area", "nearest" or "lanczos".
        shift: added to the sampling positions, in input pixels (for chroma samples that are not centred between luma
            samples).

    Returns:
        float64 (out_size, size), rows sum to 1.

    Raises:
        ValueError: unknown method.
    """
    if method not in KERNELS:
        raise ValueError(f"method must be one of {', '.join(KERNELS)}, not {method!r}")
    kernel, support = KERNELS[method]
    antialias = min(scale, 1.0) if method != "nearest" else 1.0
    support = support / antialias
    centres = (torch.arange(out_size, dtype=torch.float64) + 0.5) / scale - 0.5 + shift
    taps = math.ceil(support) + 2
    index = torch.floor(centres - support / 2)[:, None] + torch.arange(taps, dtype=torch.float64)
    weights = kernel((centres[:, None] - index) * antialias) * antialias
    weights = weights / weights.sum(1, keepdim=True)
    mirrored = index.long() % (2 * size)  # symmetric border: ... 1 0 | 0 1 2 ...
    mirrored = torch.where(mirrored < size, mirrored, 2 * size - 1 - mirrored)
    return torch.zeros(out_size, size, dtype=torch.float64).scatter_add_(1, mirrored, weights)


def imresize(x: Tensor, scale: float, method: str = "bicubic") -> Tensor:
    """Resize as MATLAB's imresize does, without clamping or rounding.

    Args:
        x: (..., H, W), floating point, any range.
        scale: factor for both axes.
        method: "bicubic", "bilinear", "area", "nearest" or "lanczos".

    Returns:
        (..., ceil(H * scale), ceil(W * scale)).

    Raises:
        ValueError: unknown method, or scale <= 0.
    """
    if scale <= 0:
        raise ValueError(f"scale must be positive, not {scale}")
    rows = resize_matrix(x.shape[-2], math.ceil(x.shape[-2] * scale - 1e-9), scale, method=method)
    columns = resize_matrix(x.shape[-1], math.ceil(x.shape[-1] * scale - 1e-9), scale, method=method)
    return rows.to(x) @ x @ columns.to(x).mT


def _fitting_matrix(size: int, out_size: int, method: str) -> Tensor:
    """Weights along one axis with the edges of input and output aligned, float64 (out_size, size)."""
    if method != "area" or out_size > size:  # a box would repeat pixels, up to half a pixel off
        return resize_matrix(size, out_size, out_size / size, method="bilinear" if method == "area" else method)
    ends = torch.arange(out_size + 1, dtype=torch.float64)[:, None] * (size / out_size)
    pixels = torch.arange(size, dtype=torch.float64)
    shared = torch.minimum(ends[1:], pixels + 1) - torch.maximum(ends[:-1], pixels)
    return shared.clamp(min=0) * (out_size / size)


def resize_to(x: Tensor, size: tuple[int, int], method: str = "bicubic") -> Tensor:
    """Resize to an exact size. Unlike `imresize`, the scale of each axis is output size / input size.

    To reduce by "area", each input pixel is weighted by the fraction of it that an output pixel covers, as in OpenCV
    (MATLAB's box filter uses whole pixels). To enlarge, "area" is the same as "bilinear".

    Args:
        x: (..., H, W), floating point, any range.
        size: height and width of the result.
        method: "bicubic", "bilinear", "area", "nearest" or "lanczos".

    Raises:
        ValueError: unknown method.
    """
    if x.shape[-2] != size[0]:
        x = _fitting_matrix(x.shape[-2], size[0], method).to(x) @ x
    if x.shape[-1] != size[1]:
        x = x @ _fitting_matrix(x.shape[-1], size[1], method).to(x).mT
    return x


def _mirrored(x: Tensor) -> Tensor:
    """Pad two columns on either side by symmetric reflection, which repeats the border pixel, as MATLAB does."""
    if x.shape[-1] < 2:
        return torch.cat([x] * 5, -1)
    return torch.cat([x[..., 1:2], x[..., :1], x, x[..., -1:], x[..., -2:-1]], -1)


class BicubicUpsample(nn.Module):
    """Bicubic upscaling by an integer, (B, C, h, w) to (B, C, scale * h, scale * w), equal to `imresize`.

    It consists of a depthwise convolution and a pixel shuffle, which are exported to standard ONNX operators for any
    frame size. Autocast is disabled in it, because the 8 bits of precision of bfloat16 are too few for the pixels of an
    image.

    Args:
        scale: upscaling factor.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        # Rows of the resize matrix away from the borders are the filters of the `scale` phases.
        rows = resize_matrix(16, 16 * scale, scale, method="bicubic")[8 * scale : 9 * scale, 6:11]
        self.register_buffer("taps", torch.einsum("ik,jl->ijkl", rows, rows).reshape(-1, 1, 5, 5).float(), False)

    def forward(self, x: Tensor) -> Tensor:
        x = _mirrored(_mirrored(x.mT).mT)
        taps = self.get_buffer("taps").to(x.dtype).repeat(x.shape[1], 1, 1, 1)
        with torch.autocast(x.device.type, enabled=False):
            phases = F.conv2d(x, taps, groups=x.shape[1])
        return F.pixel_shuffle(phases, self.scale)
