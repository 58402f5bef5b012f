"""Filters, noise and warps that several degradations share."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor


def filter2d_fft(clip: Tensor, kernels: Tensor) -> Tensor:
    """Convolve a clip with kernels by FFT; the time is nearly independent of the kernel size.

    Args:
        clip: (..., H, W); its border is replicated.
        kernels: (..., k, k), k odd; the leading axes broadcast.

    Returns:
        (..., H, W), not clamped, rounded or shifted.
    """
    height, width = clip.shape[-2:]
    margin = kernels.shape[-1] // 2
    flat = clip.reshape(-1, 1, height, width)
    padded = F.pad(flat, (margin,) * 4, mode="replicate").reshape(*clip.shape[:-2], height + 2 * margin, -1)
    size = [next_fast_len(length + 2 * margin, real=True) for length in (height, width)]
    spectrum = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(kernels.to(clip), s=size)
    first = 2 * margin
    return torch.fft.irfft2(spectrum, s=size)[..., first : first + height, first : first + width]


def filter2d_periodic(noise: Tensor, kernel: Tensor) -> Tensor:
    """Filter noise (..., H, W) by a kernel (k, k), with periodic borders, so that no border has other statistics."""
    size = noise.shape[-2:]
    middle = kernel.shape[-1] // 2
    whole = kernel.new_zeros(max(size[0], kernel.shape[0]), max(size[1], kernel.shape[1]))
    whole[: kernel.shape[0], : kernel.shape[1]] = kernel
    whole = whole.roll((-middle, -middle), (0, 1))[: size[0], : size[1]]
    return torch.fft.irfft2(torch.fft.rfft2(noise) * torch.fft.rfft2(whole.to(noise)), s=size)


def pad_kernels(kernels: Tensor, size: int) -> Tensor:
    """Zero-pad kernels (..., k, k) around their centre to (..., size, size)."""
    return F.pad(kernels, ((size - kernels.shape[-1]) // 2,) * 4)


def gaussian_filter1d(x: Tensor, sigma: float) -> Tensor:
    """Filter the last axis by a Gaussian with a standard deviation of `sigma` pixels; borders are replicated."""
    if sigma <= 0:
        return x
    radius = math.ceil(3 * sigma)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype) / sigma) ** 2)
    lines = F.pad(x.reshape(-1, 1, x.shape[-1]), (radius, radius), mode="replicate")
    return F.conv1d(lines, (taps / taps.sum()).view(1, 1, -1)).reshape(x.shape)


def ar1_noise(rng: np.random.Generator, length: int, correlation: float, channels: int = 1) -> np.ndarray:
    """First-order autoregressive noise of mean 0 and variance 1, (length, channels).

    Args:
        rng: Random generator.
        length: Number of samples.
        correlation: Correlation of neighbouring samples, in [0, 1).
        channels: Number of independent sequences.
    """
    noise = rng.standard_normal((length, channels))
    noise[1:] *= math.sqrt(1 - correlation**2)
    for i in range(1, length):  # scipy.signal.lfilter does this too, but takes half a second to import
        noise[i] += correlation * noise[i - 1]
    return noise


def warp_bicubic(clip: Tensor, flow: Tensor) -> Tensor:
    """Backward-warp a clip with bicubic interpolation: out(p) = clip(p + flow(p)); the border is replicated.

    Args:
        clip: (..., T, C, H, W) in [0, 1].
        flow: Flow in pixels, x and y on the channel axis; (T, 2, H, W) or a shape that broadcasts to it.

    Returns:
        Same shape as clip, clamped to [0, 1].
    """
    height, width = clip.shape[-2:]
    flow = flow.to(clip).expand(*clip.shape[:-3], 2, height, width).reshape(-1, 2, height, width)
    x = torch.arange(width, device=clip.device, dtype=clip.dtype) + flow[:, 0]
    y = torch.arange(height, device=clip.device, dtype=clip.dtype)[:, None] + flow[:, 1]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    frames = clip.reshape(-1, *clip.shape[-3:])
    warped = F.grid_sample(frames, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return warped.clamp(0, 1).reshape(clip.shape)


def shift_rows(clip: Tensor, right: np.ndarray) -> Tensor:
    """Shift every row of a clip to the right, with bicubic interpolation.

    Args:
        clip: (..., T, C, H, W).
        right: Shift of every row in pixels, (T, H).
    """
    flow = torch.zeros(len(right), 2, right.shape[1], 1)
    flow[:, 0, :, 0] = -torch.from_numpy(right)
    return warp_bicubic(clip, flow)


def centred_axes(clip: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Coordinates of pixels relative to the centre of the frame.

    Args:
        clip: (..., H, W).

    Returns:
        y (H, 1) and x (W) in pixels, and the squared distance from the centre (H, W), scaled to 1 in the corners.
    """
    height, width = clip.shape[-2:]
    y = torch.arange(height, device=clip.device, dtype=clip.dtype)[:, None] - (height - 1) / 2
    x = torch.arange(width, device=clip.device, dtype=clip.dtype) - (width - 1) / 2
    return y, x, (y**2 + x**2) / ((height / 2) ** 2 + (width / 2) ** 2)
