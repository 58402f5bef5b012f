"""vsr-lab upscale: upscaling of one video file or many with a bundle."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vsr_lab.cli.app import composed
from vsr_lab.cli.choosing import AUTO, Choosing
from vsr_lab.cli.configuration.overrides import given_words, key_of, quoted
from vsr_lab.cli.configuration.schema import Bool, Command, Count, Int, Reading, Section
from vsr_lab.cli.configuration.usage import options
from vsr_lab.cli.show import show_facts
from vsr_lab.cli.show_plan import plan_batch, show_plan, show_runtime, upscale_batch
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath, Number, Part, Text, describes
from vsr_lab.core.ranges import Transfer
from vsr_lab.core.records.deployment import Provenance
from vsr_lab.core.spec import same_fields
from vsr_lab.deployment import Encoding, Inference
from vsr_lab.deployment.pipeline import UpscaleSettings
from vsr_lab.deployment.planning.encoding import Rate
from vsr_lab.deployment.planning.outputs import whole_output
from vsr_lab.deployment.planning.plan import UNDISCLOSED
from vsr_lab.deployment.provenance import Signer, needs_sidecar, provenance_path, sidecar_path
from vsr_lab.deployment.runtimes import Backend, Device, Precision, RuntimeOptions
from vsr_lab.fleet import Executor, Local, Ray
from vsr_lab.video import ReadOptions
from vsr_lab.workflows.batch import Source, Task, Upscaler, find_sources, is_batch, other_files, tasks_of
from vsr_lab.workflows.preview import preview_of, write_picture

_NAMED = 5  # files of a folder that are no videos


class OutputConfig(Section):
    """A further output of `upscale`, from the same run of the network."""

    output: FilePath
    """File to write; for many files a folder."""
    preset: Text = "match"
    """Name of its preset."""
    height: Annotated[Int, Field(ge=8, le=65536)] | None = None
    """Height of the output in pixels; null: that of the network."""


class UpscaleConfig(Command, Reading, Choosing):
    """Upscale a video file, or many, with a bundle.

    Example: vsr-lab upscale bundle=BUNDLE input=in.mp4 output=out.mp4
    """

    overwrite: Bool = False
    """Whether existing output files are replaced."""
    bundle: FilePath
    input: FilePath
    output: FilePath
    outputs: list[OutputConfig]
    executor: Literal["local", "ray"]
    workers: Count
    lead_in: Annotated[Int, Field(ge=0, le=10_000)]
    preset: Annotated[Part[Encoding], describes(Encoding)]
    plan: Bool
    codec: Text | None
    pixel_format: Text | None
    options: dict[str, Text]
    audio: Literal["copy", "transcode", "drop"]
    unsupported: Literal["drop", "convert"] | None
    background: Text | None
    label: Literal["visible"] | None
    evidence: Bool
    certificate: FilePath | None
    private_key: FilePath | None
    backend: Backend | Literal["auto"]
    device: Device | Literal["auto"]
    precision: Precision | Literal["auto"]
    threads: Annotated[Int, Field(ge=0, le=1024)]
    rate: Rate | None
    transfer: Transfer | None
    start: Annotated[Number, Field(ge=0, le=1e6)]
    stop: Annotated[Number, Field(gt=0, le=1e6)] | None
    preview: Bool
    height: Annotated[Int, Field(ge=8, le=65536)] | None
    scale: Annotated[Number, Field(gt=0, le=16)] | None
    grain: Annotated[Number, Field(gt=0, le=1)] | None
    segment: Annotated[Number, Field(gt=0, le=86400)] | None
    watch_cuts: Bool
    repeats: Literal["run", "skip"]
    tile: Annotated[Int, Field(ge=0, le=65536)] | Literal["auto"]
    overlap: Annotated[Int, Field(ge=0, le=4096)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.tile != "auto" and 0 < self.tile <= self.overlap:
            raise ValueError(f"tile must be > overlap={self.overlap} or 0, got {self.tile}")
        if self.tile != "auto" and 0 < self.tile < 8:
            raise ValueError(f"tile must be >= 8 or 0, got {self.tile}")
        self.runtime()  # raises if there is no such one
        if (self.certificate is None) != (self.private_key is None):
            pair = ("private_key", "certificate") if self.certificate is None else ("certificate", "private_key")
            raise ValueError("{} cannot be used without {}=".format(*pair))
        others = {"preview=true": self.preview, "evidence=true": self.evidence}
        others["workers > 1 for one file"] = self.workers > 1 and not is_batch(self.input)
        if self.outputs and any(others.values()):
            raise ValueError(
                f"outputs cannot be combined with {' and '.join(name for name, given in others.items() if given)};"
                " remove one of them"
            )
        paths = [self.output.resolve(), *(one.output.resolve() for one in self.outputs)]
        if len({*paths}) < len(paths):
            raise ValueError("outputs must name files that differ from each other and from output")
        if self.preview and is_batch(self.input):
            raise ValueError(f"preview must be false for several files ({self.input}); set input= to one file")
        return self

    def runtime(self) -> RuntimeOptions:
        """Options for the library, device and precision that run the network."""
        return RuntimeOptions(self.backend, self.device, self.precision, self.threads)

    def without_effect(self) -> dict[str, str]:
        unused = {} if self.tile and self.tile != "auto" else {"overlap": f"tile is {self.tile}"}
        if self.bundle != AUTO:
            unused |= dict.fromkeys(Choosing.model_fields, "bundle is not auto")
        if self.evidence:
            unused["segment"] = "evidence is true"
        if self.workers == 1:
            unused["lead_in"] = "segments run in parallel only if workers > 1"
            unused |= {} if is_batch(self.input) else {"executor": "workers is 1"}
        return unused


def run(config: UpscaleConfig) -> None:
    """Upscale one or many files, and write a provenance record for each output.

    With plan=true, only the plan is printed. Raises Incomplete if some of many files were refused.
    """
    threads = config.threads or (max(1, (os.cpu_count() or 1) // config.workers) if config.workers > 1 else 0)
    settings = UpscaleSettings(
        replace(config.runtime(), threads=threads),
        _encoding(config),
        Inference(
            None if config.tile == "auto" else config.tile,
            config.overlap,
            config.watch_cuts,
            config.repeats == "skip",
            share=0.5 / config.workers,
        ),
        config.lead_in,
        config.overwrite,
    )
    upscaler = Upscaler(config.chooser() if config.bundle == AUTO else config.bundle, settings)
    read_options = ReadOptions(**same_fields(ReadOptions, config))
    executor = (Ray if config.executor == "ray" else Local)(config.workers)
    if is_batch(config.input):
        folders = {config.output: settings.encoding, **_others(config)}
        for folder in folders:
            if config.input.is_dir() and folder.resolve().is_relative_to(config.input.resolve()):
                problem = f"{folder} is in {config.input}, so that the outputs would be upscaled the next time"
                raise UserError("output", problem, "choose another folder")
        sources = find_sources(config.input, read_options)
        if config.input.is_dir() and (others := other_files(config.input, sources)):
            names = [str(path.relative_to(config.input)) for path in others[:_NAMED]]
            more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
            show_facts("", {"no video": ", ".join(names) + more})
        tasks = tasks_of(sources, folders)
        if config.plan:
            for n, (folder, encoding) in enumerate(folders.items()):
                own = [Task(task.source, task.outputs[n]) for task in tasks]
                plan_batch(own, folder, upscaler.encoded(encoding), executor)
        else:
            upscale_batch(tasks, [*folders], upscaler, executor)
    else:
        task = Task(Source(config.input, "", read_options), config.output)
        _upscale_one(config, *(preview_of(upscaler, task) if config.preview else (upscaler, task)), executor)


def _upscale_one(config: UpscaleConfig, upscaler: Upscaler, task: Task, executor: Executor) -> None:
    outputs = {task.output: upscaler.settings.encoding, **_others(config)}
    if config.plan:
        for output, encoding in outputs.items():
            plan = upscaler.encoded(encoding).plan(replace(task, output=output))
            show_plan(plan, refused=config.unsupported is None or UNDISCLOSED in plan.dropped)
    elif config.workers > 1:
        _show(config, upscaler, task, upscaler.upscale(task, executor)[0])
    else:
        for output, provenance in zip(outputs, upscaler.upscale_all(task.source, outputs), strict=True):
            _show(config, upscaler, replace(task, output=output), provenance)


def _others(config: UpscaleConfig) -> dict[Path, Encoding]:
    """Further output files -> encoding: the preset of the output, with the other settings of the command."""
    others: dict[Path, Encoding] = {}
    for one in config.outputs:
        if one.preset not in options("preset"):
            raise UserError("outputs", f"has no preset {one.preset!r}", f"choose from {', '.join(options('preset'))}")
        height = [f"height={one.height}"] if one.height else []
        changed = [quoted(f"output={one.output}"), f"preset={one.preset}", *height]
        others[one.output] = _encoding(_variant(*changed))
    return others


def _variant(*words: str) -> UpscaleConfig:
    """The configuration of this command, in which the overrides of the output are replaced by `words`."""
    own = {"output", "outputs", "preset", "height", "scale", "codec", "pixel_format", "options"}
    return composed("upscale", *(word for word in given_words() if key_of(word).partition(".")[0] not in own), *words)


def _show(config: UpscaleConfig, upscaler: Upscaler, task: Task, provenance: Provenance) -> None:
    output = whole_output(task.output)
    width, height = provenance.output.size
    files = {"video": output, "provenance": provenance_path(output)}
    if config.certificate and needs_sidecar(provenance.plan.container):
        files["signed"] = sidecar_path(output)
    if config.preview:
        files["picture"] = write_picture(task, upscaler.settings.encoding, upscaler.settings.overwrite)
    show_facts(f"upscaled {provenance.frames} frames to {width}x{height}", files)
    show_facts("", {"runtime": show_runtime(provenance.plan.runtime)})
    if config.repeats == "skip":
        show_facts("", {"repeats": f"{provenance.repeats} of {provenance.frames} frames skipped"})
    for what, items in {"converted": provenance.plan.converted, "dropped": provenance.plan.dropped}.items():
        for item in items:
            show_facts("", {what: item})


def _encoding(config: UpscaleConfig) -> Encoding:
    """The preset, changed by the keys that the user set. Raises UserError if its encoder cannot be opened here."""
    preset = config.preset.build()
    if not config.codec and (reason := preset.missing):
        every = {name: _variant(quoted(f"output={config.output}"), f"preset={name}") for name in options("preset")}
        usable = [name for name, variant in every.items() if not variant.preset.build().missing]
        problem = f"needs the encoder {preset.codec}, which cannot be opened on this machine ({reason})"
        if every[preset.name].preset.build().codec != preset.codec:
            raise UserError("preset.codec", problem, "remove preset.codec=, or set it to another encoder")
        raise UserError(f"preset={preset.name}", problem, f"choose from {', '.join(usable)}")
    given = {key: value for key, value in same_fields(Encoding, config).items() if value}
    given["lead_in"] = None  # it is set where segments run in parallel
    if config.certificate and config.private_key:
        given["signer"] = Signer(config.certificate, config.private_key)
    return replace(preset, **given)
