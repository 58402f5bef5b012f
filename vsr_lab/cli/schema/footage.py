"""Configurations of the footage commands."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vsr_lab.cli.schema.base import Bool, Command, FootageChoice, Frames, Int, Names, Scale, Section, Seed
from vsr_lab.core.parts import FilePath, Number, Part, Text, describes

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
    """A folder of videos and frame folders, or a manifest that lists them."""
    output: FilePath | None
    """The manifest, .csv or .parquet; null: in run_dir. An earlier one is updated; cells that a person wrote stay."""
    fresh: Bool
    """Whether everything is measured again."""
    split: Annotated[Number, Field(gt=0, lt=1)] | None
    """Share of each content type's duration for the second split; clips of one source stay together."""
    split_names: Annotated[list[Text], Field(min_length=2, max_length=2)]
    seed: Seed
    scans: FilePath
    """Where measurements are kept, by the hash of a file."""
    content_model: ContentModelConfig


class LeaksConfig(Command):
    """Find shots that two splits of a manifest share.

    Example: vsr-lab footage leaks manifest.csv
    """

    root: FilePath
    """A manifest with a column split."""
    scans: FilePath


class SampleConfig(Command):
    """Choose the shots that represent a folder of footage.

    Example: vsr-lab footage sample archive/ -n 12
    """

    root: FilePath
    """A folder of footage or a manifest."""
    n: Count
    """Shots to choose."""
    frames: Annotated[Int, Field(ge=2, le=100_000)] | None
    """Frames of each, from its middle; shorter shots are left out. null: whole shots, up to 8 seconds."""
    clips: Names | None
    split: Text | None
    content: Text | None
    seed: Seed
    """Of the random draws that the choice is compared with."""
    scans: FilePath


class DegradeConfig(Command, FootageChoice):
    """Write LR files of HR footage.

    Example: vsr-lab footage degrade FOLDER degradation=archival scale=4
    """

    root: FilePath
    """A folder of videos or frame folders, one file, or a manifest."""
    degradation: Annotated[Part[Any], describes("vsr_lab.degradations.Degradation")]
    scale: Scale
    seed: Seed
    """With a clip's name it decides what is drawn for the clip."""
    window: Annotated[Int, Field(ge=1, le=10_000)]
    """Frames at a time where the degradation treats every frame alike."""
    memory_gib: Annotated[Number, Field(gt=0, le=4096)]
    """What one clip may take where the degradation needs it whole."""


class StoreConfig(Section):
    """Check and prune decoded footage.

    Example: vsr-lab footage store results/store
    """

    root: FilePath
    """The data.store of a training."""
    verify: Bool
    """Whether every byte is read; otherwise a few pages of each clip."""
    prune: Bool
    """Whether clips that are not whole are removed."""


class RenderConfig(Command):
    """Render footage: drawn animation, screens, or a camera over photographs.

    Example: vsr-lab footage render kind=animation n=8 frames=48 scale=2
    """

    kind: Annotated[Part[Any], describes("vsr_lab.synthesis.Kind")]
    n: Count
    """Clips."""
    frames: Annotated[Int, Field(ge=1, le=100_000)]
    """Frames of a clip."""
    size: Annotated[list[Annotated[Int, Field(ge=16, le=8192)]], Field(min_length=2, max_length=2)]
    """Height and width of HR in pixels."""
    seed: Seed
    """Of the first clip; the next has one more."""
    scale: Annotated[Int, Field(ge=2, le=8)] | None
    """Also LR, rendered at its own resolution; null: none."""
    stills: FilePath | None
    """kind=camera: a folder of photographs."""
    split: Text
    """What the manifest says in the column split."""
    workers: Workers


class CheckConfig(Command):
    """Find what is wrong with LR/HR pairs.

    Example: vsr-lab footage check LR HR
    """

    lr: FilePath
    """A video file, a frame folder, a folder with clips of the same names as hr, or a manifest."""
    hr: FilePath
    scale: Scale | None
    """null: by the sizes."""
    clips: Names | None
    frames: Frames | None
    degradation: dict[str, Any] | None = None
    """What LR is declared to be made by; null: named by the best fit."""
    families: dict[str, dict[str, Any]]
    """Degradations that LR is compared with, each built once the scale is known."""


class DemoFootage(Section):
    """Footage of the demo."""

    train_screens: Annotated[Int, Field(ge=1, le=1000)]
    """Rendered screens to train on."""
    frames: Annotated[Int, Field(ge=8, le=10_000)]
    """Frames of a rendered screen."""


class DemoUpscale(Section):
    """How the demo writes its upscaled clip."""

    options: dict[str, Text]


class DemoConfig(Command):
    """Train, judge, select, export and upscale on footage that comes along.

    Example: vsr-lab demo
    """

    contents: Names
    footage: DemoFootage
    train: list[Text]
    """Overrides of every training."""
    specialist: list[Text]
    """Overrides of a content type's training."""
    per_frame: list[Text]
    """Overrides of the per-frame network's training."""
    evaluate: list[Text]
    """Overrides of every evaluation."""
    upscale: DemoUpscale
