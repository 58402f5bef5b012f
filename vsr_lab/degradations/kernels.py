"""Blur kernels (point spread functions), float64 (k, k) with odd k, sum 1 and the centroid in the middle."""

import math

import numpy as np
import numpy.typing as npt
from scipy.special import j1

Kernel = npt.NDArray[np.float64]


def _normalize(weights: Kernel) -> Kernel:
    return weights / weights.sum()


def _axes(size: int) -> tuple[Kernel, Kernel]:
    """Coordinates x and y of every pixel from the middle of a (size, size) kernel."""
    if size % 2 == 0:
        raise ValueError(f"a kernel's size must be odd, not {size}")
    y, x = np.mgrid[:size, :size].astype(np.float64) - size // 2
    return x, y


def _mahalanobis(size: int, sigma: float, ratio: float, angle: float) -> Kernel:
    """Squared distance from the middle in standard deviations: sigma along `angle` (radians), sigma / ratio across."""
    x, y = _axes(size)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    return (along / sigma) ** 2 + (across * ratio / sigma) ** 2


def gaussian_size(sigma: float) -> int:
    """Odd size in pixels of a Gaussian kernel that extends four standard deviations `sigma` to either side."""
    return 2 * math.ceil(4 * sigma) + 1


def gaussian(sigma: float, ratio: float, angle: float, size: int) -> Kernel:
    """Anisotropic Gaussian kernel.

    Args:
        sigma: Standard deviation along `angle`, in pixels; 0 gives no blur.
        ratio: Ratio of the standard deviation along `angle` to the standard deviation across it, >= 1.
        angle: Direction of the larger standard deviation, in radians.
        size: Odd kernel size in pixels.
    """
    if sigma <= 0:
        x, y = _axes(size)
        return ((x == 0) & (y == 0)).astype(np.float64)
    return _normalize(np.exp(-0.5 * _mahalanobis(size, sigma, ratio, angle)))


def generalized(sigma: float, ratio: float, angle: float, *, beta: float, size: int) -> Kernel:
    """Generalized Gaussian kernel, exp(-d^(2 beta) / 2) (Liu et al. 2020); d is the distance in units of sigma.

    With a larger beta the kernel is flatter and has harder edges; beta 1 is a Gaussian. The other arguments are as in
    `gaussian`.
    """
    return _normalize(np.exp(-0.5 * _mahalanobis(size, sigma, ratio, angle) ** beta))


def plateau(sigma: float, ratio: float, angle: float, *, beta: float, size: int) -> Kernel:
    """Plateau-shaped kernel, 1 / (1 + d^(2 beta)) (Real-ESRGAN, Wang et al. 2021, section 3.2).

    d is the distance in units of sigma. The other arguments are as in `gaussian`.
    """
    return _normalize(1 / (1 + _mahalanobis(size, sigma, ratio, angle) ** beta))


def sinc(cutoff: float, size: int) -> Kernel:
    """Ideal circular low-pass kernel, which causes ringing at edges (Real-ESRGAN, Wang et al. 2021, eq. 6).

    The kernel is cutoff * J1(cutoff * r) / (2 pi r), where r is the distance from the middle in pixels.

    Args:
        cutoff: Cutoff frequency in radians per pixel; at pi only frequencies in the corners of the spectrum are
            removed.
        size: Odd kernel size.
    """
    x, y = _axes(size)
    r = np.hypot(x, y)
    r[size // 2, size // 2] = 1
    kernel = cutoff * j1(cutoff * r) / (2 * math.pi * r)
    kernel[size // 2, size // 2] = cutoff**2 / (4 * math.pi)
    return _normalize(kernel)


def disc(radius: float, size: int) -> Kernel:
    """Kernel of a lens out of focus: a disc of `radius` pixels with an antialiased edge."""
    fine = 8  # samples a pixel and axis
    y, x = (np.mgrid[: size * fine, : size * fine] + 0.5) / fine - size / 2
    inside = (np.hypot(x, y) <= max(radius, 0.5)).astype(np.float64)
    return _normalize(inside.reshape(size, fine, size, fine).sum((1, 3)))


def trajectory(length: float, angle: float, turn: float, size: int) -> Kernel:
    """Kernel of motion blur: the path of a point during the exposure.

    Each point of the path is distributed over the four nearest pixels, which preserves the centroid; the path is then
    centred.

    Args:
        length: Length of the path in pixels.
        angle: Direction in the middle of the path, in radians.
        turn: Change of direction along the path in radians.
        size: Odd kernel size.
    """
    count = max(2, math.ceil(16 * length))
    place = (np.arange(count) + 0.5) / count
    heading = angle + turn * (place - 0.5)
    way = np.stack([np.cos(heading), np.sin(heading)]).cumsum(1) * (length / count)
    x, y = way - way.mean(1, keepdims=True) + size // 2
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    kernel = np.zeros((size, size))
    for dx in (0, 1):
        for dy in (0, 1):
            share = (1 - np.abs(x - left - dx)) * (1 - np.abs(y - top - dy))
            np.add.at(kernel, (np.minimum(top + dy, size - 1), np.minimum(left + dx, size - 1)), share)
    return _normalize(kernel)
