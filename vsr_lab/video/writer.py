"""Writing of lossless video and of H.264 in MP4, and opening of encoders with clear errors for unsupported settings."""

import os
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import av.error
import av.logging
from av import Codec, CodecContext, VideoCodecContext, VideoFrame, VideoStream
from av.codec.codec import UnknownCodecError
from av.video.reformatter import ColorRange, Colorspace

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError, suggestion
from vsr_lab.video.libav_log import libav_logging

_UNKNOWN = "it has no such option"


def open_encoder(context: CodecContext) -> None:
    """Open an encoder. Raises ValueError for an option that it does not have, FFmpegError for a value it refuses."""
    given = dict(context.options)
    context.open()
    give_back_priority()
    unknown = [key for key in given if key in context.options]  # those that it has are removed
    if unknown:
        raise ValueError(f"{context.name} has no option {unknown[0]}")


def give_back_priority() -> None:
    """Give the threads of this process ordinary priority again.

    The encoder SVT-AV1 gives them real-time priority if the user is root, as in a container. Other programs would
    hardly run then.
    """
    if sys.platform == "linux" and os.sched_getscheduler(0) != os.SCHED_OTHER:
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # it has ended
                os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))


def reason_of(error: Exception) -> str:
    """Reason for an FFmpeg error in words: the last message in FFmpeg's log, or the meaning of the error code."""
    log: Any = getattr(error, "log", None)
    return (str(log[2]).strip() if log else "") or getattr(error, "strerror", None) or str(error)


def check_encoder(
    codec: str, size: tuple[int, int], time_base: Fraction, *, pixel_format: str, options: Mapping[str, str]
) -> None:
    """Check that an encoder of FFmpeg supports the given settings, by opening it once.

    Args:
        codec: FFmpeg's name of the encoder.
        size: height and width in pixels.
        time_base: duration of a tick of the timestamps, in seconds.
        pixel_format: FFmpeg's name of the pixel format.
        options: options of the encoder, such as crf -> "18".

    Raises:
        UserError: there is no such video encoder, or it does not support a setting; the message names the key: codec,
            pixel_format or options.NAME.
    """
    try:
        found = Codec(codec, "w")
    except UnknownCodecError as error:
        hint = suggestion(codec, av.codecs_available, "choose one such as libx264, libx265 or ffv1")
        raise UserError("codec", f"FFmpeg has no encoder {codec!r}", hint) from error
    if found.type != "video":
        raise UserError("codec", f"{codec} encodes {found.type}, not video", "choose one such as libx264")
    known = [form.name for form in found.video_formats or ()]
    if known and pixel_format not in known:
        raise UserError("pixel_format", f"{codec} does not take {pixel_format}", f"choose one of {', '.join(known)}")

    if why := encoder_failure(found, size, time_base, pixel_format=pixel_format, options=options):
        for key, value in options.items():
            alone = encoder_failure(found, size, time_base, pixel_format=pixel_format, options={key: value})
            if alone:
                problem, hint = f"is not an option of {codec}", f"remove options.{key}"
                if alone != _UNKNOWN:
                    problem = f"{codec} does not take {value!r} with pixel_format={pixel_format}"
                    hint = f"choose another value, or remove options.{key}"
                raise UserError(f"options.{key}", problem, f"{hint}; ffmpeg -h encoder={codec} lists what it takes")
        height, width = size
        hint = (
            "use an NVIDIA GPU with its driver, or choose another codec= or preset="
            if "nvenc" in codec
            else "choose another codec="
        )
        raise UserError("codec", f"{codec} cannot encode {width}x{height} {pixel_format} ({why})", hint)


@contextmanager
def _stderr_hidden() -> Generator[None]:
    """Hide what C code prints to stderr: x264 and x265 cannot be silenced otherwise before they are open."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


@_stderr_hidden()
def encoder_failure(
    codec: Codec, size: tuple[int, int], time_base: Fraction, *, pixel_format: str, options: Mapping[str, str]
) -> str:
    """Open an encoder with the settings of `check_encoder`. Returns why it cannot be opened; "" if it can."""
    context = CodecContext.create(codec, "w")
    assert isinstance(context, VideoCodecContext)
    (context.height, context.width), context.pix_fmt = size, pixel_format
    context.time_base, context.options = time_base, dict(options)
    try:  # unknown keys within options.x264-params are warned of, and ignored
        with libav_logging(av.logging.WARNING), av.logging.Capture() as said:
            open_encoder(context)
    except av.error.FFmpegError as error:
        return str(error.strerror)
    except ValueError:
        return _UNKNOWN
    return next((line.strip() for _, _, line in said if "parsing option" in line or "Unknown option" in line), "")


_TICKS = 90_000  # ticks per second, as in MPEG: fine enough for variable frame rates


class VideoWriter:
    """Context manager that writes RGB frames to a lossless video file (FFV1), each frame at its own timestamp.

    Args:
        path: the file; its suffix selects the container.
        size: height and width in pixels.
        rate: nominal frames per second.

    Raises:
        UserError: the container cannot hold FFV1.
        OSError: the file cannot be written.
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

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()


_BT709 = 1
_KEYS = 8  # frames between two that a player can jump to


def even_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Size of a picture in an MP4 file, which must have even sides.

    Args:
        size: (height, width) of the picture.
        longest: maximum of the longer side, in pixels; larger pictures are reduced.

    Returns:
        (width, height), in this order, as PIL and FFmpeg expect; both even and at least 2.
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
