"""Base models that the configurations of all commands share."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from vsr_lab.core.parts import FilePath, Number, Part, Text
from vsr_lab.core.ranges import WINDOW, Damaged, Deinterlace, ToneMap, distinct, window


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise ValueError(f"must be a folder, {path} is a file")
    return path


Bool = Annotated[bool, Strict()]
Int = Annotated[int, Strict()]
Seed = Annotated[Int, Field(ge=0, le=2**32 - 1)]
Scale = Annotated[Int, Field(ge=1, le=16)]
Share = Annotated[Number, Field(ge=0, le=1)]
Frames = Annotated[Text, Field(pattern=WINDOW), AfterValidator(window)]
FolderPath = Annotated[FilePath, AfterValidator(_folder)]
Names = Annotated[list[Text], Field(min_length=1), AfterValidator(distinct)]


def check_scale(degradation: Part[Any], scale: int) -> None:
    """Raises ValueError unless a degradation reduces by scale."""
    own = degradation.build().scale
    if own != scale:
        raise ValueError(f"degradation.scale is {own} and scale is {scale}; they must be equal")


class Section(BaseModel):
    """A part of a configuration: unknown keys are refused, and values are not converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())

    def without_effect(self) -> dict[str, str]:
        """Keys that have no effect beside the values of others, each with the reason. A user may not set them."""
        return {}


class Command(Section):
    """The configuration of a command."""

    run_dir: FilePath
    """Folder that the run writes to."""
    overwrite: Bool = False
    """Whether an existing run in run_dir may be replaced. Other folders are never cleared."""

    brought: ClassVar[frozenset[str]] = frozenset()
    """Keys of a content type's yaml that have no effect in this command."""


class FootageChoice(Section):
    """Which footage is read, and how."""

    clips: Names | None = None
    """Names of the clips to use; null: all."""
    frames: Frames | None = None
    """Frames of every clip to use, such as "60:84"; null: all."""
    downscale: Annotated[Number, Field(ge=1, le=16)] = 1.0
    """Factor by which footage is downscaled first, to remove coding artefacts."""
    split: Text | None = None
    """Split to use, of a manifest or of a dataset's layout."""


class Reading(Section):
    """How interlaced, HDR and damaged footage is read."""

    deinterlace: Deinterlace | None = None
    """null: interlaced video is refused; auto, bwdif, ivtc: converted to progressive frames; keep: read as stored."""
    tone_map: ToneMap | None = None
    """null: HDR is refused; bt2390: tone-mapped to BT.709; keep: its signal is read as stored."""
    damaged: Damaged | None = None
    """null: damaged files are refused; keep: the frames that can be decoded are read."""
