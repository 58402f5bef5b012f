"""Base models that the configurations of all commands share."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from vsr_lab.core.parts import FilePath, Number, Text
from vsr_lab.core.ranges import WINDOW, Damaged, Deinterlace, ToneMap, distinct, window

Bool = Annotated[bool, Strict()]
Int = Annotated[int, Strict()]
Seed = Annotated[Int, Field(ge=0, le=2**32 - 1)]
Scale = Annotated[Int, Field(ge=1, le=16)]
Share = Annotated[Number, Field(ge=0, le=1)]
Frames = Annotated[Text, Field(pattern=WINDOW), AfterValidator(window)]
Names = Annotated[list[Text], Field(min_length=1), AfterValidator(distinct)]


class Section(BaseModel):
    """A part of a configuration: unknown keys are refused, and values are not converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


class Command(Section):
    """The configuration of a command."""

    run_dir: FilePath
    """Folder that the run writes."""
    overwrite: Bool = False
    """Whether a run that is in run_dir already may be replaced. Only a folder that a run wrote is ever cleared."""

    brought: ClassVar[frozenset[str]] = frozenset()
    """Keys that a content type's yaml sets for another command, and that have no effect here."""


class FootageChoice(Section):
    """Which footage is read, and how."""

    clips: Names | None = None
    """Names to keep; null: all."""
    frames: Frames | None = None
    """"60:84" narrows every clip."""
    downscale: Annotated[Number, Field(ge=1, le=16)] = 1.0
    """Shrinks lossy footage first, so that coding artefacts vanish."""
    split: Text | None = None
    """Rows of a manifest with this value in the column split, or that part of a data set's layout."""
    content: Text | None = None
    """Rows of a manifest with this content_type."""


class Reading(Section):
    """How interlaced, HDR and damaged footage is read."""

    deinterlace: Deinterlace | None = None
    """null: interlaced footage is refused; auto, bwdif, ivtc: whole frames are made of it; keep: read as it is."""
    tone_map: ToneMap | None = None
    """null: HDR is refused; bt2390: brought to BT.709."""
    damaged: Damaged | None = None
    """null: damaged files are refused; keep: what can be decoded is read."""
