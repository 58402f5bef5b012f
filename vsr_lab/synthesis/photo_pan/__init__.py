"""Clips of a virtual camera that moves over a photograph: pan, zoom, roll, perspective, parallax, exposure, focus."""

from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from vsr_lab.core.errors import UserError
from vsr_lab.synthesis.photo_pan.lens import Lens
from vsr_lab.synthesis.photo_pan.path import CameraPath, Look, draw_look, largest_footprint, speed
from vsr_lab.synthesis.photo_pan.stills import Still, detail, find_stills, nearness, read_linear, to_bytes

__all__ = ["RATE", "Look", "Still", "choose_still", "film", "find_stills", "render_camera"]

RATE = 25
_MOST = 24  # sub-frames a frame


def render_camera(
    stills: Sequence[Still], seed: int, frames: int, *, height: int, width: int, zoom: float = 1.0
) -> Iterator[NDArray[np.uint8]]:
    """Render a clip in which a virtual camera moves over one of the photographs, at 25 frames per second.

    Args:
        stills: photographs.
        seed: determines the photograph, the type of camera and its motion; >= 0.
        frames: number of frames.
        height, width: size of the frames in pixels.
        zoom: resolution of the clip relative to 1. To render the same clip in half the resolution, halve height, width
            and zoom. At zoom 1, photographs are downscaled by at least 1.3, if they are large enough.

    Yields:
        Frames, RGB uint8 (height, width, 3).

    Raises:
        UserError: no photograph is large enough.
    """
    reference = (round(height / zoom), round(width / zoom))
    still, look, rng = choose_still(stills, seed, reference)
    path = CameraPath(rng, still.size, reference, look=look, detail=detail(read_linear(still.path)))
    return film(still, path, look, frames=frames, size=(height, width), zoom=zoom)


def choose_still(stills: Sequence[Still], seed: int, frame: tuple[int, int]) -> tuple[Still, Look, np.random.Generator]:
    """Choose the photograph and the type of camera for a seed. Also returns the random generator for the motion."""
    rng = np.random.default_rng([seed, 2])
    look = draw_look(rng)
    fit = [still for still in stills if largest_footprint(still.size, frame, look) >= 1]
    if not fit:
        height, width = max((still.size for still in stills), key=min)
        raise UserError(
            "stills",
            f"are at most {width}x{height}, too small for frames of {frame[1]}x{frame[0]} and a moving camera",
            "use larger photographs, or a smaller size=",
        )
    return fit[int(rng.integers(len(fit)))], look, rng


def film(
    still: Still, path: CameraPath, look: Look, *, frames: int, size: tuple[int, int], zoom: float
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames that a camera on `path` records."""
    picture = read_linear(still.path)
    lens = Lens(picture, nearness(picture), size, zoom=zoom)
    for t in range(frames):
        opened, closed = t / RATE, (t + look.shutter / 360) / RATE
        way = speed(path.pose(opened), path.pose(closed))
        count = min(_MOST, max(1, ceil(2 * way))) if look.shutter else 1
        # Moments in the middles of equal parts of the time that the shutter is open.
        moments = [opened + (closed - opened) * (i + 0.5) / count for i in range(count)]
        yield to_bytes(lens.frame([path.pose(moment) for moment in moments]))
