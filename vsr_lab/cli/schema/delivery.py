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
    formats: Names
    """Which of exporters are written."""


class UpscaleConfig(Command, Reading):
    """Upscale a video file by a bundle.

    Example: vsr-lab upscale bundle=BUNDLE input=in.mp4 output=out.mp4
    """

    bundle: FilePath
    """Folder that export wrote."""
    input: FilePath
    output: FilePath
    codec: Text
    """An encoder of FFmpeg, such as libx264."""
    pixel_format: Text | None
    """yuv420p, yuv444p, ...; null: what the bundle's content type asks for."""
    options: dict[str, Text]
    """Options of the encoder."""
    watch_cuts: Bool
    """Whether the network's state is reset at a cut."""
    tile: Annotated[Int, Field(ge=0, le=65536)]
    """LR pixels on a side of a tile; 0: whole frames."""
    overlap: Annotated[Int, Field(ge=0, le=4096)]
    """LR pixels that neighbouring tiles share."""
