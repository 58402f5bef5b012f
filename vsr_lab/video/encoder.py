"""Opening of encoders, and error messages for invalid settings."""

import difflib
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av
import av.error
import av.logging
from av import Codec, CodecContext, VideoCodecContext
from av.codec.codec import UnknownCodecError

from vsr_lab.core.errors import UserError
from vsr_lab.video.damage import libav_logging

_UNKNOWN = "it has no such option"


def open_encoder(context: CodecContext) -> None:
    """Open an encoder. Raises ValueError for an option that it does not have."""
    given = dict(context.options)
    context.open()
    unknown = [key for key in given if key in context.options]  # those that it has are removed
    if unknown:
        raise ValueError(f"{context.name} has no option {unknown[0]}")


def reason_of(error: Exception) -> str:
    """Reason for an FFmpeg error: its last log message, or the meaning of the error code."""
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
        UserError: the encoder does not support a setting; the message names its key: codec, pixel_format or
            options.NAME.
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

    if why := _failure(found, size, time_base, pixel_format=pixel_format, options=options):
        for key, value in options.items():
            alone = _failure(found, size, time_base, pixel_format=pixel_format, options={key: value})
            if alone:
                problem = f"is not one of {codec}"
                if alone != _UNKNOWN:
                    problem = f"{codec} does not take {value!r} for pixel_format={pixel_format}"
                raise UserError(
                    f"options.{key}", problem, f"remove it by ~options.{key}, or see ffmpeg -h encoder={codec}"
                )
        height, width = size
        hint = "it needs an NVIDIA GPU and its driver; choose another" if "nvenc" in codec else "choose another"
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
def _failure(
    codec: Codec, size: tuple[int, int], time_base: Fraction, *, pixel_format: str, options: Mapping[str, str]
) -> str:
    """Why an encoder cannot be opened; "" if it can."""
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
