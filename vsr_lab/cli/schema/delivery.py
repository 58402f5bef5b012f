"""Configurations of export and upscale."""

from typing import Annotated, Any

from pydantic import Field

from vsr_lab.cli.schema.base import Bool, Command, Int, Names, Reading
from vsr_lab.core.parts import FilePath, Part, Text, describes

Exporting = Annotated[Part[Any], describes("vsr_lab.deployment.export.Exporter")]


class ExportConfig(Command):
    """Export a checkpoint to a bundle.

    Example: vsr-lab export candidate.path=RUN/network.safetensors
    """

    candidate: Annotated[Part[Any], describes("vsr_lab.evaluation.Candidate")]
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
    codec: Text
    pixel_format: Text | None
    options: dict[str, Text]
    watch_cuts: Bool
    tile: Annotated[Int, Field(ge=0, le=65536)]
    overlap: Annotated[Int, Field(ge=0, le=4096)]
