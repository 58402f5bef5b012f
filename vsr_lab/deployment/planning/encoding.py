"""Encoding of the output: presets, and choice of a pixel format that keeps the properties of the source.

Only encoder options that are listed in encoder_options.yaml may be set: others, such as `stats` of x264, could read or
write files.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import yaml
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.video.format import VideoFormat
from pydantic import Field

from vsr_lab.core.errors import UserError, suggestion
from vsr_lab.core.ranges import Positive
from vsr_lab.deployment.provenance import Signer
from vsr_lab.video.color_conversion import bits_of, has_alpha, is_gray, is_rgb
from vsr_lab.video.writer import encoder_failure

ENCODERS = yaml.safe_load(Path(__file__).with_name("encoders.yaml").read_text(encoding="utf-8"))
_CHROMA = {"420": (1, 1), "422": (1, 0), "444": (0, 0)}  # log2 of the subsampling, across and down
_LAYOUTS = {(1, 1): "4:2:0", (1, 0): "4:2:2", (0, 0): "4:4:4", (2, 0): "4:1:1", (2, 2): "4:1:0", (0, 1): "4:4:0"}
EVEN = {"libx264", "libx265", "libsvtav1", "libvpx-vp9", "h264_nvenc", "hevc_nvenc", "av1_nvenc", "mpeg2video"}


Rate: TypeAlias = Annotated[Fraction, Field(gt=0, le=1000)]


@dataclass(frozen=True)
class Encoding:
    """How the output is encoded. A setting that is None keeps the property of the source, unless stated otherwise.

    Args:
        name: name of the preset, for error messages.
        codec: FFmpeg encoder. None: for a transparent source, an encoder that keeps the alpha channel; for other
            sources, H.264 for 8 bits and HEVC for more. If the container does not support it, another encoder.
        pixel_format: FFmpeg's name, such as yuv420p; None: the smallest one that keeps `bits`, `chroma` and alpha.
        bits: bit depth.
        chroma: chroma subsampling: 420, 422 or 444; None: that of the source or that for which the network was trained,
            whichever is finer.
        hdr: whether HDR (PQ or HLG) is written unchanged; if not, HDR sources must be read with tone mapping.
        containers: suffixes, such as ".mp4", of the output files for which these settings can be used; empty: any.
        codec_options: encoder -> option -> value, used if that encoder is chosen.
        options: option -> value, for any encoder; they override codec_options.
        audio: "copy", "transcode" or "drop".
        unsupported: what is done with streams and properties that the output cannot keep. "drop": they are left out;
            "convert": they are converted if possible, else left out; None: the file is refused.
        label: "visible" draws a line of text at the bottom of every frame, which states that the video was upscaled by
            a neural network. It is required if neither tags nor the coded video can store this. None draws nothing.
        evidence: show the original beside the prediction, with a label, and write a confidence map and a list of the
            frames to separate files. Only for networks that were trained for fidelity.
        segment: duration of a segment in seconds. Every segment begins with a keyframe, and an interrupted upscaling
            continues after the last finished segment. With `evidence`, and in VP9 with alpha, there is one segment.
        rate: frames per second of a source that is a folder of images; None: 25.
        start, stop: part of the source that is upscaled, in seconds from its first frame; stop None: to the end.
        height: height of the output in pixels, to which SR is resized by bicubic, with a proportional, even width;
            None: SR is not resized.
        scale: height of the output relative to the source, instead of `height`; it may be smaller than the scale of the
            network.
        grain: strength of synthetic grain that is added to the frames, relative to the grain that is measured in the
            source; None: no grain is added.
        lead_in: for segments that are upscaled in parallel, number of frames before each segment that the network
            processes first, starting with its initial state. None: segments are upscaled one after another, and the
            network keeps its state.
        background: colour such as "black" on which transparent pictures are composited; None: alpha is kept.
        signer: certificate and key for Content Credentials (C2PA); None: the output gets no Content Credentials.

    Raises:
        UserError: an option of an encoder is not allowed; evidence is combined with height, scale or grain; or scale is
            combined with height.
    """

    name: str = "match"
    codec: str | None = None
    pixel_format: str | None = None
    bits: Literal[8, 10, 12, 16] | None = None
    chroma: Literal["420", "422", "444"] | None = None
    hdr: bool = True
    containers: tuple[str, ...] = ()
    codec_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    audio: Literal["copy", "transcode", "drop"] = "copy"
    unsupported: Literal["drop", "convert"] | None = None
    background: str | None = None
    label: Literal["visible"] | None = None
    evidence: bool = False
    segment: Positive = 20.0
    height: Annotated[int, Field(ge=8, le=65536)] | None = None
    scale: Annotated[float, Field(gt=0, le=16)] | None = None
    grain: Annotated[float, Field(gt=0, le=1)] | None = None
    rate: Rate | None = None
    start: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    stop: Annotated[float, Field(gt=0, le=1e6)] | None = None
    lead_in: int | None = None
    signer: Signer | None = None

    def __post_init__(self) -> None:
        for name in ("height", "scale", "grain"):
            if self.evidence and getattr(self, name):
                raise UserError(name, "cannot be combined with evidence=true", f"remove {name}=")
        if self.height and self.scale:
            raise UserError("scale", "cannot be combined with height=", "remove one of them")
        check_options("options", self.options)
        for codec, options in self.codec_options.items():
            check_options(f"preset.codec_options.{codec}", options)

    @property
    def missing(self) -> str:
        """Why the encoder `codec` cannot be opened on this machine; "" if it can be opened, or if `codec` is None."""
        if not self.codec:
            return ""
        try:
            codec = Codec(self.codec, "w")
        except UnknownCodecError:
            return "the installed FFmpeg libraries have no such encoder"
        usual = next((format.name for format in codec.video_formats or ()), "yuv420p")
        options = self.options_of(self.codec, usual)
        return encoder_failure(codec, (144, 256), Fraction(1, 25), pixel_format=usual, options=options)

    def options_of(self, codec: str, pixel_format: str) -> dict[str, str]:
        """Options to pass to an encoder: those in `codec_options` (if none, in encoders.yaml), changed by `options`.

        Args:
            codec: FFmpeg's name of the encoder.
            pixel_format: pixel format of the output, on which the profile of ProRes and DNxHR depends.
        """
        options = {
            **_profile(codec, pixel_format),
            **self.codec_options.get(codec, ENCODERS["options"].get(codec, {})),
            **self.options,
        }
        return {name: value for name, value in options.items() if value != ""}


def _profile(codec: str, pixel_format: str) -> dict[str, str]:
    """Encoder option for the profile of ProRes or DNxHR that supports a pixel format; empty for other codecs."""
    whole = "444" in pixel_format or is_rgb(pixel_format)
    if codec == "prores_ks":
        return {"profile": "4444" if whole else "hq"}
    if codec == "dnxhd":
        deep = bits_of(pixel_format) > 8
        return {"profile": "dnxhr_444" if whole else "dnxhr_hqx" if deep else "dnxhr_hq"}
    return {}


@dataclass(frozen=True)
class Samples:
    """Properties of the samples of a pixel format.

    Attributes:
        bits: bit depth.
        chroma: log2 of the chroma subsampling, horizontally and vertically; None: no chroma.
        rgb: whether samples are red, green and blue.
        alpha: whether there is an alpha channel.
    """

    bits: int
    chroma: tuple[int, int] | None
    rgb: bool
    alpha: bool

    @classmethod
    def of(cls, pixel_format: str) -> "Samples":
        """Find the properties of a pixel format, given by FFmpeg's name."""
        format = VideoFormat(pixel_format)
        alpha = has_alpha(pixel_format)
        if is_gray(pixel_format):
            return cls(bits_of(pixel_format), None, False, alpha or pixel_format.startswith("ya"))
        if is_rgb(pixel_format):
            return cls(bits_of(pixel_format), (0, 0), True, alpha)
        across, down = (64 // format.chroma_width(64)), (64 // format.chroma_height(64))
        return cls(bits_of(pixel_format), (across.bit_length() - 1, down.bit_length() - 1), False, alpha)

    def __str__(self) -> str:
        kind = "RGB" if self.rgb else "gray" if self.chroma is None else _LAYOUTS[self.chroma]
        return f"{kind} {self.bits}-bit" + (" with alpha" if self.alpha else "")


def is_pixel_format(name: str) -> bool:
    """Whether FFmpeg has a pixel format of this name."""
    try:
        VideoFormat(name)
    except ValueError:
        return False
    return True


def has_encoder(name: str) -> bool:
    """Whether the installed FFmpeg libraries have a video encoder of this name."""
    try:
        return Codec(name, "w").type == "video"
    except UnknownCodecError:
        return False


def pixel_format_for(codec: str, wanted: Samples, size: tuple[int, int]) -> str | None:
    """Choose the smallest pixel format of an encoder that keeps bit depth, chroma subsampling, RGB and alpha.

    Args:
        codec: FFmpeg's name of the encoder.
        wanted: properties to keep.
        size: height and width in pixels; most encoders do not support odd sizes with subsampled chroma.

    Returns:
        FFmpeg's name of the pixel format; None if the encoder has none that keeps all properties.
    """
    formats = [format.name for format in Codec(codec, "w").video_formats or ()]
    formats = [name for name in formats if not VideoFormat(name).has_palette]  # of 256 colors
    fitting = [name for name in formats if _holds(Samples.of(name), wanted, codec, size)]
    return min(fitting, key=lambda name: _excess(name, wanted), default=None)


def _holds(offered: Samples, wanted: Samples, codec: str, size: tuple[int, int]) -> bool:
    most = 32 if codec == "exr" else 16
    if not max(wanted.bits, 8) <= offered.bits <= most or (wanted.alpha and not offered.alpha):
        return False
    if codec == "libvpx-vp9" and offered.alpha and offered.chroma != (1, 1):  # which it lists, but does not encode
        return False
    if wanted.rgb or offered.rgb:
        return wanted.rgb and offered.rgb
    if wanted.chroma is None or offered.chroma is None:
        return wanted.chroma is None
    fits = all(have <= want for have, want in zip(offered.chroma, wanted.chroma, strict=True))
    odd = (size[1] % 2 and offered.chroma[0]) or (size[0] % 2 and offered.chroma[1])
    return fits and not (odd and codec in EVEN)


def _excess(name: str, wanted: Samples) -> tuple[int, int, int, int, str]:
    """Sort key by which small formats come first: no unwanted alpha, few bits, little chroma, planar, little-endian."""
    offered = Samples.of(name)
    chroma = 0 if offered.chroma is None else 4 - sum(offered.chroma)
    plain = name.startswith(("yuv4", "yuva", "gbrp", "gray")) and not name.endswith("be")
    return int(offered.alpha and not wanted.alpha), offered.bits, chroma, int(not plain), name


def lower(samples: Samples, *, bits: int | None = None, chroma: str | None = None) -> Samples:
    """Copy of `samples` with the bit depth and chroma subsampling of a preset; None: they are not changed."""
    if chroma is not None and samples.chroma is not None:
        samples = Samples(samples.bits, _CHROMA[chroma], False, samples.alpha)
    return Samples(bits or samples.bits, samples.chroma, samples.rgb, samples.alpha)


_LISTS = yaml.safe_load(Path(__file__).with_name("encoder_options.yaml").read_text(encoding="utf-8"))
_ALLOWED = {option: {*names.split()} for option, names in _LISTS.items()}
_PLAIN = _ALLOWED.pop("options")
_ALLOWED["x264opts"] = _ALLOWED["x264-params"]


def check_options(key: str, options: Mapping[str, str]) -> None:
    """Raise UserError if an encoder option is not in encoder_options.yaml, since other options could write files.

    Args:
        key: configuration key of the options, for the error message.
        options: option -> value.
    """
    for option, value in options.items():
        for name, allowed in _named(option, value):
            if name not in allowed:
                problem = f"must not set {name}, since only the options in encoder_options.yaml are allowed"
                hint = suggestion(name, allowed, f"remove {name}")
                raise UserError(f"{key}.{option}", problem, hint)


def _named(option: str, value: str) -> Iterator[tuple[str, set[str]]]:
    """Yield every name that an option sets, with the set of allowed names."""
    if option in _ALLOWED:
        for part in value.split(":"):
            name = part.partition("=")[0].strip().replace("_", "-").removeprefix("no-")
            yield name, _ALLOWED[option]
    else:
        yield option, _PLAIN
    if option == "flags":
        for flag in re.findall(r"[^\s+-]+", value):
            if "pass" in flag or not re.fullmatch("[a-z_]+", flag):  # a number may be a sum of flags
                yield flag, _PLAIN
