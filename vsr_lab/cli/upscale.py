"""vsr-lab upscale: a video file through a bundle."""

from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import plain
from vsr_lab.cli.show import show_files
from vsr_lab.deployment import Encoding, open_bundle, upscale
from vsr_lab.video import ReadOptions


def run(cfg: DictConfig) -> None:
    """Write the upscaled file and its provenance."""
    output = Path(cfg.output)
    bundle = open_bundle(Path(cfg.bundle))
    pixel_format = cfg.pixel_format or bundle.manifest.pixel_format or "yuv420p"
    encoding = Encoding(cfg.codec, pixel_format, {key: str(value) for key, value in plain(cfg.options).items()})
    read_options = ReadOptions(cfg.deinterlace, cfg.tone_map, cfg.damaged)
    provenance = upscale(
        bundle,
        Path(cfg.input),
        output,
        encoding=encoding,
        tile=cfg.tile,
        overlap=cfg.overlap,
        overwrite=cfg.overwrite,
        read_options=read_options,
        watch_cuts=cfg.watch_cuts,
    )
    width, height = provenance.output.size
    show_files(
        f"upscaled {provenance.frames} frames to {width}x{height}",
        {"video": output, "provenance": output.with_name(output.name + ".provenance.json")},
    )
