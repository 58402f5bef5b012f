"""Writing of RGB frames without loss."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError

_TICKS = 90_000  # ticks per second, as in MPEG: fine enough for variable frame rates


class VideoWriter:
    """Context manager that writes RGB frames to a lossless video file (FFV1), each frame at its own timestamp.

    Args:
        path: the file; its suffix selects the container.
        size: height and width in pixels.
        rate: nominal frames per second.

    Raises:
        UserError: the container cannot hold FFV1.
    """

    def __init__(self, path: Path, size: tuple[int, int], rate: Fraction) -> None:
        flags = {"fflags": "bitexact"}  # equal frames give equal files; Matroska's ids would be random
        try:
            self._container = av.open(str(path.absolute()), "w", options=flags)
            stream = self._container.add_stream("ffv1", rate=rate)
            assert isinstance(stream, VideoStream)
            stream.height, stream.width = size
            stream.pix_fmt = "bgr0"
            stream.codec_context.time_base = stream.time_base = Fraction(1, _TICKS)
            stream.codec_context.open()  # so that errors are raised before the first frame
        except OSError:
            raise
        except (av.error.FFmpegError, ValueError) as error:
            what = f"{path.suffix or 'a file without a suffix'} cannot hold FFV1"
            raise UserError(path, what, "end it in .mkv") from error
        self._stream = stream

    def write(self, frames: Frames, timestamps: Iterable[float]) -> None:
        """Encode RGB frames, uint8 (T, H, W, 3), at timestamps in seconds."""
        for picture, seconds in zip(frames, timestamps, strict=True):
            frame = VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(seconds * _TICKS), Fraction(1, _TICKS)
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush the encoder and close the file."""
        self._container.mux(self._stream.encode(None))
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
