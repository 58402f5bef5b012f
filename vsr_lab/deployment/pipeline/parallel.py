"""Upscaling of one file in parallel: segments are upscaled separately, each after a lead-in of a few frames."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from vsr_lab.core.cuts import MEMORY, SceneCutDetector, no_cut
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, sha256, sync
from vsr_lab.core.network import FrameStream, StreamingNetwork
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records.deployment import Provenance, Runtime
from vsr_lab.deployment.bundle import open_bundle
from vsr_lab.deployment.pipeline.conversion import FrameConversion
from vsr_lab.deployment.pipeline.preparation import Inference, UpscaleSettings, fit, open_network, open_plans
from vsr_lab.deployment.pipeline.reading import read_frames
from vsr_lab.deployment.pipeline.record import Running, job_of
from vsr_lab.deployment.pipeline.run import upscale
from vsr_lab.deployment.pipeline.segments import Part, Segments, write_packets
from vsr_lab.deployment.planning.outputs import check_paths, whole_output
from vsr_lab.deployment.planning.plan import check_disclosed
from vsr_lab.deployment.provenance import FrameHashes
from vsr_lab.deployment.streams.output import Planned, SegmentEncoder
from vsr_lab.fleet import Executor
from vsr_lab.video import REFUSE, ReadOptions, VideoFile


def upscale_in_parallel(
    bundle: Path,
    source: Path,
    output: Path,
    executor: Executor,
    *,
    settings: UpscaleSettings,
    read_options: ReadOptions = REFUSE,
) -> Provenance:
    """Upscale a video like `vsr_lab.upscale`, but upscale several segments at the same time and then join them.

    The network starts `settings.lead_in` frames before each segment, with its initial state. The output for these
    frames is discarded. If `settings.inference.watch_cuts` is set, the state is reset at scene cuts.

    Args:
        bundle: folder of the bundle.
        source, output: video files.
        executor: runs one task for each segment that is not finished yet.
        settings: settings of the output and of the network.
        read_options: how to read interlaced, HDR and damaged files.

    Raises:
        Refusal, UserError: as in `upscale`, or a segment failed. Finished segments are kept for the next call.
    """
    opened = open_bundle(bundle, settings.runtime)
    encoding, inference = replace(settings.encoding, lead_in=settings.lead_in), settings.inference
    check_paths(source, output, encoding, bundle=bundle, overwrite=settings.overwrite)
    video, (planned,) = open_plans(opened, source, {output: encoding}, read_options)
    check_disclosed(planned.plan, output)
    planned, _, inference = fit(opened, planned, video.size, inference)
    settings = replace(settings, inference=inference)
    if len(planned.plan.segments) > 1:
        cuts = [] if inference.watch_cuts else None
        running = Running(*inference.tiling, cuts, [])
        job = job_of(video, [planned.plan], opened, running=running, background=encoding.background)
        work = _SegmentWork(bundle.absolute(), video, planned, replace(settings, encoding=encoding))
        with Segments(whole_output(output).absolute(), job, record_only=True) as segments:
            _fill(segments, work, executor)
    return upscale(
        opened,
        source,
        output,
        encoding=encoding,
        inference=inference,
        read_options=read_options,
        overwrite=settings.overwrite,
    )


def _fill(segments: Segments, work: "_SegmentWork", executor: Executor) -> None:
    """Upscale the segments that are not finished. Raises UserError if one failed."""
    tasks = {f"frames {part.first} to {part.last}": part for part in segments.unfinished}
    errors: list[str] = []
    with progress_bar("upscaling", sum(part.last + 1 - part.first for part in tasks.values()), "frames") as update:
        places = {key: (part, segments.packet_file(part)) for key, part in tasks.items()}
        for outcome in executor.run(work, places):
            part = tasks[outcome.key]
            if outcome.result is None:
                errors.append(f"{outcome.key}: {outcome.error}")
            else:
                segments.record(part, outcome.result)
            update(advance=part.last + 1 - part.first)
    if errors:
        problem = f"{len(errors)} of {len(tasks)} segments failed ({errors[0]})"
        raise UserError(segments.folder, problem, "run the same command again to upscale these segments")


@dataclass(frozen=True)
class _SegmentWork:
    """Upscales one segment into a file of packets. It can be pickled."""

    bundle: Path
    video: VideoFile
    planned: Planned
    settings: UpscaleSettings

    def __call__(self, task: tuple[Part, Path]) -> str:
        """Upscale a segment and write its packets to the path. Returns the SHA-256 of the file."""
        (part, path), planned, plan = task, self.planned, self.planned.plan
        self.video.check(part.first, part.last + 1)  # else damage were found when the segments are joined
        convert = FrameConversion(self.video, planned, self.settings.encoding, hashes=FrameHashes())
        runtime = plan.runtime.model_dump_json() if plan.runtime else ""
        network = _network(self.bundle, runtime, self.settings.inference)
        watch = SceneCutDetector() if self.settings.inference.watch_cuts else no_cut
        process = FrameStream(network, watch, plan.skip_repeats)
        encoder = SegmentEncoder(plan, planned.survey, planned.timing)
        begin = max(0, part.first - (plan.lead_in or 0))
        with atomic_path(path) as temporary:
            with temporary.open("wb") as file:
                for read in read_frames(self.video, max(0, begin - MEMORY), part.last + 1):
                    lr = convert.tensor(read)
                    if read.number < begin:
                        process.skip(lr)
                        continue
                    if read.number == part.first:
                        process.forget()
                    sr = process(lr)
                    if read.number >= part.first:
                        frame = convert.encoded(convert.picture(sr, read.number), read)
                        write_packets(file, encoder.encode(frame, read.number))
                write_packets(file, encoder.finish())
            sync(temporary)
        return sha256(path)


@lru_cache(maxsize=1)
def _network(folder: Path, runtime: str, inference: Inference) -> StreamingNetwork:
    """Open the network of a bundle, once per process. runtime: the runtime as JSON; "": the bundle's own network."""
    opened = open_bundle(folder, None)
    return open_network(opened, Runtime.model_validate_json(runtime) if runtime else None, inference)
