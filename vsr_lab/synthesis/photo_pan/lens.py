"""Sampling of a photograph at a camera pose, without aliasing or additional blur."""

from functools import cached_property
from math import ceil, cos, log2, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from vsr_lab.synthesis.photo_pan.path import Pose
from vsr_lab.synthesis.photo_pan.stills import Picture

_COARSE = 16  # a depth varies slowly: it is sampled this many times more coarsely
_DENSEST = 2.2  # source pixels a frame pixel up to which the source is sampled at full size


class Lens:
    """Renders the frames of a virtual camera that moves over a photograph.

    A frame is sampled by bicubic interpolation, at least as densely as the photograph. The samples at several moments
    while the shutter is open are averaged in linear light, and the average is downscaled to the frame by a cubic
    filter.

    Args:
        picture: photograph (H, W, 3) in linear light.
        near: nearness of each position, from 0 (far) to 1 (near), at 1/8 of the size of the photograph.
        size: height and width of the frames in pixels.
        zoom: resolution of the frames; the camera and its motion are the same at every zoom.
    """

    def __init__(self, picture: Picture, near: Picture, size: tuple[int, int], *, zoom: float) -> None:
        self._picture, self._near, self._size, self._zoom = picture, near, size, zoom

    def frame(self, poses: list[Pose]) -> Picture:
        """Render a frame as the mean over the poses of the camera while the shutter is open.

        The result is in linear light, not clipped, (height, width, 3).
        """
        middle = poses[len(poses) // 2]
        pitch = middle.footprint / self._zoom  # source pixels a frame pixel
        level = max(0, ceil(log2(pitch / _DENSEST)))
        fine = max(2, ceil(pitch / 2**level / 1.1))
        total = self._sample(poses[0], level, fine)
        for pose in poses[1:]:
            total += self._sample(pose, level, fine)
        total *= 2.0**middle.stops / len(poses)
        blur = middle.blur * self._zoom * fine
        if blur > 0.1 * fine:
            total = cv2.GaussianBlur(total, (0, 0), blur, borderType=cv2.BORDER_REFLECT)
        return _shrunk(total, fine, self._size)

    @cached_property
    def _levels(self) -> list[Picture]:
        return [self._picture]

    def _level(self, level: int) -> Picture:
        """The picture downscaled by two `level` times."""
        while len(self._levels) <= level:
            last = self._levels[-1]
            even = last[: last.shape[0] // 2 * 2, : last.shape[1] // 2 * 2]
            self._levels.append(cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        return self._levels[level]

    def _sample(self, pose: Pose, level: int, fine: int) -> Picture:
        """The frame at `fine` samples per pixel, with a margin of 2 pixels on every side for the filter."""
        height, width = ((side + 4) * fine for side in self._size)
        u = ((np.arange(width, dtype=np.float32) + 0.5) / fine - 2 - self._size[1] / 2)[None, :] / self._zoom
        v = ((np.arange(height, dtype=np.float32) + 0.5) / fine - 2 - self._size[0] / 2)[:, None] / self._zoom
        x, y = self._places(pose, u, v)
        if pose.shift != (0.0, 0.0):
            rows, columns = (slice(None, None, _COARSE) for _ in "vu")
            across, down = self._places(pose, u[:, columns], v[rows])
            depth = self._depth(across, down)
            whole = cv2.warpAffine(
                depth,
                np.array([[1 / _COARSE, 0, 0], [0, 1 / _COARSE, 0]]),
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            x, y = x + whole * np.float32(pose.shift[0]), y + whole * np.float32(pose.shift[1])
        shrink = np.float32(0.5**level)
        return cv2.remap(
            self._level(level), x * shrink - np.float32(0.5), y * shrink - np.float32(0.5), cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip

    def _places(self, pose: Pose, u: Picture, v: Picture) -> tuple[Picture, Picture]:
        """Positions x, y on the photograph for offsets u, v from the centre of the frame, in frame pixels at zoom 1."""
        size = [side / self._zoom / 2 for side in self._size]
        scale = np.float32(pose.footprint) / (
            1 + u * np.float32(pose.tilt[0] / size[1]) + v * np.float32(pose.tilt[1] / size[0])
        )
        c, s = np.float32(cos(pose.roll)), np.float32(sin(pose.roll))
        return (c * u - s * v) * scale + np.float32(pose.x), (s * u + c * v) * scale + np.float32(pose.y)

    def _depth(self, x: Picture, y: Picture) -> Picture:
        """Nearness at positions in source pixels, from -0.5 (far) to 0.5 (near)."""
        sx, sy = self._near.shape[1] / self._picture.shape[1], self._near.shape[0] / self._picture.shape[0]
        there = cv2.remap(
            self._near, x * np.float32(sx) - np.float32(0.5), y * np.float32(sy) - np.float32(0.5), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return there - np.float32(0.5)


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic convolution kernel with a = -0.5 (Keys 1981)."""
    x = np.abs(x)
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    return np.where(x <= 1, inner, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))


def _shrunk(dense: Picture, fine: int, size: tuple[int, int]) -> Picture:
    """Downscale by `fine` with a cubic kernel; `dense` has a margin of 2 output pixels on every side."""
    taps = 4 * fine - fine % 2
    kernel = _cubic((np.arange(taps) - (taps - 1) / 2) / fine)
    kernel /= kernel.sum()
    first = (taps - fine) // 2  # samples before the pixel's own first one
    smooth = cv2.sepFilter2D(dense, -1, kernel, kernel, anchor=(first, first), borderType=cv2.BORDER_REFLECT)
    top = 2 * fine
    return smooth[top : top + size[0] * fine : fine, top : top + size[1] * fine : fine]
