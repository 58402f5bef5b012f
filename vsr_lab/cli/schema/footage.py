"""Configurations of the footage commands."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from vsr_lab.cli.schema.base import (
    Bool,
    Command,
    FolderPath,
    FootageChoice,
    Frames,
    Int,
    Names,
    Scale,
    Section,
    Seed,
    check_scale,
)
from vsr_lab.core.parts import FilePath, Number, Part, Text, describes
from vsr_lab.core.ranges import distinct

Count = Annotated[Int, Field(ge=1, le=1_000_000)]
Workers = Annotated[Int, Field(ge=1, le=1024)]


class ContentModelConfig(Section):
    """Weights of the logistic model that suggests a content type; written by benchmarks/content_types.py."""

    features: dict[str, dict[Literal["mean", "deviation"], Number]]
    kinds: dict[str, dict[str, Number]]
    temperature: Annotated[Number, Field(gt=0)]
    sure: Annotated[Number, Field(ge=0, le=1)]


class IndexConfig(Command):
    """Write a manifest of a folder of footage.

    Example: vsr-lab footage index archive/
    """

    root: FilePath
    output: FilePath | None
    fresh: Bool
    split: Annotated[Number, Field(gt=0, lt=1)] | None
    split_names: Annotated[list[Text], Field(min_length=2, max_length=2), AfterValidator(distinct)]
    seed: Seed
    scans: FolderPath
    content_model: ContentModelConfig

    def without_effect(self) -> dict[str, str]:
        return dict.fromkeys(("split_names", "seed"), "split is null") if self.split is None else {}


class LeaksConfig(Command):
    """Find shots that are in two splits of a manifest.

    Example: vsr-lab footage leaks manifest.csv
    """

    root: FilePath
    scans: FolderPath


class SampleConfig(Command):
    """Choose representative shots of a folder of footage.

    Example: vsr-lab footage sample archive/ -n 12
    """

    root: FilePath
    n: Count
    frames: Annotated[Int, Field(ge=2, le=100_000)] | None
    clips: Names | None
    split: Text | None
    content_type: Text | None
    seed: Seed
    scans: FolderPath


class DegradeConfig(Command, FootageChoice):
    """Write LR files of HR footage.

    Example: vsr-lab footage degrade FOLDER degradation=archival scale=4
    """

    root: FilePath
    content_type: Text | None
    degradation: Annotated[Part[Any], describes("vsr_lab.degradations.Degradation")]
    scale: Scale
    seed: Seed
    window: Annotated[Int, Field(ge=1, le=10_000)]
    memory_gib: Annotated[Number, Field(gt=0, le=4096)]

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        check_scale(self.degradation, self.scale)
        return self


class StoreConfig(Section):
    """Check and prune decoded footage.

    Example: vsr-lab footage store results/store
    """

    root: FilePath
    verify: Bool
    prune: Bool


class RenderConfig(Command):
    """Render footage: animation, screens, or a camera over photographs.

    Example: vsr-lab footage render kind=animation n=8 frames=48 scale=2
    """

    kind: Annotated[Part[Any], describes("vsr_lab.synthesis.Kind")]
    n: Count
    frames: Annotated[Int, Field(ge=1, le=100_000)]
    size: Annotated[list[Annotated[Int, Field(ge=16, le=8192)]], Field(min_length=2, max_length=2)]
    seed: Seed
    scale: Annotated[Int, Field(ge=2, le=8)] | None
    stills: FilePath | None
    split: Text
    workers: Workers

    def without_effect(self) -> dict[str, str]:
        return {} if "stills" in self.kind.keywords else {"stills": "this kind of footage is made without photographs"}


class CheckConfig(Command):
    """Find faults of LR/HR pairs.

    Example: vsr-lab footage check LR HR
    """

    lr: FilePath
    hr: FilePath
    scale: Scale | None
    clips: Names | None
    frames: Frames | None
    degradation: dict[str, Any] | None = None
    families: dict[str, dict[str, Any]]
    """Degradations that are compared with LR."""


class DemoFootage(Section):
    """Footage of the demo."""

    train_screens: Annotated[Int, Field(ge=1, le=1000)]
    frames: Annotated[Int, Field(ge=8, le=10_000)]


class DemoConfig(Command):
    """Train, evaluate, select, export and upscale on footage from installed packages.

    Example: vsr-lab demo
    """

    contents: Names
    footage: DemoFootage
    train: list[Text]
    specialist: list[Text]
    per_frame: list[Text]
    evaluate: list[Text]
    upscale: list[Text]
