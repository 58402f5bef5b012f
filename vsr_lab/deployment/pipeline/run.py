"""Upscaling of a video file with a bundle into a new file, whose metadata says so. The source is only read."""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import torch

from vsr_lab.core.cuts import SceneCutDetector
from vsr_lab.core.files import atomic_path
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.records import write_record
from vsr_lab.core.records.deployment import Plan, Provenance, VideoFacts
from vsr_lab.core.signals import pass_signals
from vsr_lab.deployment.bundle import Bundle, open_bundle
from vsr_lab.deployment.pipeline.conversion import FrameConversion
from vsr_lab.deployment.pipeline.evidence import FlipEnsemble, record_evidence
from vsr_lab.deployment.pipeline.preparation import MATCH, WHOLE_FRAMES, Inference, fit, open_plans
from vsr_lab.deployment.pipeline.record import Running, job_of, output_facts, provenance_of
from vsr_lab.deployment.pipeline.segments import Segments
from vsr_lab.deployment.pipeline.three_stages import ThreeStages
from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.planning.outputs import atomic_output, atomic_sidecar, check_paths, whole_output
from vsr_lab.deployment.planning.plan import check_disclosed
from vsr_lab.deployment.provenance import FrameHashes, Upscaling, provenance_path
from vsr_lab.deployment.streams.output import Planned
from vsr_lab.video import REFUSE, ReadOptions, VideoFile

_Files: TypeAlias = tuple[Path, Path, Path | None]  # the output, its provenance and its Content Credentials


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
    """Upscale a video file and write OUTPUT.provenance.json next to it. Timestamps and other streams are kept.

    Finished segments are kept in OUTPUT.segments until the output is complete. If the call is interrupted, the same
    call continues after the last finished segment.

    Args:
        bundle: the result of `open_bundle`, or the folder of a bundle, which is then opened with the default runtime
            options.
        source: a video file, or a folder of images.
        output: file to write, or a sequence of images in a new folder, such as FOLDER/%06d.png. An existing file is
            replaced only if `overwrite` is set, an existing folder never.
        encoding: settings of the output; by default those of the source are kept.
        inference: how the network is run: tiling, scene cut detection, and repeated frames.
        read_options: how to read interlaced, HDR and damaged files.

    Returns:
        The content of the provenance file: source, output, bundle and settings.

    Raises:
        Refusal: the output of every runtime differs too much from that of the network in torch.
        UserError: the bundle is incomplete, a file to write exists, the source cannot be read or is damaged, a stream
            or property of the source cannot be kept, or the encoder or the container does not support the settings.

    Example:
        >>> provenance = vsr_lab.upscale("bundle", "footage/a.mkv", "large.mp4")
        >>> provenance.frames, provenance.output.size
        (24, (160, 128))
    """
    return upscale_all(
        bundle, source, {Path(output): encoding}, inference=inference, read_options=read_options, overwrite=overwrite
    )[0]


def upscale_all(
    bundle: Bundle | Path | str,
    source: Path | str,
    outputs: Mapping[Path, Encoding],
    *,
    inference: Inference = WHOLE_FRAMES,
    read_options: ReadOptions = REFUSE,
    overwrite: bool = False,
) -> list[Provenance]:
    """Upscale a source into several files at once: it is decoded once, and the network is run once.

    Args:
        bundle, source, inference, read_options, overwrite: as in `upscale`.
        outputs: files to write, each with its settings. The settings must be equal in start, stop, rate and background.
            Finished segments are kept in OUTPUT.segments beside the first file. `Encoding.evidence` requires that there
            is only one file.

    Returns:
        The content of the provenance file of each output.

    Raises:
        Refusal, UserError: as in `upscale`, for any of the outputs. Paths, plans and the runtime are checked before the
            first frame is upscaled.
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    source, (first, encoding) = Path(source), next(iter(outputs.items()))
    for output, own in outputs.items():
        check_paths(source, output, own, bundle=bundle.folder, overwrite=overwrite)
    video, planned = open_plans(bundle, source, outputs, read_options)
    for output, plan in zip(outputs, planned, strict=True):
        check_disclosed(plan.plan, output)
    fitted, network, inference = fit(bundle, planned[0], video.size, inference)
    shared = fitted.plan.model_dump(include={"tile", "skip_repeats", "memory_bytes"})
    shared["segments"] = min((plan.plan.segments for plan in planned), key=len)
    planned = [replace(plan, plan=plan.plan.model_copy(update=shared)) for plan in planned]
    network = FlipEnsemble(network) if encoding.evidence else network
    watch, hashes = SceneCutDetector() if inference.watch_cuts else None, FrameHashes()
    running = Running(*inference.tiling, watch.found if watch else None, hashes.values)
    job = job_of(video, [plan.plan for plan in planned], bundle, running=running, background=encoding.background)
    deliveries = [_Delivery(*item, plan) for item, plan in zip(outputs.items(), planned, strict=True)]
    conversions = [FrameConversion(video, one.planned, one.encoding, hashes=hashes) for one in deliveries]
    with Segments(whole_output(first), job) as segments, ExitStack() as stack:
        files = [stack.enter_context(one.files(overwrite)) for one in deliveries]
        evidence = record_evidence(whole_output(first), video, planned[0], network=network, overwrite=overwrite)
        upscaling = ThreeStages(video, planned, conversions, segments=segments)
        facts = upscaling.write([temporary for temporary, _, _ in files], network, watch, stack.enter_context(evidence))
        running = replace(running, repeats=upscaling.repeats)
        made = [
            replace(one, planned=convert.planned).record(file, video, facts, bundle=bundle, running=running)
            for one, convert, file in zip(deliveries, conversions, files, strict=True)
        ]
        pass_signals()  # all are complete, and are moved into place
    return made


@dataclass(frozen=True)
class _Delivery:
    """An output with its settings and its plan."""

    output: Path
    encoding: Encoding
    planned: Planned

    @contextmanager
    def files(self, overwrite: bool) -> Generator[_Files]:
        """Context manager of temporary paths, which are moved into place at its end. Other files are not changed."""
        # The provenance is renamed after the video, so that neither ever exists alone.
        with (
            atomic_path(provenance_path(whole_output(self.output)), overwrite) as note,
            atomic_sidecar(self.output, self.planned.plan.container, self.encoding.signer, overwrite) as sidecar,
            atomic_output(self.output, overwrite) as video,
        ):
            yield video, note, sidecar

    def record(
        self, files: _Files, video: VideoFile, facts: VideoFacts, *, bundle: Bundle, running: Running
    ) -> Provenance:
        """Sign the output, and write its provenance."""
        (output, note, sidecar), plan, signer = files, self.planned.plan, self.encoding.signer
        if signer:
            manifest, name = bundle.manifest, self.output.name
            claims = Upscaling(name, video.path, facts, manifest.name, manifest.fingerprint, manifest.scale)
            signer.sign(output, plan.container, claims, sidecar)
        made = output_facts(whole_output(self.output).name, whole_output(output), plan.video)
        provenance = provenance_of(video, facts, made, plan=plan, bundle=bundle, running=running)
        write_record(note, provenance)
        return provenance


def plan_upscale(
    bundle: Bundle | Path | str,
    source: Path | str,
    output: Path | str,
    *,
    encoding: Encoding = MATCH,
    inference: Inference = WHOLE_FRAMES,
    read_options: ReadOptions = REFUSE,
) -> Plan:
    """Plan an upscaling without writing the output: streams, encoding, estimated time and size.

    The arguments are those of `upscale`; `output` may exist. A stream or property that cannot be kept is listed in the
    plan and raises no error.
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    source, output = Path(source), Path(output)
    listed = replace(encoding, unsupported=encoding.unsupported or "drop")
    video, (planned,) = open_plans(bundle, source, {output: listed}, read_options)
    planned, network, _ = fit(bundle, planned, video.size, inference)
    return planned.plan.model_copy(update={"seconds": _timed(network, video.size) * video.frames})


def _timed(network: StreamingNetwork, size: tuple[int, int]) -> float:
    """Measured time of the network per frame, in seconds; size: height and width of LR."""
    start, frame = datetime.now(UTC), torch.zeros(3, *size)
    count = sum(1 for _ in stream(network, [frame] * 3))
    return (datetime.now(UTC) - start).total_seconds() / count
