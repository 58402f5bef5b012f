"""Configuration shared by the commands that choose a bundle for a file by the content type of the file."""

from pathlib import Path

from vsr_lab.cli.configuration.schema import FolderPath, Section
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath
from vsr_lab.curation import ContentModel
from vsr_lab.workflows.auto_bundle import AutoBundle, selected_bundles

AUTO = Path("auto")


class Choosing(Section):
    """How a bundle is chosen for a file by the content type of the file."""

    selection: FilePath | None
    bundles: FolderPath
    content_model: ContentModel

    def chooser(self) -> AutoBundle:
        """Make the object that chooses a bundle for each file by the content type of the file.

        Raises UserError if the selection or a bundle is missing.
        """
        if self.selection is None:
            raise UserError(
                "selection",
                "is required by bundle=auto",
                "set selection= to the selection.json that vsr-lab select wrote",
            )
        return AutoBundle(selected_bundles(self.selection, self.bundles), self.content_model)
