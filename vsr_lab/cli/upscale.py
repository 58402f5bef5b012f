"""vsr-lab upscale: a video file upscaled by a bundle."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import build, plain
from vsr_lab.cli.show import console, show_files, show_table
from vsr_lab.core.records.deployment import Plan
from vsr_lab.deployment import Encoding, Tiling, plan_upscale, upscale
from vsr_lab.video import ReadOptions

_GIB = 2**30


def run(cfg: DictConfig) -> None:
    """Upscale a file and write its provenance, or print the plan."""
    output, encoding = Path(cfg.output), _encoding(cfg)
    read_options = ReadOptions(cfg.deinterlace, cfg.tone_map, cfg.damaged)
    if cfg.plan:
        show_plan(
            plan_upscale(cfg.bundle, cfg.input, output, encoding=encoding, read_options=read_options),
            refused=cfg.unsupported is None,
        )
        return
    provenance = upscale(
        cfg.bundle,
        cfg.input,
        output,
        encoding=encoding,
        tiling=Tiling(cfg.tile, cfg.overlap),
        overwrite=cfg.overwrite,
        read_options=read_options,
        watch_cuts=cfg.watch_cuts,
    )
    width, height = provenance.output.size
    show_files(
        f"upscaled {provenance.frames} frames to {width}x{height}",
        {"video": output, "provenance": output.with_name(output.name + ".provenance.json")},
    )
    for what, items in {"converted": provenance.plan.converted, "dropped": provenance.plan.dropped}.items():
        for item in items:
            console.print(f"  {what:<10} {item}", soft_wrap=True, markup=False)


def _encoding(cfg: DictConfig) -> Encoding:
    """The preset, with what the user set beside it."""
    preset: Encoding = build(cfg.preset)
    given: Mapping[str, object] = plain(cfg.options)
    return replace(
        preset,
        codec=cfg.codec or preset.codec,
        pixel_format=cfg.pixel_format or preset.pixel_format,
        options={key: str(value) for key, value in given.items()},
        audio=cfg.audio,
        unsupported=cfg.unsupported,
        background=cfg.background,
    )


def show_plan(plan: Plan, refused: bool) -> None:
    """Print a plan as a table; `refused` means that the command refuses the file because of what would be dropped."""
    video = plan.video
    rows = [
        (str(s.index), s.kind, s.codec, s.action, " ".join(part for part in (s.to, s.note) if part))
        for s in plan.streams
    ]
    show_table(f"{plan.preset} -> {plan.container}", ("stream", "kind", "codec", "action", "to"), rows, texts=5)
    colors = f"primaries {video.primaries}, transfer {video.transfer}, matrix {video.matrix}, {video.range} range"
    options = " ".join(f"{key}={value}" for key, value in video.options.items())
    width, height = video.size
    lines = {
        "video": f"{width}x{height} {video.pixel_format}, {plan.frames} frames at {video.rate}, {colors}; {options}",
        "kept": f"{plan.chapters} chapters, tags: {', '.join(plan.tags) or 'none'}",
        "converted": "; ".join(plan.converted) or "nothing",
        "refused" if refused and plan.dropped else "dropped": "; ".join(plan.dropped) or "nothing",
        "size": f"about {plan.output_bytes / 2**20:.0f} MiB",
        "time": "unknown" if plan.seconds is None else f"about {plan.seconds:.0f} s for the network",
        "memory": f"about {plan.memory_bytes / _GIB:.1f} GiB beside the network",
    }
    for name, text in lines.items():
        console.print(f"  {name:<10} {text}", soft_wrap=True, markup=False)
