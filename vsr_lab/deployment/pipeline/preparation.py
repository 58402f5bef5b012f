"""What an upscaling is prepared from: its settings, the plan, and the network in the runtime of the plan."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.core.records.deployment import Runtime
from vsr_lab.core.tile import Tiled
from vsr_lab.deployment.bundle import Bundle
from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.planning.paths import check_input
from vsr_lab.deployment.planning.plan import make_plan
from vsr_lab.deployment.runtimes import DEFAULT, RuntimeOptions, choose_runtime, open_runtime
from vsr_lab.deployment.streams.output import Planned
from vsr_lab.video import ReadOptions, VideoFile

MATCH = Encoding()


@dataclass(frozen=True)
class Inference:
    """Tiling and scene cut detection with which the network is run on a video.

    Args:
        tile: height and width of the tiles in which frames are processed, to limit memory, in LR pixels; 0: whole
            frames.
        overlap: overlap of neighbouring tiles, in LR pixels.
        watch_cuts: reset the state of the network at scene cuts.
    """

    tile: int = 0
    overlap: int = 16
    watch_cuts: bool = True

    @property
    def tiling(self) -> tuple[int, int]:
        """Size and overlap of the tiles; (0, 0) for whole frames."""
        return (self.tile, self.overlap) if self.tile else (0, 0)


WHOLE_FRAMES = Inference()


@dataclass(frozen=True)
class UpscaleSettings:
    """All parameters of `vsr_lab.upscale` except for the files.

    Args:
        runtime: options for the library, device and precision that run the network.
        encoding, inference, overwrite: as in `upscale`.
        lead_in: number of frames before each segment that the network processes first, if segments run in parallel.
    """

    runtime: RuntimeOptions = DEFAULT
    encoding: Encoding = MATCH
    inference: Inference = WHOLE_FRAMES
    lead_in: int = 16
    overwrite: bool = False


def open_source(source: Path, encoding: Encoding, read_options: ReadOptions) -> VideoFile:
    """Open the part of a source that is upscaled. HDR is kept unless read_options or the encoding exclude it."""
    check_input(source)
    if read_options.tone_map is None and encoding.hdr:
        read_options = replace(read_options, tone_map="keep")
    video = VideoFile(source, read_options=read_options)
    if source.is_dir():
        video = video.at_rate(encoding.rate or Fraction(25))
    elif encoding.rate:
        raise UserError("rate", f"{source.name} states its own times", "remove it; it is for folders of images")
    return video.part(encoding.start, encoding.stop)


def open_plan(
    bundle: Bundle, source: Path, output: Path, *, encoding: Encoding, read_options: ReadOptions
) -> tuple[VideoFile, Planned]:
    """Open a source and plan its upscaling, with the runtime of the bundle."""
    video = open_source(source, encoding, read_options)
    planned = make_plan(video, output, scale=bundle.network.scale, bundle=bundle.manifest, encoding=encoding)
    if bundle.runtime is None:
        return video, planned
    runtime = choose_runtime(bundle.folder, bundle.manifest, bundle.runtime, video.size)
    return video, replace(planned, plan=planned.plan.model_copy(update={"runtime": runtime}))


def open_network(bundle: Bundle, runtime: Runtime | None, inference: Inference = WHOLE_FRAMES) -> StreamingNetwork:
    """The network of a bundle in a runtime; None: as it is."""
    network = open_runtime(bundle.folder, bundle.manifest, runtime) if runtime else bundle.network
    return _tiled(network, inference)


def _tiled(network: StreamingNetwork, inference: Inference) -> StreamingNetwork:
    try:
        return Tiled(network, inference.tile, inference.overlap) if inference.tile else network
    except ValueError as error:
        subject = f"tile={inference.tile} overlap={inference.overlap}"
        raise UserError(subject, str(error), "tile=0 runs whole frames") from error
