"""The provenance record that is written next to an upscaled file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from vsr_lab.core.files import digest_of
from vsr_lab.core.records.deployment import Plan, Provenance, UpscaleJob, VideoFacts, VideoPlan
from vsr_lab.deployment.bundle import Bundle
from vsr_lab.deployment.streams.frames import MATRICES
from vsr_lab.video import VideoFile
from vsr_lab.video.color_conversion import bits_of
from vsr_lab.video.disclosure import DISCLOSURE


@dataclass(frozen=True)
class Running:
    """Facts about how the network was run, for the provenance record.

    Args:
        tile, overlap: size and overlap of the tiles in LR pixels; 0: whole frames.
        cuts: numbers of the first frames of scenes; None if scene cuts were not detected.
        frame_hashes: perceptual hash of the first frame of each second.
        repeats: number of frames that were skipped as repeats.
    """

    tile: int
    overlap: int
    cuts: list[int] | None
    frame_hashes: list[str]
    repeats: int = 0


def provenance_of(
    video: VideoFile,
    source: VideoFacts,
    output: VideoFacts,
    *,
    plan: Plan,
    bundle: Bundle,
    running: Running,
) -> Provenance:
    """Make the provenance record of an upscaled file.

    Args:
        video: the opened source.
        source, output: results of `source_facts` and `output_facts`.
        plan: plan of the output.
        bundle: the bundle.
        running: how the network was run.
    """
    return Provenance(
        disclosure=DISCLOSURE,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        output=output,
        **vars(video.read_options),
        damage=str(video.damage) if video.read_options.damaged else "",
        frames=video.frames,
        scale=bundle.network.scale,
        bundle=bundle.manifest.name,
        bundle_sha256=bundle.manifest.sha256,
        plan=plan,
        **vars(running),
        versions={name: version(name) for name in ("vsr-lab", "onnxruntime", "av")},
    )


def job_of(
    video: VideoFile, plans: Sequence[Plan], bundle: Bundle, *, running: Running, background: str | None
) -> UpscaleJob:
    """Make the record by which an interrupted upscaling is recognised: all settings on which the output depends."""
    files = [path.stat() for path in (video.path.iterdir() if video.path.is_dir() else [video.path])]
    runtime = plans[0].runtime
    if runtime:
        runtime = runtime.model_copy(update={"psnr": None, "speed": None, "refused": []})
    unmeasured = {"tile": 0, "memory_bytes": 0, "runtime": runtime}  # the tile is in the job, the memory an estimate
    plan, *others = (plan.model_copy(update=unmeasured) for plan in plans)
    return UpscaleJob(
        source=video.path.name,
        size=sum(file.st_size for file in files),
        modified=max(file.st_mtime_ns for file in files),
        bundle=bundle.manifest.fingerprint,
        plan=plan,
        others=others,
        **vars(video.read_options),
        background=background,
        tile=running.tile,
        overlap=running.overlap,
        watch_cuts=running.cuts is not None,
        versions={name: version(name) for name in ("vsr-lab", "onnxruntime", "torch", "av")},
    )


def source_facts(video: VideoFile, digest: str) -> VideoFacts:
    """Facts about the source for the provenance record; digest: SHA-256 of the file."""
    height, width = video.size
    color = vars(video.probe.colour)
    return VideoFacts(file=video.path.name, sha256=digest, size=(width, height), bits=video.probe.bits, **color)


def output_facts(name: str, path: Path, video: VideoPlan) -> VideoFacts:
    """Facts about an output for the provenance record.

    Args:
        name: file name to record.
        path: the complete file, possibly under a temporary name.
        video: how the video is encoded.
    """
    matrix = "rgb" if video.matrix == 0 else MATRICES.get(video.matrix, "bt709")
    bits, full = bits_of(video.pixel_format), video.range == "full"
    return VideoFacts(file=name, sha256=digest_of(path), size=video.size, bits=bits, matrix=matrix, full_range=full)
