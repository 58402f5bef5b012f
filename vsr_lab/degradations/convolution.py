"""Filtering frames by one kernel a clip or a frame: by FFT, whose cost hardly depends on the kernel's size."""

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor


def convolve(clip: Tensor, kernels: Tensor) -> Tensor:
    """clip (..., H, W) convolved with kernels (..., k, k), k odd, whose leading axes broadcast; borders repeated.

    Neither clamped nor rounded. The pixel at the kernel's middle stays where it is.
    """
    height, width = clip.shape[-2:]
    margin = kernels.shape[-1] // 2
    flat = clip.reshape(-1, 1, height, width)
    padded = F.pad(flat, (margin,) * 4, mode="replicate").reshape(*clip.shape[:-2], height + 2 * margin, -1)
    size = [next_fast_len(length + 2 * margin, real=True) for length in (height, width)]
    spectrum = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(kernels.to(clip), s=size)
    first = 2 * margin
    return torch.fft.irfft2(spectrum, s=size)[..., first : first + height, first : first + width]


def convolve_round(field: Tensor, kernel: Tensor) -> Tensor:
    """field (..., H, W) convolved with kernel (k, k) on a torus: white noise comes out alike everywhere."""
    size = field.shape[-2:]
    middle = kernel.shape[-1] // 2
    whole = kernel.new_zeros(max(size[0], kernel.shape[0]), max(size[1], kernel.shape[1]))
    whole[: kernel.shape[0], : kernel.shape[1]] = kernel
    whole = whole.roll((-middle, -middle), (0, 1))[: size[0], : size[1]]
    return torch.fft.irfft2(torch.fft.rfft2(field) * torch.fft.rfft2(whole.to(field)), s=size)


def as_kernels(kernels: Tensor, size: int) -> Tensor:
    """kernels (..., k, k) with zeros around them, (..., size, size); the middle stays the middle."""
    margin = (size - kernels.shape[-1]) // 2
    return F.pad(kernels, (margin,) * 4)
