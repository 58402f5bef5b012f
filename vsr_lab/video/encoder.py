"""Opening of encoders, and error messages for invalid settings."""

import difflib
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from fractions import Fraction

import av
import av.error
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext

from vsr_lab.core.errors import UserError


def open_encoder(context: CodecContext) -> None:
    """Open an encoder. Raises ValueError for an option that it does not have."""
    given = dict(context.options)
    context.open()
    unknown = [key for key in given if key in context.options]  # those that it has are removed
    if unknown:
        raise ValueError(f"{context.name} has no option {unknown[0]}")


def reason_of(error: Exception) -> str:
    """Why FFmpeg failed: its last message, or what the error's number stands for."""
    log = error.log if isinstance(error, av.error.FFmpegError) else None
    return (str(log[2]).strip() if log else "") or getattr(error, "strerror", None) or str(error)


def check_encoder(
    codec: str, size: tuple[int, int], time_base: Fraction, *, pixel_format: str, options: Mapping[str, str]
) -> None:
    """Open an encoder once.

    Args:
        codec: an encoder of FFmpeg.
        size: height and width.
        time_base: seconds a tick.
        pixel_format: of the frames.
        options: of the encoder.

    Raises:
        UserError: with the key that does not fit: codec, pixel_format or options.NAME.
    """
    try:
        found = Codec(codec, "w")
    except UnknownCodecError as error:
        near = difflib.get_close_matches(codec, av.codecs_available, 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else "choose one such as libx264, libx265 or ffv1"
        raise UserError("codec", f"FFmpeg has no encoder {codec!r}", hint) from error
    if found.type != "video":
        raise UserError("codec", f"{codec} encodes {found.type}, not video", "choose one such as libx264")
    known = [form.name for form in found.video_formats or ()]
    if known and pixel_format not in known:
        raise UserError("pixel_format", f"{codec} does not take {pixel_format}", f"choose one of {', '.join(known)}")

    def failure(chosen: Mapping[str, str]) -> str:
        context = CodecContext.create(found, "w")
        assert isinstance(context, VideoCodecContext)
        (context.height, context.width), context.pix_fmt = size, pixel_format
        context.time_base, context.options = time_base, dict(chosen)
        try:
            with _stderr_hidden():
                open_encoder(context)
        except (av.error.FFmpegError, ValueError) as error:
            return str(getattr(error, "strerror", None) or error)
        return ""

    if why := failure(options):
        for key, value in options.items():
            if not failure({name: other for name, other in options.items() if name != key}):
                problem = f"{codec} does not take {value!r}" if "no option" not in why else f"is not one of {codec}"
                raise UserError(f"options.{key}", problem, f"see ffmpeg -h encoder={codec}")
        height, width = size
        raise UserError("codec", f"{codec} cannot encode {width}x{height} {pixel_format} ({why})", "choose another")


@contextmanager
def _stderr_hidden() -> Generator[None]:
    """Hide what C code prints: x264 has no callback for that before it is open."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
