"""Configurations of export and upscale."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from vsr_lab.cli.schema.base import Bool, Command, Int, Names, Reading
from vsr_lab.core.parts import FilePath, Part, Text, describes

Exporting = Annotated[Part[Any], describes("vsr_lab.deployment.export.Exporter")]


def _has_weights(candidate: Part[Any]) -> Part[Any]:
    if "path" not in candidate.keywords:
        raise ValueError("has no weights file to export; set candidate=checkpoint candidate.path=")
    return candidate


class ExportConfig(Command):
    """Export a checkpoint to a bundle.

    Example: vsr-lab export candidate.path=RUN/network.safetensors
    """

    candidate: Annotated[Part[Any], describes("vsr_lab.evaluation.Candidate"), AfterValidator(_has_weights)]
    exporters: Annotated[
        dict[str, Annotated[Part[Any], describes("vsr_lab.deployment.export.Exporter")]], Field(min_length=1)
    ]
    """Exporters by name of the format, from configs/exporter."""
    formats: Names


class UpscaleConfig(Command, Reading):
    """Upscale a video file with a bundle.

    Example: vsr-lab upscale bundle=BUNDLE input=in.mp4 output=out.mp4
    """

    bundle: FilePath
    input: FilePath
    output: FilePath
    preset: Annotated[Part[Any], describes("vsr_lab.deployment.Encoding")]
    plan: Bool
    codec: Text | None
    pixel_format: Text | None
    options: dict[str, Text]
    audio: Literal["copy", "transcode", "drop"]
    unsupported: Literal["drop", "convert"] | None
    background: Text | None
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

    def without_effect(self) -> dict[str, str]:
        return {} if self.tile else {"overlap": "tile is 0"}
