"""Upscaling of a video file with a bundle into a new, tagged file. The source is only read."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from vsr_lab.core.cuts import SceneCutDetector
from vsr_lab.core.files import atomic_path
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.records import write_record
from vsr_lab.core.records.deployment import Plan, Provenance
from vsr_lab.core.signals import pass_signals
from vsr_lab.deployment.bundle import Bundle, open_bundle
from vsr_lab.deployment.pipeline.evidence import FlipEnsemble, record_evidence
from vsr_lab.deployment.pipeline.preparation import MATCH, WHOLE_FRAMES, Inference, fit, open_plan
from vsr_lab.deployment.pipeline.record import Running, claims_of, job_of, output_facts, provenance_of
from vsr_lab.deployment.pipeline.segments import Segments
from vsr_lab.deployment.pipeline.three_stages import ThreeStages
from vsr_lab.deployment.planning.containers import whole_output
from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.planning.paths import atomic_output, atomic_sidecar, check_paths
from vsr_lab.deployment.planning.plan import check_disclosed
from vsr_lab.deployment.provenance import FrameHashes, provenance_path
from vsr_lab.video import REFUSE, ReadOptions


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

    Finished segments are kept in OUTPUT.segments until the output is complete. If the call is interrupted, the same
    call continues after the last finished segment.

    Args:
        bundle: folder of a bundle, or the result of `open_bundle` if the runtime is to be chosen.
        source, output: video files; an existing output is replaced only if `overwrite` is set.
        encoding: settings of the output; by default those of the source are kept.
        inference: how the network is run: tiling, scene cut detection, and repeated frames.
        read_options: how to read interlaced, HDR and damaged files.

    Returns:
        The content of the provenance file: source, output, bundle and settings.

    Raises:
        Refusal: the output of the runtime differs too much from that of the network.
        UserError: the bundle is incomplete, output exists, source cannot be read, or one of its streams cannot be kept.

    Example:
        >>> provenance = vsr_lab.upscale("bundle", "footage/a.mkv", "large.mp4")
        >>> provenance.frames, provenance.output.size
        (24, (160, 128))
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    source, output, whole = Path(source), Path(output), whole_output(Path(output))
    check_paths(source, output, encoding, bundle=bundle.folder, overwrite=overwrite)
    video, planned = open_plan(bundle, source, output, encoding=encoding, read_options=read_options)
    check_disclosed(planned.plan, output)
    planned, network, inference = fit(bundle, planned, video.size, inference)
    network = FlipEnsemble(network) if encoding.evidence else network
    watch = SceneCutDetector() if inference.watch_cuts else None
    hashes = FrameHashes()
    running = Running(*inference.tiling, watch.found if watch else None, hashes.values)
    job = job_of(video, planned.plan, bundle=bundle, running=running, background=encoding.background)
    segments = Segments(whole, job)
    upscaling = ThreeStages(video, planned, encoding, segments=segments, hashes=hashes)
    # The provenance is renamed after the video, so that neither ever exists alone. Files of other processes are kept.
    with (
        segments,
        atomic_path(provenance_path(whole), overwrite) as note,
        atomic_sidecar(output, planned.plan.container, encoding.signer, overwrite) as sidecar,
        record_evidence(whole, video, planned, network, overwrite) as evidence,
        atomic_output(output, overwrite) as temporary,
    ):
        facts = upscaling.write(temporary, network, watch, evidence)
        if encoding.signer:
            container, claims = planned.plan.container, claims_of(output.name, video.path, facts, bundle.manifest)
            encoding.signer.sign(temporary, container, claims, sidecar)
        made = output_facts(whole.name, whole_output(temporary), planned.plan.video)
        running = replace(running, repeats=upscaling.repeats)
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
    inference: Inference = WHOLE_FRAMES,
    read_options: ReadOptions = REFUSE,
) -> Plan:
    """Plan an upscaling without writing anything: streams, encoding, estimated time and size.

    The arguments are those of `upscale`. Streams and properties that cannot be kept do not raise an error; the plan
    lists them.
    """
    bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    source, output = Path(source), Path(output)
    listed = replace(encoding, unsupported=encoding.unsupported or "drop")
    video, planned = open_plan(bundle, source, output, encoding=listed, read_options=read_options)
    planned, network, _ = fit(bundle, planned, video.size, inference)
    return planned.plan.model_copy(update={"seconds": _timed(network, video.size) * video.frames})


def _timed(network: StreamingNetwork, size: tuple[int, int]) -> float:
    """Measured time of the network per frame, in seconds; size: height and width of LR."""
    start, frame = datetime.now(UTC), torch.zeros(3, *size)
    count = sum(1 for _ in stream(network, [frame] * 3))
    return (datetime.now(UTC) - start).total_seconds() / count
