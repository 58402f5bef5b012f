"""Configuration that commands share which choose the bundle of a file, or its content type."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from vsr_lab.cli.config import FolderPath, Section
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath, Number
from vsr_lab.curation import ContentModel
from vsr_lab.workflows.auto_bundle import AutoBundle, selected_bundles

AUTO = Path("auto")


class ContentModelConfig(Section):
    """Weights of the logistic model that suggests a content type; written by benchmarks/content_types.py."""

    features: dict[str, dict[Literal["mean", "deviation"], Number]]
    kinds: dict[str, dict[str, Number]]
    temperature: Annotated[Number, Field(gt=0)]
    sure: Annotated[Number, Field(ge=0, le=1)]

    def build(self) -> ContentModel:
        """The model."""
        return ContentModel(**dict(self))


class Choosing(Section):
    """How bundles are chosen by content type."""

    selection: FilePath | None
    bundles: FolderPath
    scans: FolderPath
    content_model: ContentModelConfig

    def chooser(self) -> AutoBundle:
        """Object that chooses the bundle of each file by its content type.

        Raises UserError if the selection or a bundle is missing.
        """
        if self.selection is None:
            raise UserError("selection", "is required by bundle=auto", "set selection= to what vsr-lab select wrote")
        return AutoBundle(selected_bundles(self.selection, self.bundles), self.content_model.build(), self.scans)
