"""Writing a video file: 8-bit RGB frames in, an encoded, tagged and disclosed stream out."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
from av.audio.stream import AudioStream
from av.stream import Stream
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError

_TICKS = 90_000  # the clock of MPEG video: fine enough for any variable frame rate
_BT709 = 1
# Without these swscale's 4:2:0 conversion strays by up to 157 levels.
_ACCURATE = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def _start(stream: Stream) -> Fraction:
    return Fraction(stream.start_time or 0) * (stream.time_base or 0)


class VideoWriter:
    """A BT.709 limited-range file, each frame at its own timestamp; audio may be copied from another file.

    codec: an encoder of libavcodec ("libx264", "ffv1"); pixel_format: "yuv420p", "yuv444p", "bgr0" (ffv1);
    options: the encoder's own, as strings; metadata: container tags. Use as a context manager.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: Fraction,
        codec: str = "libx264",
        pixel_format: str = "yuv420p",
        options: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
        audio_from: Path | None = None,
    ) -> None:
        height, width = size
        self._origin = self._late = Fraction(0)  # where the sound's source begins, and its picture after that
        if pixel_format == "yuv420p" and (height % 2 or width % 2):
            raise UserError(path, f"{width}x{height} is odd, which 4:2:0 cannot hold", "say pixel_format=yuv444p")
        # mp4 drops unknown tags unless told otherwise, and the disclosure is one.
        flags = {"movflags": "use_metadata_tags"} if path.suffix.lower() in {".mp4", ".mov", ".m4v"} else {}
        try:
            self._container = av.open(str(path), "w", options=flags)
            stream = self._container.add_stream(codec, rate=rate, options=dict(options or {}))
            assert isinstance(stream, VideoStream)
            self.rgb = pixel_format.startswith(("bgr", "rgb", "gbr"))
            self._stream = stream
            self._open((height, width), pixel_format)
            self._audio_from = audio_from
            self._audio = self._audio_streams(audio_from) if audio_from else {}
        except (av.error.FFmpegError, ValueError) as error:
            what = f"{codec}, {pixel_format}, {dict(options or {})}"
            raise UserError(path, f"cannot be written as {what} ({error})", "choose .mp4 or .mkv") from error
        self._container.metadata.update(metadata or {})

    def _open(self, size: tuple[int, int], pixel_format: str) -> None:
        """Open the encoder now, so that what it cannot do is told before the first frame."""
        stream, context = self._stream, self._stream.codec_context
        stream.height, stream.width = size
        stream.pix_fmt = pixel_format
        context.time_base = stream.time_base = Fraction(1, _TICKS)
        if not self.rgb:
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            context.color_range = int(ColorRange.MPEG)
        asked = dict(context.options)
        context.open()
        unknown = [key for key in asked if key in context.options]
        if unknown:
            raise ValueError(f"the encoder knows no option {unknown[0]}")

    def _audio_streams(self, source: Path) -> dict[int, AudioStream]:
        """Streams for the sound of source, and in self the times at which its sound and picture begin."""
        with av.open(str(source)) as container:
            sound = container.streams.audio
            picture = [_start(stream) for stream in container.streams.video[:1]]
            self._origin = min(picture + [_start(stream) for stream in sound])
            self._late = picture[0] - self._origin if picture else Fraction(0)
            return {stream.index: self._container.add_stream_from_template(stream) for stream in sound}

    def write(self, frames: Frames, timestamps: Iterable[float]) -> None:
        """Encode uint8 RGB frames (T H W C) at their times in seconds."""
        for picture, seconds in zip(frames, timestamps, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if not self.rgb:
                frame = frame.reformat(
                    format=self._stream.pix_fmt,
                    dst_colorspace=Colorspace.ITU709,
                    dst_color_range=ColorRange.MPEG,
                    interpolation=_ACCURATE,
                )
            frame.pts = round((seconds + float(self._late)) * _TICKS)
            frame.time_base = Fraction(1, _TICKS)
            for packet in self._stream.encode(frame):
                self._container.mux(packet)

    def _copy_audio(self, source: Path) -> None:
        with av.open(str(source)) as container:
            for packet in container.demux(container.streams.audio):
                if packet.dts is not None:
                    shift = round(self._origin / packet.time_base)
                    packet.dts, packet.pts = packet.dts - shift, (packet.pts or packet.dts) - shift
                    packet.stream = self._audio[packet.stream.index]
                    self._container.mux(packet)

    def close(self) -> None:
        """Flush the encoder, copy the audio and finish the file."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        if self._audio and self._audio_from:
            self._copy_audio(self._audio_from)
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
