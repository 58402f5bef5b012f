"""Files in formats that the package reads and does not write: YUV, lossy codecs, 16-bit RGB."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vsr_lab.core.clip import AnyFrames
from vsr_lab.video.color_conversion import filter_graph

_TICKS = 90_000
_TO_YUV = (
    "in_color_matrix=bt709:in_range=full:out_color_matrix=bt709:out_range=limited:out_chroma_loc=left"
    ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
)


def write_encoded(
    path: Path,
    pictures: Iterable[AnyFrames],
    times: Iterable[float],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    rate: Fraction = Fraction(25),
) -> Path:
    """Encode RGB pictures (H, W, 3) at times in seconds: as RGB, or as BT.709 of limited range."""
    is_rgb, graph = pixel_format.startswith(("bgr", "rgb", "gbr")), None
    with av.open(str(path.absolute()), "w", options={"fflags": "bitexact"}) as container:
        stream = container.add_stream(codec, rate=rate, options=dict(options or {}))
        context = stream.codec_context
        stream.pix_fmt, context.time_base, stream.time_base = pixel_format, Fraction(1, _TICKS), Fraction(1, _TICKS)
        if not is_rgb:
            context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        for picture, seconds in zip(pictures, times, strict=True):
            if not context.is_open:
                stream.height, stream.width = picture.shape[:2]
            kind = "rgb48le" if picture.dtype == np.uint16 else "rgb24"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=kind)
            if not is_rgb:
                graph = graph or filter_graph(frame, _TO_YUV, pixel_format)
                graph.push(frame)
                frame = graph.vpull()
            frame.pts, frame.time_base = round(seconds * _TICKS), Fraction(1, _TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
