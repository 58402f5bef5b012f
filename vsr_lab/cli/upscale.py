"""vsr-lab upscale: a video file upscaled by a bundle."""

from dataclasses import replace
from enum import IntEnum
from typing import Annotated, Literal, Self

from av.video.reformatter import ColorPrimaries, ColorTrc
from pydantic import Field, model_validator

from vsr_lab.cli.config import Bool, Command, Int, Reading
from vsr_lab.cli.show import console, show_files, show_table
from vsr_lab.core.parts import FilePath, Part, Text, describes
from vsr_lab.core.records.deployment import Plan, Runtime
from vsr_lab.deployment import Encoding, Tiling, open_bundle, plan_upscale, upscale
from vsr_lab.deployment.planning.plan import UNDISCLOSED
from vsr_lab.deployment.provenance import Signer, needs_sidecar, provenance_path, sidecar_path
from vsr_lab.deployment.runtimes import Backend, Device, Precision, RuntimeOptions
from vsr_lab.video import ReadOptions

_GIB = 2**30
# Options of encoders, or of x264-params and the like, that name a file or write one.
_FILES = {
    *("stats", "passlogfile", "pass", "dump-yuv", "qpfile", "csv", "recon", "log-file", "analysis-save"),
    *("analysis-load", "analysis-reuse-file", "zonefile", "lambda-file", "film-grain", "dhdr10-info"),
}
# Code points of ITU-T H.273.
_MATRICES = {0: "rgb", 1: "bt709", 2: "unspecified", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}


class UpscaleConfig(Command, Reading):
    """Upscale a video file with a bundle.

    Example: vsr-lab upscale bundle=BUNDLE input=in.mp4 output=out.mp4
    """

    bundle: FilePath
    input: FilePath
    output: FilePath
    preset: Annotated[Part[Encoding], describes(Encoding)]
    plan: Bool
    codec: Text | None
    pixel_format: Text | None
    options: dict[str, Text]
    audio: Literal["copy", "transcode", "drop"]
    unsupported: Literal["drop", "convert"] | None
    background: Text | None
    label: Literal["visible"] | None
    certificate: FilePath | None
    private_key: FilePath | None
    backend: Backend | Literal["auto"]
    device: Device | Literal["auto"]
    precision: Precision | Literal["auto"]
    threads: Annotated[Int, Field(ge=0, le=1024)]
    segment: Annotated[float, Field(gt=0, le=86400)] | None
    watch_cuts: Bool
    tile: Annotated[Int, Field(ge=0, le=65536)]
    overlap: Annotated[Int, Field(ge=0, le=4096)]

    @model_validator(mode="after")
    def _tiles_are_larger_than_their_margins(self) -> Self:
        if 0 < self.tile <= self.overlap:
            raise ValueError(f"tile must be > overlap={self.overlap} or 0, got {self.tile}")
        if 0 < self.tile < 8:
            raise ValueError(f"tile must be >= 8 or 0, got {self.tile}")
        return self

    @model_validator(mode="after")
    def _the_runtime_exists(self) -> Self:
        self.runtime()
        return self

    def runtime(self) -> RuntimeOptions:
        """How the network is run."""
        return RuntimeOptions(self.backend, self.device, self.precision, self.threads)

    @model_validator(mode="after")
    def _a_certificate_has_a_key(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key must be set together")
        return self

    @model_validator(mode="after")
    def _options_write_no_files(self) -> Self:
        for name, value in self.options.items():
            parts = value.split(":") if "params" in name or name == "x264opts" else []
            keys = {key.partition("=")[0].strip().replace("_", "-") for key in [name, *parts]}
            writing = sorted(keys & _FILES) or [name] * (name == "flags" and "pass" in value)
            if writing:
                raise ValueError(f"options.{name} must not set {writing[0]}, which could overwrite a file")
        return self

    def without_effect(self) -> dict[str, str]:
        return {} if self.tile else {"overlap": "tile is 0"}


def run(config: UpscaleConfig) -> None:
    """Upscale a file and write its provenance, or print the plan."""
    output, encoding = config.output, _encoding(config)
    read_options = ReadOptions(deinterlace=config.deinterlace, tone_map=config.tone_map, damaged=config.damaged)
    bundle = open_bundle(config.bundle, config.runtime())
    if config.plan:
        plan = plan_upscale(bundle, config.input, output, encoding=encoding, read_options=read_options)
        show_plan(plan, refused=config.unsupported is None or UNDISCLOSED in plan.dropped)
        return
    provenance = upscale(
        bundle,
        config.input,
        output,
        encoding=encoding,
        tiling=Tiling(config.tile, config.overlap),
        overwrite=config.overwrite,
        read_options=read_options,
        watch_cuts=config.watch_cuts,
    )
    width, height = provenance.output.size
    files = {"video": output, "provenance": provenance_path(output)}
    if config.certificate and needs_sidecar(provenance.plan.container):
        files["signed"] = sidecar_path(output)
    show_files(f"upscaled {provenance.frames} frames to {width}x{height}", files)
    console.print(f"  {'runtime':<10} {show_runtime(provenance.plan.runtime)}", soft_wrap=True, markup=False)
    for what, items in {"converted": provenance.plan.converted, "dropped": provenance.plan.dropped}.items():
        for item in items:
            console.print(f"  {what:<10} {item}", soft_wrap=True, markup=False)


def show_runtime(runtime: Runtime | None) -> str:
    """A runtime, with its trial if there was one."""
    if runtime is None:
        return ""
    speed = "" if runtime.speed is None else f", {runtime.speed:.1f} x the speed of torch in float32"
    psnr = "" if runtime.psnr is None else f", {runtime.psnr:.1f} dB to it"
    return "; refused: ".join([f"{runtime}{speed}{psnr}", *runtime.refused])


def _encoding(config: UpscaleConfig) -> Encoding:
    """The preset, with what the user set beside it."""
    preset = config.preset.build()
    certificate, key = config.certificate, config.private_key
    return replace(
        preset,
        codec=config.codec or preset.codec,
        pixel_format=config.pixel_format or preset.pixel_format,
        options=config.options,
        audio=config.audio,
        unsupported=config.unsupported,
        background=config.background,
        label=config.label or preset.label,
        segment=config.segment or preset.segment,
        signer=Signer(certificate, key) if certificate and key else None,
    )


def _name(codes: type[IntEnum], code: int) -> str:
    return next((known.name.lower() for known in codes if known == code), str(code))


def show_plan(plan: Plan, refused: bool) -> None:
    """Print a plan as a table; `refused` means that the command refuses the file because of what would be dropped."""
    video = plan.video
    rows = [
        (str(s.index), s.kind, s.codec, s.action, " ".join(part for part in (s.to, s.note) if part))
        for s in plan.streams
    ]
    show_table(f"{plan.preset} -> {plan.container}", ("stream", "kind", "codec", "action", "to"), rows, texts=5)
    primaries, transfer = _name(ColorPrimaries, video.primaries), _name(ColorTrc, video.transfer)
    matrix = _MATRICES.get(video.matrix, str(video.matrix))
    colors = f"{primaries} primaries, {transfer} transfer, {matrix} matrix, {video.range} range"
    options = " ".join(f"{key}={value}" for key, value in video.options.items())
    width, height = video.size
    lines = {
        "video": f"{width}x{height} {video.pixel_format}, {plan.frames} frames at {video.rate}, {colors}; {options}",
        "kept": f"{plan.chapters} chapters, tags: {', '.join(plan.tags) or 'none'}",
        "converted": "; ".join(plan.converted) or "nothing",
        "refused" if refused and plan.dropped else "dropped": "; ".join(plan.dropped) or "nothing",
        "runtime": show_runtime(plan.runtime),
        "segments": f"{len(plan.segments)}, of which finished ones are kept if the upscaling is interrupted",
        "size": f"about {plan.output_bytes / 2**20:.0f} MiB",
        "time": "unknown" if plan.seconds is None else f"about {plan.seconds:.0f} s for the network",
        "memory": f"about {plan.memory_bytes / _GIB:.1f} GiB beside the network",
    }
    for name, text in lines.items():
        console.print(f"  {name:<10} {text}", soft_wrap=True, markup=False)
