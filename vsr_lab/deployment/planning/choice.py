"""Choice of the encoder, pixel format and colour tags of the upscaled stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

import av

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.deployment import VideoPlan
from vsr_lab.deployment.planning.encoding import (
    EVEN,
    Encoding,
    Samples,
    has_encoder,
    is_pixel_format,
    lower,
    pixel_format_for,
)
from vsr_lab.deployment.planning.outputs import IMAGES
from vsr_lab.deployment.streams.frames import EVIDENCE, LABEL, Label
from vsr_lab.deployment.streams.survey import ColorTags, Survey
from vsr_lab.deployment.streams.timing import Timing
from vsr_lab.video import VideoFile
from vsr_lab.video.color_conversion import bits_of, is_rgb
from vsr_lab.video.linear_light import LARGEST, TRANSFERS

_LARGER = "use a smaller value, or a bundle with a larger scale"
_BT709 = ColorTags(1, 1, 1)


@dataclass(frozen=True)
class VideoChoice:
    """How the output video is encoded, and what of the source is not kept as it is.

    Attributes:
        video: how the output video is encoded.
        converted, lost: phrases that name the properties of the source that are converted, and those that are lost.
    """

    video: VideoPlan
    converted: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])


def choose_video(
    source: VideoFile,
    survey: Survey,
    encoding: Encoding,
    *,
    container: str,
    scale: int,
    timing: Timing,
    trained: str | None = None,
) -> VideoChoice:
    """Choose encoder, pixel format, size and colour tags of the output video.

    Args:
        source, survey: the file and its properties.
        encoding: settings of the user.
        container: FFmpeg's name of the output's format.
        scale: scale of the network.
        timing: timestamps of the output.
        trained: pixel format for which the network was trained. The output gets the chroma subsampling of this format
            if it is finer than that of the source, unless `encoding.chroma` is set.

    Raises:
        UserError: no encoder supports these settings, the pixel format or the transfer function of EXR is not known,
            `encoding` asks for a larger height or scale than that of SR, or the label does not fit into the frame.
    """
    height, width = _size(source, scale, encoding)
    size, mapped = (height, width * (2 if encoding.evidence else 1)), source.is_tone_mapped
    original = _samples(source, survey, encoding.codec)
    wanted = _wanted(original, encoding, container, trained)
    codec, pixel_format = _format(encoding, container, wanted, size)
    if pixel_format is None:
        problem = f"is {original}, which {codec} cannot encode"
        raise UserError(source.path, problem, "set pixel_format=, or choose preset=archive with a .mkv output")
    written = Samples.of(pixel_format)
    colors = _colors(survey.colors, mapped, rgb=written.rgb)
    if pixel_format.startswith("yuvj") or container == IMAGES:
        colors = replace(colors, full_range=True)
    colors = _decodable(colors, source, codec)
    options = {**encoding.options_of(codec, pixel_format), **_metadata(codec, survey, encoding, mapped=mapped)}
    if container == "avi" and codec in {"libx264", "libx264rgb"}:
        options.setdefault("bf", "0")  # AVI has no timestamps of presentation
    label = EVIDENCE if encoding.evidence else LABEL if encoding.label else ""
    video = VideoPlan(
        codec=codec,
        pixel_format=pixel_format,
        options=options,
        size=(size[1], size[0]),
        sample_aspect=str(Fraction(source.aspect)),
        rate=str(timing.rate),
        time_base=str(timing.base),
        constant=timing.constant,
        primaries=colors.primaries,
        transfer=colors.transfer,
        matrix=colors.matrix,
        range="full" if colors.full_range else "limited",
        label=Label(label, (size[1], size[0])).text if label else "",
    )
    lost, converted = _differences(original, written, encoding)
    lost += _lost(survey, codec, container, timing, mapped=mapped)
    converted += ["RGB as YCbCr"] if original.rgb and not written.rgb else []
    converted += [f"{original} as {written}"] if written.rgb and not original.rgb else []
    converted += [f"images, which do not state the {timing.rate} frames a second"] if container == IMAGES else []
    converted += _light(source, codec)
    converted += [f"transparency composited on {encoding.background}"] if original.alpha and encoding.background else []
    return VideoChoice(video, converted + _drawn(encoding, source.size[0] * scale, height), lost)


def _light(source: VideoFile, codec: str) -> list[str]:
    """Phrases for the conversions between linear light and coded values, and from HDR to SDR."""
    linear = source.probe.transfer
    coded = f"linear light coded by {linear}: values below 0 and above {LARGEST.get(linear)} are cut"
    done = [coded] if linear else ["pictures decoded to linear light"] * (codec == "exr")
    return done + [f"HDR ({source.probe.hdr}) tone-mapped to BT.709"] * source.is_tone_mapped


def _decodable(colors: ColorTags, source: VideoFile, codec: str) -> ColorTags:
    """For EXR output, colour tags with the transfer function that gives linear light. Raises UserError without one."""
    if codec != "exr":
        if source.read_options.transfer and not source.probe.transfer:
            raise UserError(
                "transfer", f"is only for pictures in linear light, and {source.path.name} is not", "remove transfer="
            )
        return colors
    asked = TRANSFERS.get(source.read_options.transfer or "", colors.transfer)
    if asked not in TRANSFERS.values():
        problem = "is not tagged as sRGB or PQ, but EXR output needs one of these to compute linear light"
        raise UserError(source.path, problem, "set transfer=srgb or transfer=pq, or end output= in .png or .tiff")
    return replace(colors, transfer=asked)


def _drawn(encoding: Encoding, given: int, height: int) -> list[str]:
    """Changes to the SR frames before they are encoded, as sentences. given, height: height of SR and of the output."""
    resized = f"frames of the network, {given} pixels high, resized to {height}, as asked"
    done = [resized] if height != given else []
    done += ["the original is shown beside the prediction, as asked"] if encoding.evidence else []
    return done + (["the bottom of every frame shows a label, as asked"] if encoding.evidence or encoding.label else [])


def _size(source: VideoFile, scale: int, encoding: Encoding) -> tuple[int, int]:
    """Height and width of the output. Raises UserError if they are larger than those of SR."""
    height, width = source.size[0] * scale, source.size[1] * scale
    wanted = round(encoding.scale * source.size[0]) if encoding.scale else encoding.height or height
    if wanted == height:
        return height, width
    if wanted > height:
        if encoding.scale:
            raise UserError("scale", f"must be <= {scale} for this bundle, got {encoding.scale:g}", _LARGER)
        problem = f"must be <= {height} for {source.path.name} and this bundle, got {wanted}"
        raise UserError("height", problem, _LARGER)
    return max(2, wanted), max(2, 2 * round(wanted * width / height / 2))


def _samples(source: VideoFile, survey: Survey, codec: str | None) -> Samples:
    """Properties of the source's samples. An alpha channel that is opaque in the first frames is ignored."""
    stored = Samples.of(source.probe.pixel_format)
    # ProRes is decoded to 12 bits, of which most encoders take 10.
    is_deep_prores = source.probe.codec == "prores" and stored.bits == 12 and codec != "ffv1"
    bits = 10 if is_deep_prores else min(16, stored.bits)  # linear light is read as 16
    return replace(stored, alpha=stored.alpha and survey.transparent, bits=bits)


def _wanted(original: Samples, encoding: Encoding, container: str, trained: str | None) -> Samples:
    wanted = lower(original, bits=encoding.bits, chroma=encoding.chroma)
    wanted = replace(wanted, alpha=original.alpha and encoding.background is None)
    if trained and not encoding.chroma and wanted.chroma and (own := Samples.of(trained).chroma):
        wanted = replace(wanted, chroma=(min(own[0], wanted.chroma[0]), min(own[1], wanted.chroma[1])))
    return replace(wanted, rgb=True, chroma=(0, 0)) if container == IMAGES else wanted


def _format(encoding: Encoding, container: str, wanted: Samples, size: tuple[int, int]) -> tuple[str, str | None]:
    """Choose the encoder and its pixel format: the first candidate that keeps all wanted properties, or all but alpha.

    If there is none, the first candidate with its nearest pixel format.
    """
    if encoding.pixel_format and not is_pixel_format(encoding.pixel_format):
        raise UserError(
            "pixel_format",
            f"{encoding.pixel_format} is not a pixel format of FFmpeg",
            "set one such as yuv420p, or null to choose it automatically",
        )
    if encoding.codec and (encoding.pixel_format or not has_encoder(encoding.codec)):  # which is checked later
        return encoding.codec, _given(encoding.codec, encoding.pixel_format or "yuv420p", size)
    candidates = [encoding.codec] if encoding.codec else list(_candidates(container, wanted, encoding.pixel_format))
    for codec in candidates:
        found = (
            _given(codec, encoding.pixel_format, size)
            if encoding.pixel_format
            else pixel_format_for(codec, wanted, size)
        )
        if found:
            return codec, found
    if not candidates:
        raise UserError(
            f".{container}", "cannot contain H.264, HEVC, VP9 or FFV1", "end output= in .mp4 or .mkv, or set codec="
        )
    for codec in candidates:
        if found := pixel_format_for(codec, replace(wanted, alpha=False), size):
            return codec, found
    return candidates[0], _nearest(candidates[0], wanted, size)


def _nearest(codec: str, wanted: Samples, size: tuple[int, int]) -> str | None:
    """The best pixel format of an encoder that cannot keep all properties.

    A change of the chroma subsampling is preferred to a loss of alpha, and a loss of alpha to a loss of bits.
    """
    others = [(wanted.chroma, wanted.rgb), ((0, 0), False), ((1, 0), False), ((1, 1), False)]
    for bits in (wanted.bits, 12, 10, 8):
        for alpha in (wanted.alpha, False):
            for chroma, rgb in others:
                smaller = Samples(min(bits, wanted.bits), chroma, rgb, alpha)
                if found := pixel_format_for(codec, smaller, size):
                    return found
    return None


def _candidates(container: str, wanted: Samples, pixel_format: str | None) -> Iterator[str]:
    """Encoders that the container supports, in order of preference: H.264 for up to 8 bits, HEVC for more.

    Encoders with an alpha channel come first if alpha is wanted.
    """
    bits, rgb = (bits_of(pixel_format), is_rgb(pixel_format)) if pixel_format else (wanted.bits, wanted.rgb)
    order = ["libx264rgb", "libx264"] if rgb else ["libx264"]
    order = [*order, "libx265"] if bits <= 8 else ["libx265", *order]
    if wanted.alpha:
        mov = container == "mov"
        with_alpha = ["prores_ks" if mov else "libvpx-vp9"] * (not rgb) + ["png" if mov else "ffv1"]
        order = [*with_alpha, *order]
    for codec in [*order, "libvpx-vp9", "libsvtav1", "mpeg2video", "ffv1"]:
        unusual = codec in {"ffv1", "png"} and container in {"mp4", "3gp"}  # which players of MP4 do not expect
        if has_encoder(codec) and not unusual and _takes(container, codec):
            yield codec


def _takes(container: str, codec: str) -> bool:
    output = av.open("/dev/null", "w", format=container)
    try:
        output.add_stream(codec)
    except ValueError:
        return False
    return True


def _given(codec: str, pixel_format: str, size: tuple[int, int]) -> str:
    """The pixel format that the user set. Raises UserError if its chroma subsampling does not allow odd sizes."""
    across, down = Samples.of(pixel_format).chroma or (0, 0)
    if codec in EVEN and ((size[1] % 2 and across) or (size[0] % 2 and down)):
        problem = f"cannot be used for {size[1]}x{size[0]}, because a side is odd"
        raise UserError(f"pixel_format={pixel_format}", problem, "set pixel_format=yuv444p")
    return pixel_format


def _colors(source: ColorTags, mapped: bool, rgb: bool) -> ColorTags:
    """Colour tags of the output: those of the source, except for tone-mapped HDR and changes between RGB and YCbCr.

    The network processes R'G'B' values without a conversion of primaries and transfer function.
    """
    colors = _BT709 if mapped else source
    if rgb:
        return ColorTags(colors.primaries, colors.transfer, 0, True)
    if colors.matrix == 0:  # RGB written as YCbCr
        return ColorTags(colors.primaries, colors.transfer, 1, False)
    return colors


def _metadata(codec: str, survey: Survey, encoding: Encoding, *, mapped: bool) -> dict[str, str]:
    """Encoder options that store HDR10 mastering metadata and suppress log messages."""
    light = f"{survey.light[0]},{survey.light[1]}" if survey.light else ""
    if codec == "libx265":
        facts = ["log-level=error"]
        if not mapped:
            facts += [f"master-display={survey.mastering}"] if survey.mastering else []
            facts += [f"max-cll={light}"] if light else []
        own = encoding.options.get("x265-params")
        return {"x265-params": ":".join([*facts, *([own] if own else [])])}
    return {}


def _differences(original: Samples, written: Samples, encoding: Encoding) -> tuple[list[str], list[str]]:
    """Properties of the samples that are lost, and changes that the encoding asks for, as sentences."""
    changes = [*_changes(original, written)]
    asked = encoding.pixel_format or encoding.bits or encoding.chroma
    clear = original.alpha and not (written.alpha or encoding.background or encoding.pixel_format)
    lost = ["the alpha channel (set background= to composite it on a color)"] if clear else []
    return (lost, [f"{change}, as asked" for change in changes]) if asked else (lost + changes, [])


def _changes(original: Samples, written: Samples) -> Iterator[str]:
    if written.bits < original.bits:
        yield f"{original.bits} bits become {written.bits}"
    if original.rgb and not written.rgb and written.chroma != (0, 0):
        yield f"chroma of RGB becomes that of {written}"
    elif (
        original.chroma is not None
        and written.chroma is not None
        and any(have > want for have, want in zip(written.chroma, original.chroma, strict=True))
    ):
        yield f"chroma of {original} becomes that of {written}"
    if original.chroma is not None and written.chroma is None:
        yield "color becomes gray"


def _lost(survey: Survey, codec: str, container: str, timing: Timing, *, mapped: bool) -> list[str]:
    lost = survey.of_frames.lost(codec, mapped=mapped)
    if (survey.mastering or survey.light) and not mapped and codec != "libx265":
        lost.append(f"HDR10 mastering metadata, which {codec} does not write")
    if container == IMAGES and not timing.constant:
        lost.append("the times of frames, as images have none")
    if container == "avi" and not timing.constant:
        lost.append("a varying frame rate, as AVI has one for all frames")
    return lost
