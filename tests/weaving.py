"""Footage whose truth is known, and the same weaved of fields, telecined, and written to a file by PyAV's encoders."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from vsr_lab.video.interlace_detection import Luma

_FIRST, _SECOND = [0, 1, 1, 2, 3], [0, 1, 2, 3, 3]


def texture(height: int = 120, width: int = 160, seed: int = 0) -> Luma:
    """Blocks of 3 and of 12 pixels, so that something still matches after a leap. 60 more on each side."""
    rng = np.random.default_rng(seed)
    fine, coarse = (
        np.kron(rng.integers(10, 110, (height // n + 60, width // n + 60)), np.ones((n, n)))[
            : height + 60, : width + 60
        ]
        for n in (3, 12)
    )
    return (fine + coarse + 16).astype(np.int16)


def panned(steps: int, across: float = 2, down: float = 0, picture: Luma | None = None) -> Luma:
    """A camera over a picture: T 120 160, by so many pixels a step."""
    picture = texture() if picture is None else picture
    at = [(int(abs(down) * t) % 60, int(abs(across) * t) % 60) for t in range(steps)]
    frames = np.stack([picture[y : y + 120, x : x + 160] for y, x in at])
    return frames[::-1] if down < 0 or across < 0 else frames


def weaved(first: Luma, second: Luma, top_field_first: bool = True) -> Luma:
    """The rows of one field from `first`, of the other from `second`."""
    frames = np.empty_like(first)
    top, bottom = (first, second) if top_field_first else (second, first)
    frames[:, 0::2], frames[:, 1::2] = top[:, 0::2], bottom[:, 1::2]
    return frames


def interlaced(moments: Luma, top_field_first: bool = True) -> Luma:
    """Every two moments become the two fields of one frame."""
    return weaved(moments[0::2], moments[1::2], top_field_first)


def telecined(film: Luma, top_field_first: bool = True, phase: int = 0) -> Luma:
    """Four film frames become five, by 3:2 pulldown; the first `phase` frames are cut off."""
    groups = 4 * np.arange(len(film) // 4)[:, None]
    return weaved(film[(groups + _FIRST).ravel()], film[(groups + _SECOND).ravel()], top_field_first)[phase:]


def write_gray(
    path: Path,
    luma: npt.NDArray[np.integer],
    codec: str = "ffv1",
    options: Mapping[str, str] | None = None,
    pixel_format: str = "yuv420p",
    rate: Fraction = Fraction(30),
    gop: int = 12,
    transfer: int | None = None,
) -> Path:
    """Luma T H W as a file whose chroma is neutral: 8 bits, or 10 in a format of that depth."""
    deep = pixel_format.endswith("10le")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=dict(options or {}))
        stream.height, stream.width, stream.pix_fmt = luma.shape[1], luma.shape[2], pixel_format  # pyright: ignore
        stream.codec_context.gop_size = gop  # pyright: ignore
        if transfer:
            stream.codec_context.color_trc, stream.codec_context.colorspace = transfer, 9  # pyright: ignore
            stream.codec_context.color_primaries = 9  # pyright: ignore
        for t, picture in enumerate(luma):
            frame = av.VideoFrame(luma.shape[2], luma.shape[1], pixel_format)
            for plane, values in zip(frame.planes, (picture, None, None), strict=True):
                dtype = np.uint16 if deep else np.uint8
                samples = np.full(
                    (plane.height, plane.line_size // np.dtype(dtype).itemsize), 512 if deep else 128, dtype
                )
                if values is not None:
                    samples[:, : plane.width] = values
                plane.update(samples.tobytes())
            frame.pts, frame.time_base = t, 1 / rate
            if transfer:
                frame.color_trc, frame.colorspace, frame.color_primaries = transfer, 9, 9  # pyright: ignore
            container.mux(stream.encode(frame))  # pyright: ignore
        container.mux(stream.encode(None))  # pyright: ignore
    return path
