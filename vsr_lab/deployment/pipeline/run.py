"""Upscaling of a video file with a bundle into a new, tagged file. The source is only read."""

import errno
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import av.error
import numpy as np
import torch
from av.container import InputContainer
from torch import Tensor

from vsr_lab.core.clip import AnyFrames, to_deep_frames, to_frames, to_tensor
from vsr_lab.core.cuts import SceneCutDetector, no_cut
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, check_file, sha256
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records import write_record
from vsr_lab.core.records.deployment import Plan, Provenance, VideoFacts
from vsr_lab.core.resize import resize_to
from vsr_lab.core.signals import pass_signals
from vsr_lab.core.stream import FrameStream, stream
from vsr_lab.core.tile import Tiled
from vsr_lab.deployment.bundle import Bundle, open_bundle
from vsr_lab.deployment.pipeline.reading import ReadFrame, SequentialReader
from vsr_lab.deployment.pipeline.record import Running, claims_of, job_of, output_facts, provenance_of, source_facts
from vsr_lab.deployment.pipeline.segments import Part, Segments
from vsr_lab.deployment.pipeline.stages import read_ahead, write_behind
from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.planning.paths import atomic_sidecar, check_paths
from vsr_lab.deployment.planning.plan import check_disclosed, make_plan
from vsr_lab.deployment.provenance import FrameHashes, provenance_path
from vsr_lab.deployment.runtimes import choose_runtime, open_runtime
from vsr_lab.deployment.streams.frames import FrameEncoder, color_of, composited, resized_alpha
from vsr_lab.deployment.streams.output import Output, Planned
from vsr_lab.video import REFUSE, ReadOptions, VideoFile
from vsr_lab.video.color_conversion import bits_of, has_alpha
from vsr_lab.video.encoder import reason_of
from vsr_lab.video.packets import open_input

_LAST = -1  # number of what carries the packets after the last frame
MATCH = Encoding()
_QUEUE = 4  # frames that wait between two stages


@dataclass(frozen=True)
class Inference:
    """How the network is run on the frames of a video.

    Args:
        tile: height and width of the tiles that frames are processed in, to limit memory, in LR pixels; 0: none.
        overlap: overlap of neighbouring tiles, in LR pixels.
        watch_cuts: reset the state of the network at scene cuts.
    """

    tile: int = 0
    overlap: int = 16
    watch_cuts: bool = True


WHOLE_FRAMES = Inference()


@dataclass(frozen=True)
class _Upscaled:
    """An upscaled frame that has not been encoded yet.

    Attributes:
        picture: None for a frame of a finished segment.
        state: state of the network after the last frame of a segment.
    """

    read: ReadFrame
    picture: AnyFrames | None = None
    state: State | None = None


def upscale(
    bundle: Bundle | Path | str,
    source: Path | str,
    output: Path | str,
    *,
    encoding: Encoding = MATCH,
    inference: Inference = WHOLE_FRAMES,
    read_options: ReadOptions = REFUSE,
    overwrite: bool = False,
) -> Provenance:
    """Upscale source into output and write OUTPUT.provenance.json next to it. Timestamps and other streams are kept.

    Finished segments are kept in the folder OUTPUT.segments until the end, so that the same call goes on after them.

    Args:
        bundle: an opened bundle, which has the options of its runtime, or its folder.
        source, output: video files.
        encoding: settings of the output; by default it has the properties of the source.
        inference: how the network is run: on tiles, for frames that are too large for memory, and across cuts.
        read_options: how to read interlaced, HDR and damaged files.
        overwrite: whether output may be replaced.

    Returns:
        The content of the provenance file: source, output, bundle and settings.

    Raises:
        Refusal: the output of the runtime differs too much from that of the network.
        UserError: the bundle is incomplete; output is source, or exists and overwrite is False; source cannot be read,
            or has streams or properties that output cannot keep.

    Example:
        >>> provenance = vsr_lab.upscale("bundle", "footage/a.mkv", "large.mp4")
        >>> provenance.frames, provenance.output.size
        (24, (160, 128))
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    source, output = Path(source), Path(output)
    check_paths(source, output, encoding.signer, bundle=bundle.folder, overwrite=overwrite)
    video, planned = _planned(bundle, source, output, encoding=encoding, read_options=read_options)
    check_disclosed(planned.plan, output)
    network = _tiled(_opened(bundle, planned.plan), inference)
    watch = SceneCutDetector() if inference.watch_cuts else None
    hashes = FrameHashes()
    tile, overlap = inference.tile, inference.overlap if inference.tile else 0
    running = Running(tile, overlap, watch.found if watch else None, hashes.values)
    job = job_of(video, planned.plan, bundle=bundle, running=running, background=encoding.background)
    segments = Segments(output, job)
    upscaling = _Run(video, planned, encoding, segments=segments, hashes=hashes)
    # The provenance is renamed after the video, so that neither ever exists alone. Files of other processes are kept.
    with (
        segments,
        atomic_path(provenance_path(output), overwrite) as note,
        atomic_sidecar(output, planned.plan.container, encoding.signer, overwrite) as sidecar,
        atomic_path(output, overwrite) as temporary,
    ):
        facts = upscaling.write(temporary, network, watch)
        if encoding.signer:
            container, claims = planned.plan.container, claims_of(output.name, video.path, facts, bundle.manifest)
            encoding.signer.sign(temporary, container, claims, sidecar)
        made = output_facts(output.name, temporary, planned.plan.video)
        provenance = provenance_of(video, facts, made, plan=planned.plan, bundle=bundle, running=running)
        write_record(note, provenance)
        pass_signals()  # both are complete, and are moved into place
    return provenance


def plan_upscale(
    bundle: Bundle | Path | str,
    source: Path | str,
    output: Path | str,
    *,
    encoding: Encoding = MATCH,
    read_options: ReadOptions = REFUSE,
) -> Plan:
    """Plan what `upscale` would write and how long it would take, without writing it.

    The arguments are those of `upscale`. Streams and properties that cannot be kept are listed and not refused.
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    source, output = Path(source), Path(output)
    listed = replace(encoding, unsupported=encoding.unsupported or "drop")
    video, planned = _planned(bundle, source, output, encoding=listed, read_options=read_options)
    return planned.plan.model_copy(update={"seconds": _timed(_opened(bundle, planned.plan), video.size) * video.frames})


def _planned(
    bundle: Bundle, source: Path, output: Path, *, encoding: Encoding, read_options: ReadOptions
) -> tuple[VideoFile, Planned]:
    check_file(source, "check input=")
    if read_options.tone_map is None and encoding.hdr:
        read_options = replace(read_options, tone_map="keep")
    video = VideoFile(source, read_options=read_options)
    planned = make_plan(video, output, scale=bundle.network.scale, bundle=bundle.manifest, encoding=encoding)
    if bundle.runtime is None:
        return video, planned
    runtime = choose_runtime(bundle.folder, bundle.manifest, bundle.runtime, video.size)
    return video, replace(planned, plan=planned.plan.model_copy(update={"runtime": runtime}))


def _opened(bundle: Bundle, plan: Plan) -> StreamingNetwork:
    """The network of a bundle in the runtime of a plan."""
    return open_runtime(bundle.folder, bundle.manifest, plan.runtime) if plan.runtime else bundle.network


def _timed(network: StreamingNetwork, size: tuple[int, int]) -> float:
    """Seconds that the network takes per frame."""
    start, frame = datetime.now(UTC), torch.zeros(3, *size)
    count = sum(1 for _ in stream(network, [frame] * 3))
    return (datetime.now(UTC) - start).total_seconds() / count


class _Run:
    """The three stages of upscaling one file.

    Args:
        hashes: receives the frames of the source.
    """

    def __init__(
        self, video: VideoFile, planned: Planned, encoding: Encoding, *, segments: Segments, hashes: FrameHashes
    ) -> None:
        self._video, self._planned, self._segments, self._hashes = video, planned, segments, hashes
        self._encode = FrameEncoder(planned.plan.video)
        self._deep = bits_of(planned.plan.video.pixel_format) > 8
        self._background = color_of(encoding.background) if encoding.background else None

    def write(self, path: Path, network: StreamingNetwork, watch: SceneCutDetector | None) -> VideoFacts:
        """Read, upscale and encode all frames into a new file. Returns facts of the source, hashed meanwhile."""
        planned, video = self._planned, self._video
        with ThreadPoolExecutor(1) as hashing, open_input(video.path) as templates:
            digest = hashing.submit(sha256, video.path)
            output = self._open(path, templates)
            reader = SequentialReader(video, output.carriers, alpha=self._reads_alpha())
            with (
                output,
                write_behind(partial(self._write, output), _QUEUE) as put,
                read_ahead(reader, _QUEUE) as frames,
                progress_bar("upscaling", planned.plan.frames, "frames") as update,
            ):
                process = FrameStream(network, watch or no_cut)
                for read in frames:
                    put(self._upscaled(process, read, self._segments.at(read.number)))
                    update(advance=1)
                put(_Upscaled(ReadFrame(_LAST, np.empty(0, np.uint8), None, None, reader.packets)))
        return source_facts(video, digest.result())

    def _upscaled(self, process: FrameStream, read: ReadFrame, part: Part) -> _Upscaled:
        lr = self._tensor(read)
        if not part.runs:
            process.skip(lr)
            return _Upscaled(read)
        if part.resumes and read.number == part.first:
            process.state = self._segments.state_before(part)
            if not process.takes(process.state, lr):
                folder = self._segments.folder
                raise UserError(folder, "holds a state of another network", "remove it to begin again")
        sr = process(lr)
        if part.finished:
            return _Upscaled(read)
        picture = self._quantised(sr, read.number)
        if read.number < part.last or process.state is None:
            return _Upscaled(read, picture)
        # The memory layout of the state may affect rounding, so the network also continues from the copy here.
        process.state = tuple(tensor.cpu().clone(memory_format=torch.contiguous_format) for tensor in process.state)
        return _Upscaled(read, picture, process.state)

    def _open(self, path: Path, templates: InputContainer) -> Output:
        planned = self._planned
        try:
            return Output(path, planned, templates)
        except (ValueError, av.error.FFmpegError) as error:
            video = planned.plan.video
            what = f"cannot be written as {video.codec} {video.pixel_format} ({reason_of(error)})"
            raise UserError(path, what, "choose another codec=") from error

    def _reads_alpha(self) -> bool:
        return has_alpha(self._video.probe.pixel_format)

    def _tensor(self, read: ReadFrame) -> Tensor:
        picture = read.picture
        opaque = read.alpha is None or self._planned.survey.transparent or self._background is not None
        if not opaque and (read.alpha != np.iinfo(picture.dtype).max).any():
            problem = f"is transparent at frame {read.number}, and opaque before"
            raise UserError(self._video.path, problem, "set background=black or another color")
        if read.alpha is not None and self._background is not None:
            picture = composited(picture, read.alpha, self._background)
        seconds = self._video.probe.timestamps[read.number]
        if self._hashes.wants(seconds):
            self._hashes.add(seconds, self._encode.shown(picture))
        return to_tensor(picture[None])[0]

    def _quantised(self, sr: Tensor, number: int) -> AnyFrames:
        if not torch.isfinite(sr.sum()):
            problem = f"frame {number} of the result is not finite (NaN or infinity)"
            raise UserError(self._video.path, problem, "check the bundle with vsr-lab evaluate")
        width, height = self._planned.plan.video.size
        if sr.shape[-2:] != (height, width):
            sr = resize_to(sr, (height, width))
        return to_deep_frames(sr) if self._deep else to_frames(sr)

    def _write(self, output: Output, item: _Upscaled) -> None:
        try:
            self._write_frame(output, item)
        except av.error.FFmpegError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise
            where = "after the last frame" if item.read.number == _LAST else f"at frame {item.read.number}"
            problem = f"the encoder or the container failed {where} ({reason_of(error)})"
            raise UserError(self._video.path, problem, "choose another codec= or container") from error

    def _write_frame(self, output: Output, item: _Upscaled) -> None:
        for packet in item.read.packets:
            output.carry(packet)
        number, picture = item.read.number, item.picture
        if number == _LAST:
            return
        part = self._segments.at(number)
        if picture is None:
            output.join(self._segments.packets(part, number))
            return
        alpha = item.read.alpha if has_alpha(self._planned.plan.video.pixel_format) else None
        alpha = None if alpha is None else resized_alpha(alpha, picture)
        packets = output.encode(self._encode(picture, alpha, item.read.captioned), number)
        if item.state is not None:
            packets += output.end_segment()
        self._segments.add(part, packets)
        output.join(packets)
        if item.state is not None:
            self._segments.finish(part, item.state)


def _tiled(network: StreamingNetwork, inference: Inference) -> StreamingNetwork:
    try:
        return Tiled(network, inference.tile, inference.overlap) if inference.tile else network
    except ValueError as error:
        subject = f"tile={inference.tile} overlap={inference.overlap}"
        raise UserError(subject, str(error), "tile=0 runs whole frames") from error
