"""Encoding and decoding of frames in memory, to apply the artefacts of lossy codecs to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av import VideoCodecContext
from av.filter import Graph
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from vsr_lab.core.clip import Colour, Frames
from vsr_lab.video.color_conversion import LEFT, RgbConverter, filter_graph
from vsr_lab.video.writer import open_encoder

# swscale's default chroma location is not the one that decoders assume.
_TO_YUV = (
    "out_color_matrix={matrix}:out_range=limited:out_chroma_loc=left"
    ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
)
_SPACES = {"bt601": Colorspace.ITU601, "bt709": Colorspace.ITU709}
_MIN_SIDE = 64  # smallest side in pixels that encoders accept


@dataclass(frozen=True)
class CodecKind:
    """Encoder and decoder that `roundtrip` uses for a codec.

    Args:
        encoder, decoder: libavcodec's names.
        quantiser: True if the quality is set by a constant quantiser (MPEG-2, MPEG-4) and not by a constant rate factor
            (CRF).
    """

    encoder: str
    decoder: str
    quantiser: bool = False

    def options(self, quality: int, b_frames: int, preset: str) -> dict[str, str]:
        """Options of the encoder.

        Args:
            quality: constant rate factor or quantiser; a higher value is worse.
            b_frames: maximum number of consecutive B-frames.
            preset: preset of x264 and x265, such as "medium".
        """
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
    *,
    pixel_format: str = "yuv420p",
    gop: int = 250,
    matrix: str = "bt709",
) -> Frames:
    """Compress frames with a video codec and decompress them, in memory.

    One thread is used, so that the result is deterministic. Odd and very small sizes are padded by replication and
    cropped again.

    Args:
        frames: RGB uint8 (T, H, W, 3).
        codec: "h264", "h265", "mpeg2", "mpeg4" or "vp9".
        options: options of the encoder, as returned by `CodecKind.options`.
        pixel_format: pixel format of the stream, by FFmpeg's name.
        gop: maximum number of frames from one intra frame to the next.
        matrix: matrix of the conversion to limited-range YUV and back, "bt601" or "bt709".

    Returns:
        The same number of frames, RGB uint8 (T, H, W, 3).

    Raises:
        ValueError: unknown option.
        RuntimeError: the number of decoded frames differs.
    """
    count, height, width, _ = frames.shape
    padded = _padded(frames)
    encoder = _encoder(CODECS[codec], options, padded.shape[1:3], pixel_format, gop, matrix)
    decoder = av.CodecContext.create(CODECS[codec].decoder, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    packets = [packet for frame in _pictures(padded, pixel_format, matrix) for packet in encoder.encode(frame)]
    packets += encoder.encode(None)
    decoded = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.decode(None)
    if len(decoded) != count:
        raise RuntimeError(f"{codec} with {dict(options)} gave {len(decoded)} of {count} frames")
    to_rgb = RgbConverter(decoded[0], Colour(matrix, full_range=False), LEFT)
    return np.stack([to_rgb(frame)[:height, :width] for frame in decoded]).astype(np.uint8, copy=False)


def _padded(frames: Frames) -> Frames:
    """Pad to even sizes of at least _MIN_SIDE by repeating the last row and column."""
    more = [max(size + size % 2, _MIN_SIDE) - size for size in frames.shape[1:3]]
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
    open_encoder(context)
    return context


def _pictures(frames: Frames, pixel_format: str, matrix: str) -> Iterator[av.VideoFrame]:
    graph: Graph | None = None
    for number, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        graph = graph or filter_graph(picture, _TO_YUV.format(matrix=matrix), pixel_format)
        graph.push(picture)
        coded = graph.vpull()
        coded.pts, coded.time_base, coded.pict_type = number, Fraction(1, 25), PictureType.NONE
        yield coded
