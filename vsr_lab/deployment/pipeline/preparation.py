"""Preparation of an upscaling: settings, plan, and opening of the network in the planned runtime."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch

from vsr_lab.core.errors import UserError, is_out_of_memory, reported
from vsr_lab.core.network import FrameStream, StreamingNetwork
from vsr_lab.core.progress import progress_bar, report
from vsr_lab.core.records.deployment import Runtime
from vsr_lab.core.tile import Tiled
from vsr_lab.deployment.bundle import Bundle
from vsr_lab.deployment.pipeline.conversion import source_grain, with_grain
from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.planning.outputs import check_input
from vsr_lab.deployment.planning.plan import make_plan
from vsr_lab.deployment.runtimes import DEFAULT, RuntimeOptions, choose_runtime, open_runtime
from vsr_lab.deployment.runtimes.memory import SMALLEST, fitting_tile, needed_memory, total_memory
from vsr_lab.deployment.runtimes.torch import bundled_network
from vsr_lab.deployment.streams.output import Planned
from vsr_lab.video import ReadOptions, VideoFile

MATCH = Encoding()
_SOON = 2**28  # bytes that are read without a progress bar
_SAFE = 0.2  # share of the allowed memory below which no frame is tried


@dataclass(frozen=True)
class Inference:
    """How the network is run on a video: tiling, scene cut detection, and repeated frames.

    Args:
        tile: height and width in LR pixels of the tiles in which frames are processed to limit memory; 0: whole frames;
            None: the largest tiles for which memory suffices.
        overlap: width in LR pixels of the margin on each side of a tile, which is processed too and then discarded.
        watch_cuts: reset the state of the network at scene cuts.
        skip_repeats: do not run the network on a frame that repeats the previous frame; see
            `vsr_lab.core.network.is_repeat`.
        share: fraction of the memory of the machine or of the GPU that the network may use if tile is None, in (0, 1].
    """

    tile: int | None = 0
    overlap: int = 16
    watch_cuts: bool = True
    skip_repeats: bool = False
    share: float = 0.5

    @property
    def tiling(self) -> tuple[int, int]:
        """Size and overlap of the tiles in LR pixels; (0, 0) for whole frames, or if the size is not chosen yet."""
        return (self.tile, self.overlap) if self.tile else (0, 0)


WHOLE_FRAMES = Inference()


@dataclass(frozen=True)
class UpscaleSettings:
    """Settings by which the files of a batch are upscaled, one after another or in parallel.

    Args:
        runtime: options for the library, device and precision that run the network.
        encoding, inference, overwrite: as in `upscale`.
        lead_in: number of frames before each segment that the network processes first if segments run in parallel.
    """

    runtime: RuntimeOptions = DEFAULT
    encoding: Encoding = MATCH
    inference: Inference = WHOLE_FRAMES
    lead_in: int = 16
    overwrite: bool = False


def open_source(source: Path, encoding: Encoding, read_options: ReadOptions) -> VideoFile:
    """Open the part of a source that `encoding.start` and `encoding.stop` select.

    HDR is read without tone mapping if `encoding.hdr` is True and `read_options` sets no tone mapping.
    """
    check_input(source)
    if read_options.tone_map is None and encoding.hdr:
        read_options = replace(read_options, tone_map="keep")
    size = source.stat().st_size
    with progress_bar(f"reading the index of {source.name}", size, "bytes", shown=size > _SOON) as update:
        video = VideoFile(source, read_options, lambda position: update(completed=position))
    if source.is_dir():
        video = video.at_rate(encoding.rate or Fraction(25))
    elif encoding.rate:
        raise UserError(
            "rate", f"is only for folders of images, and {source.name} is a video with its own rate", "remove rate="
        )
    return video.part(encoding.start, encoding.stop)


def open_plans(
    bundle: Bundle, source: Path, outputs: Mapping[Path, Encoding], read_options: ReadOptions
) -> tuple[VideoFile, list[Planned]]:
    """Open a source and make the plan of each output.

    The plans contain the fastest runtime that the options `bundle.runtime` allow. If `bundle.runtime` is None, they
    contain no runtime.
    """
    encodings = [*outputs.values()]
    strict = replace(encodings[0], hdr=all(encoding.hdr for encoding in encodings))
    video = open_source(source, strict, read_options)
    planned = [
        make_plan(video, output, scale=bundle.network.scale, bundle=bundle.manifest, encoding=encoding)
        for output, encoding in outputs.items()
    ]
    grain = source_grain(video) if any(encoding.grain for encoding in encodings) else []
    runtime = choose_runtime(bundle.folder, bundle.manifest, bundle.runtime, video.size) if bundle.runtime else None
    for i, encoding in enumerate(encodings):
        plan = with_grain(planned[i].plan, grain, encoding.grain) if encoding.grain else planned[i].plan
        planned[i] = replace(planned[i], plan=plan.model_copy(update={"runtime": runtime}))
    return video, planned


def open_network(bundle: Bundle, runtime: Runtime | None, inference: Inference = WHOLE_FRAMES) -> StreamingNetwork:
    """Open the network of a bundle in a runtime (None: `bundle.network`), in tiles if `inference.tile` is set."""
    network = open_runtime(bundle.folder, bundle.manifest, runtime) if runtime else bundle.network
    subject = f"tile={inference.tile} overlap={inference.overlap}"
    with reported(ValueError, subject, "{}", "change tile= and overlap=, or set tile=0 to process whole frames"):
        return Tiled(network, inference.tile, inference.overlap) if inference.tile else network


def fit(
    bundle: Bundle, planned: Planned, size: tuple[int, int], inference: Inference
) -> tuple[Planned, StreamingNetwork, Inference]:
    """Open the network in the planned runtime and, if no tile size is set, with the largest tiles that fit into memory.

    A tile may use the fraction `inference.share` of the memory of the GPU or machine, by an estimate. If the estimate
    exceeds a fifth of this limit, one frame is processed as a test, and the tile size is halved until memory suffices.

    Args:
        bundle: the bundle.
        planned: the plan, which states the runtime.
        size: height and width of the LR frames.
        inference: tiling. The tile size is only chosen if it is None; otherwise it is not changed.

    Returns:
        The plan with tile size and estimated memory, the network, and `inference` with the tile size.
    """
    plan, tile = planned.plan, inference.tile
    pixel = needed_memory(bundled_network(bundle.folder) if plan.runtime else bundle.network, plan.runtime, 1)
    allowed = total_memory(plan.runtime.device if plan.runtime else "cpu") * inference.share / pixel
    if tile is None:
        tile = fitting_tile(size, inference.overlap, allowed)
    while True:
        fitted = replace(inference, tile=tile)
        pixels = min(size[0] * size[1], ((tile or max(size)) + 2 * inference.overlap) ** 2)
        try:
            network = open_network(bundle, plan.runtime, fitted)
            if inference.tile is None and pixels > _SAFE * allowed:
                FrameStream(network)(torch.zeros(3, *size))
        except Exception as error:
            if inference.tile is not None or tile == SMALLEST or not is_out_of_memory(error):
                raise
            tile = max(SMALLEST, (tile or max(size)) // 2 // SMALLEST * SMALLEST)
            report(f"out of memory; trying again with tile={tile}")
            continue
        facts = {"tile": tile, "skip_repeats": fitted.skip_repeats, "memory_bytes": plan.memory_bytes + pixels * pixel}
        return replace(planned, plan=plan.model_copy(update=facts)), network, fitted
