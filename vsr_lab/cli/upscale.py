"""vsr-lab upscale: a video file upscaled by a bundle."""

from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import plain
from vsr_lab.cli.show import show_files
from vsr_lab.deployment import Encoding, Tiling, upscale
from vsr_lab.video import ReadOptions


def run(cfg: DictConfig) -> None:
    """Write the upscaled file and its provenance."""
    output = Path(cfg.output)
    options = {key: str(value) for key, value in plain(cfg.options).items()}
    provenance = upscale(
        cfg.bundle,
        cfg.input,
        output,
        encoding=Encoding(cfg.codec, cfg.pixel_format or "", options),
        tiling=Tiling(cfg.tile, cfg.overlap),
        overwrite=cfg.overwrite,
        read_options=ReadOptions(cfg.deinterlace, cfg.tone_map, cfg.damaged),
        watch_cuts=cfg.watch_cuts,
    )
    width, height = provenance.output.size
    show_files(
        f"upscaled {provenance.frames} frames to {width}x{height}",
        {"video": output, "provenance": output.with_name(output.name + ".provenance.json")},
    )
