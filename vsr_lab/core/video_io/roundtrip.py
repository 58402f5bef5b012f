"""Encode and decode in memory: what a lossy codec makes of a clip, frame for frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from vsr_lab.core.clip import Frames

# Without these swscale's 4:2:0 conversion strays by up to 157 levels.
_ACCURATE = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT
)
_SPACES = {"bt601": Colorspace.ITU601, "bt709": Colorspace.ITU709}
_SMALLEST = 64  # pixels on a side; encoders refuse less


@dataclass(frozen=True)
class CodecKind:
    """encoder, decoder: libavcodec's names; quantiser: quality is a fixed quantiser and not a CRF."""

    encoder: str
    decoder: str
    quantiser: bool = False

    def options(self, quality: int, b_frames: int, preset: str) -> dict[str, str]:
        """The encoder's own options for a quality, up to b_frames between two others, and a preset."""
        if self.quantiser:
            return {"qmin": str(quality), "qmax": str(quality), "bf": str(b_frames)}
        if self.encoder == "libvpx-vp9":
            return {"crf": str(quality), "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "0"}
        return {"crf": str(quality), "bf": str(b_frames), "preset": preset}


CODECS = {
    "h264": CodecKind("libx264", "h264"),
    "h265": CodecKind("libx265", "hevc"),
    "mpeg2": CodecKind("mpeg2video", "mpeg2video", quantiser=True),
    "mpeg4": CodecKind("mpeg4", "mpeg4", quantiser=True),
    "vp9": CodecKind("libvpx-vp9", "vp9"),
}


def roundtrip(
    frames: Frames,
    codec: str,
    options: Mapping[str, str],
    pixel_format: str = "yuv420p",
    gop: int = 250,
    matrix: str = "bt709",
) -> Frames:
    """uint8 RGB frames (T, H, W, 3) through an encoder and its decoder: as many, in the same order, of the same size.

    codec: a key of CODECS; options: the encoder's own; gop: frames from one intra frame to the next. RGB becomes
    limited-range YUV by `matrix` and comes back by the same. Odd and tiny sizes are padded by their edge and cut again.
    One thread, so the same frames and options give the same result. Raises ValueError for unknown options.
    """
    count, height, width, _ = frames.shape
    padded = _padded(frames)
    encoder = _encoder(CODECS[codec], options, padded.shape[1:3], pixel_format, gop, matrix)
    decoder = av.CodecContext.create(CODECS[codec].decoder, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    packets = [packet for t in range(count) for packet in encoder.encode(_picture(padded[t], t, pixel_format, matrix))]
    packets += encoder.encode(None)
    decoded = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.decode(None)
    if len(decoded) != count:
        raise RuntimeError(f"{codec} with {dict(options)} gave {len(decoded)} of {count} frames")
    reader = VideoReformatter()
    pictures = [
        reader.reformat(
            frame,
            format="rgb24",
            src_colorspace=_SPACES[matrix],
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=_ACCURATE,
        ).to_ndarray()[:height, :width]
        for frame in decoded
    ]
    return np.stack(pictures).astype(np.uint8, copy=False)


def _padded(frames: Frames) -> Frames:
    """Even sizes of at least _SMALLEST, by repeating the last row and column."""
    more = [max(size + size % 2, _SMALLEST) - size for size in frames.shape[1:3]]
    return np.pad(frames, ((0, 0), (0, more[0]), (0, more[1]), (0, 0)), mode="edge") if any(more) else frames


def _encoder(
    kind: CodecKind, options: Mapping[str, str], size: tuple[int, int], pixel_format: str, gop: int, matrix: str
) -> VideoCodecContext:
    context = av.CodecContext.create(kind.encoder, "w")
    assert isinstance(context, VideoCodecContext)
    context.height, context.width = size
    context.pix_fmt = pixel_format
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.gop_size = gop
    context.thread_count = 1
    context.colorspace, context.color_range = int(_SPACES[matrix]), int(ColorRange.MPEG)
    quiet = {"x265-params": f"log-level=none:pools=none:frame-threads=1:keyint={gop}"} if "265" in kind.encoder else {}
    context.options = {**options, **quiet}
    asked = dict(context.options)
    context.open()
    unknown = [key for key in asked if key in context.options]
    if unknown:
        raise ValueError(f"{kind.encoder} knows no option {unknown[0]}")
    return context


def _picture(frame: Frames, number: int, pixel_format: str, matrix: str) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(
        format=pixel_format, dst_colorspace=_SPACES[matrix], dst_color_range=ColorRange.MPEG, interpolation=_ACCURATE
    )
    picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, 25), PictureType.NONE
    return picture
