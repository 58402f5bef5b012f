"""Writing video files from RGB frames."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import cv2
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from vsr_lab.core.clip import AnyFrames, Colour
from vsr_lab.core.errors import UserError
from vsr_lab.video.color_conversion import filter_graph, yuv_to_rgb_matrix
from vsr_lab.video.encoder import check_encoder, open_encoder

_TICKS = 90_000  # ticks per second, as in MPEG: fine enough for variable frame rates
_BT709 = 1
# Without these flags swscale's 4:2:0 is off by up to 157 levels, and its default chroma location is not the one players
# assume. Of 16-bit RGB its result is half a level too bright, so it only subsamples and reduces bit depth there.
_TO_YUV = (
    "in_color_matrix=bt709:in_range={range}:out_color_matrix=bt709:out_range=limited:out_chroma_loc=left"
    ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp:sws_dither={dither}"
)


def _rgb_frame(picture: AnyFrames) -> VideoFrame:
    kind = "rgb48le" if picture.dtype == np.uint16 else "rgb24"
    return VideoFrame.from_ndarray(picture, format=kind)  # pyright: ignore[reportArgumentType]


def _deep_yuv(picture: AnyFrames) -> VideoFrame:
    """Convert 16-bit RGB (H, W, 3) to 16-bit 4:4:4, BT.709 limited range."""
    to_rgb = yuv_to_rgb_matrix(Colour("bt709", full_range=False), 16, 65535)
    to_yuv = np.linalg.inv(to_rgb[:, :3])
    codes = cv2.transform(picture.astype(np.float32), np.hstack([to_yuv, -to_yuv @ to_rgb[:, 3:]]))
    return VideoFrame.from_ndarray(np.rint(codes).astype(np.uint16), format="yuv444p16le", channel_last=True)


class VideoWriter:
    """Writes a video file, BT.709 limited range or RGB, each frame at its own timestamp. A context manager.

    Args:
        path: the file; its suffix selects the container.
        size: height and width.
        rate: nominal frames per second.
        codec: an encoder of libavcodec ("libx264", "ffv1").
        pixel_format: pixel format of the stream: "yuv420p", "yuv444p", "bgr0" (ffv1).
        options: options of the encoder.

    Raises:
        UserError: the encoder or container does not support these settings.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: Fraction,
        codec: str = "libx264",
        pixel_format: str = "yuv420p",
        options: Mapping[str, str] | None = None,
    ) -> None:
        height, width = size
        if pixel_format.startswith("yuv420p") and (height % 2 or width % 2):
            raise UserError(path, f"{width}x{height} is odd, which 4:2:0 cannot hold", "set pixel_format=yuv444p")
        base = Fraction(1, _TICKS)
        check_encoder(codec, size, base, pixel_format=pixel_format, options=options or {})
        flags = {"fflags": "bitexact"}  # equal frames give equal files; Matroska's ids would be random
        try:
            self._container = av.open(str(path.absolute()), "w", options=flags)
            stream = self._container.add_stream(codec, rate=rate, options=dict(options or {}))
            assert isinstance(stream, VideoStream)
            self.rgb = pixel_format.startswith(("bgr", "rgb", "gbr"))
            self._stream = stream
            self._graph: Graph | None = None
            self._open((height, width), pixel_format)
        except OSError:
            raise
        except (av.error.FFmpegError, ValueError) as error:
            what = f"{path.suffix or 'a file without a suffix'} cannot hold {codec}, {pixel_format}"
            raise UserError(path, what, "end it in .mp4 or .mkv, or choose another codec=") from error

    def _open(self, size: tuple[int, int], pixel_format: str) -> None:
        """Open the encoder, so that errors are raised before the first frame."""
        stream, context = self._stream, self._stream.codec_context
        stream.height, stream.width = size
        stream.pix_fmt = pixel_format
        context.time_base = stream.time_base = Fraction(1, _TICKS)
        if not self.rgb:
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            context.color_range = int(ColorRange.MPEG)
        open_encoder(context)

    def write(self, frames: AnyFrames, timestamps: Iterable[float]) -> None:
        """Encode RGB frames (T, H, W, 3), uint8 or uint16, at timestamps in seconds."""
        for picture, seconds in zip(frames, timestamps, strict=True):
            frame = _rgb_frame(picture) if self.rgb else self._yuv_frame(picture)
            frame.pts = round(seconds * _TICKS)
            frame.time_base = Fraction(1, _TICKS)
            for packet in self._stream.encode(frame):
                self._container.mux(packet)

    def _yuv_frame(self, picture: AnyFrames) -> VideoFrame:
        deep = picture.dtype == np.uint16
        frame = _deep_yuv(picture) if deep else _rgb_frame(picture)
        if self._graph is None:
            scale = _TO_YUV.format(range="limited" if deep else "full", dither="none" if deep else "auto")
            self._graph = filter_graph(frame, scale, self._stream.pix_fmt or "")
        self._graph.push(frame)
        return self._graph.vpull()

    def close(self) -> None:
        """Flush the encoder and close the file."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()
