"""Upscaling of a video file with a bundle into a new, tagged file. The source is only read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from vsr_lab.core.clip import to_deep_frames, to_frames, to_tensor
from vsr_lab.core.cuts import SceneCutDetector, no_cut
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, sha256
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records import write_record
from vsr_lab.core.records.deployment import Provenance, VideoFacts
from vsr_lab.core.signals import pass_signals
from vsr_lab.core.stream import stream
from vsr_lab.core.tile import Tiled
from vsr_lab.deployment.bundle import Bundle, open_bundle
from vsr_lab.video import REFUSE, ReadOptions, VideoFile, VideoWriter, read_chunks
from vsr_lab.video.color_conversion import bits_of

DISCLOSURE = (
    "Upscaled by a neural network (vsr_lab). Detail beyond the source is generated, plausible and not recorded fact."
)
_CHUNK = 16


@dataclass(frozen=True)
class Encoding:
    """How the output is encoded.

    Args:
        codec: FFmpeg encoder, such as libx264.
        pixel_format: such as yuv420p; empty: that of the bundle, or else yuv420p.
        options: options of the encoder.
    """

    codec: str = "libx264"
    pixel_format: str = ""
    options: Mapping[str, str] = field(default_factory=lambda: {"crf": "16", "preset": "medium"})


@dataclass(frozen=True)
class Tiling:
    """Tiles in which frames are processed, to limit memory.

    Args:
        side: height and width of a tile in LR pixels; 0: whole frames.
        overlap: overlap of neighbouring tiles, in LR pixels.
    """

    side: int = 0
    overlap: int = 16


def upscale(
    bundle: Bundle | Path | str,
    source: Path | str,
    output: Path | str,
    *,
    encoding: Encoding = Encoding(),
    tiling: Tiling = Tiling(),
    overwrite: bool = False,
    read_options: ReadOptions = REFUSE,
    watch_cuts: bool = True,
) -> Provenance:
    """Upscale source into output and write OUTPUT.provenance.json next to it. Timestamps and audio are kept.

    Args:
        bundle: an opened bundle, or its folder.
        source, output: video files.
        encoding: codec, pixel format and options of the output.
        tiling: for frames that are too large for memory.
        overwrite: whether output may be replaced.
        read_options: how to read interlaced, HDR and damaged files.
        watch_cuts: reset the state of the network at scene cuts.

    Returns:
        The content of the provenance file: source, output, bundle and settings.

    Raises:
        UserError: the bundle is incomplete; output is source, or exists and overwrite is False; source cannot be read.

    Example:
        >>> provenance = vsr_lab.upscale("bundle", "footage/a.mkv", "large.mp4")
        >>> provenance.frames, provenance.output.size
        (24, (160, 128))
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    source, output = Path(source), Path(output)
    pixel_format = encoding.pixel_format or bundle.manifest.pixel_format or "yuv420p"
    encoding = replace(encoding, pixel_format=pixel_format)
    provenance_path = output.with_name(f"{output.name}.provenance.json")
    _check_output(source, output, provenance_path, bundle=bundle.folder, overwrite=overwrite)
    video = VideoFile(source, read_options=read_options)
    network = _tiled(bundle.network, tiling) if tiling.side else bundle.network
    watch = SceneCutDetector() if watch_cuts else None
    # The provenance is renamed into place after the video, so that neither ever exists alone.
    # A file that another process wrote meanwhile is kept.
    with atomic_path(provenance_path, overwrite) as note, atomic_path(output, overwrite) as temporary:
        rgb = _write(temporary, video, stream(network, _frames(video), watch or no_cut), bundle, encoding=encoding)
        height, width = video.size
        made = VideoFacts(
            file=output.name,
            sha256=sha256(temporary),
            size=(width * network.scale, height * network.scale),
            bits=bits_of(pixel_format),
            matrix="rgb" if rgb else "bt709",
            full_range=rgb,
        )
        cuts = watch.found if watch else None
        provenance = _provenance(video, made, bundle, encoding=encoding, tiling=tiling, cuts=cuts)
        write_record(note, provenance)
        pass_signals()  # both are complete, and are moved into place
    return provenance


def _provenance(
    video: VideoFile, output: VideoFacts, bundle: Bundle, *, encoding: Encoding, tiling: Tiling, cuts: list[int] | None
) -> Provenance:
    return Provenance(
        disclosure=DISCLOSURE,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=_source_facts(video),
        output=output,
        **vars(video.read_options),
        **vars(encoding),
        damage=str(video.damage),
        frames=video.frames,
        scale=bundle.network.scale,
        cuts=cuts,
        bundle=bundle.manifest.name,
        bundle_sha256=bundle.manifest.sha256,
        tile=tiling.side,
        overlap=tiling.overlap if tiling.side else 0,
        versions={name: version(name) for name in ("vsr-lab", "onnxruntime", "av")},
    )


def _source_facts(video: VideoFile) -> VideoFacts:
    height, width = video.size
    color = vars(video.probe.colour)
    return VideoFacts(
        file=video.path.name, sha256=sha256(video.path), size=(width, height), bits=video.probe.bits, **color
    )


def _write(path: Path, video: VideoFile, sr: Iterable[Tensor], bundle: Bundle, *, encoding: Encoding) -> bool:
    """Write upscaled frames with the timestamps and audio of video. Returns whether they are stored as RGB."""
    with VideoWriter(
        path,
        (video.size[0] * bundle.network.scale, video.size[1] * bundle.network.scale),
        video.probe.rate,
        encoding.codec,
        encoding.pixel_format,
        encoding.options,
        {"comment": DISCLOSURE, "vsr_lab_bundle": bundle.manifest.name},
        audio_from=video.path if video.probe.audio else None,
        sample_aspect=video.aspect,
    ) as writer:
        quantised = to_deep_frames if bits_of(encoding.pixel_format) > 8 else to_frames
        for frame, time in zip(sr, video.probe.timestamps, strict=True):
            writer.write(quantised(frame)[None], [float(time)])
        return writer.rgb


def _tiled(network: StreamingNetwork, tiling: Tiling) -> StreamingNetwork:
    try:
        return Tiled(network, tiling.side, tiling.overlap)
    except ValueError as error:
        raise UserError(
            f"tile={tiling.side} overlap={tiling.overlap}", str(error), "tile=0 runs whole frames"
        ) from error


def _check_output(source: Path, output: Path, provenance: Path, *, bundle: Path, overwrite: bool) -> None:
    if not source.is_file():
        raise UserError(source, "not found", "check input=")
    for path in (output, provenance):
        if path.resolve().is_relative_to(bundle.resolve()):
            raise UserError(path, "is inside the bundle", "choose another output=")
        if path.exists() and path.samefile(source) and path != output:
            raise UserError(source, "is where the provenance of output is written", "choose another output=")
    if output.exists() and output.samefile(source):
        raise UserError(output, "is the input itself", "the source is never overwritten; choose another output=")
    if not output.suffix:
        raise UserError(output, "has no suffix, which determines the container", "end it in .mp4 or .mkv")
    if output.is_dir():
        raise UserError(output, "is a folder", "name the file: output=<folder>/upscaled.mp4")
    for path in (output, provenance):
        if path.exists() and not overwrite:
            raise UserError(path, "already exists", "choose another output= or set overwrite=true")


def _frames(video: VideoFile) -> Iterator[Tensor]:
    with progress_bar("upscaling", video.frames, "frames") as update:
        for clip in read_chunks(video, 0, video.frames, _CHUNK):
            for frame in torch.unbind(to_tensor(clip.frames)):
                yield frame
                update(advance=1)
