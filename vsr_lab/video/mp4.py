"""Writing of small, lossy H.264 files that all browsers and players support."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from vsr_lab.core.clip import Frames

_BT709 = 1
_KEYS = 8  # frames between two that a player can jump to


def even_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Size of a picture in an MP4 file: reduced to at most `longest`, with even sides.

    Args:
        size: height and width of the picture.
        longest: maximum of the longer side, in pixels.

    Returns:
        Width and height, each at least 2.
    """
    factor = min(1.0, longest / max(size))
    height, width = (max(2, round(side * factor) // 2 * 2) for side in size)
    return width, height


def write_mp4(
    path: Path, frames: Iterable[Frames], rate: float, *, crf: int = 18, tags: Mapping[str, str] | None = None
) -> None:
    """Write RGB frames as an MP4 file: H.264, BT.709, 4:2:0.

    Args:
        path: the file, with the suffix .mp4.
        frames: uint8 (H, W, 3); H and W must be even.
        rate: frames per second.
        crf: constant rate factor of x264, from 0 (lossless) to 51.
        tags: metadata of the file.
    """
    flags = {"fflags": "bitexact", "movflags": "+faststart"}
    with av.open(str(path.absolute()), "w", options=flags) as container:
        container.metadata.update(tags or {})
        step = Fraction(rate).limit_denominator(1001)
        stream = container.add_stream("libx264", rate=step, options={"crf": str(crf), "g": str(_KEYS)})
        assert isinstance(stream, VideoStream)
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = int(ColorRange.MPEG)
        for t, picture in enumerate(frames):
            if t == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            frame.pts, frame.time_base = t, 1 / step
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
