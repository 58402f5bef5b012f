"""Configurations of evaluate, compare and select."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from vsr_lab.cli.schema.base import Bool, Command, Int, Scale, Section
from vsr_lab.core.parts import FilePath, Part, Text, describes

Runs = Annotated[list[FilePath], Field(min_length=1)]


class Presentation(Section):
    """How a metric is shown."""

    label: Text
    unit: Text
    better: Literal["higher", "lower"]
    digits: Annotated[Int, Field(ge=0, le=10)]
    note: Text = ""
    truth: Text | None = None


class Metric(Section):
    """A metric and how it is shown."""

    measure: Annotated[Part[Any], describes("collections.abc.Callable")]
    """The function that measures."""
    show: Presentation | None
    """null: measured, not shown."""


class ShownMetric(Section):
    """A metric that was measured before: its function is not imported."""

    measure: dict[str, Any]
    show: Presentation | None


Front = dict[str, Literal[1, -1]]


class ProtocolConfig(Section):
    """Everything that a number depends on besides the candidate and the clips."""

    name: Text
    description: Text
    scale: Scale
    colour: Literal["y", "rgb"]
    """Channels that PSNR and SSIM see."""
    crop: Annotated[Int, Field(ge=0, le=1024)]
    """Pixels left out at each border."""
    trim: Annotated[Int, Field(ge=0, le=10_000)]
    """Frames left out at each end."""
    centre_only: Bool
    """Only the centre frame of each clip is scored."""
    degradation: Annotated[Part[Any], describes("vsr_lab.degradations.Degradation")]
    metrics: Annotated[dict[str, Metric], Field(min_length=1)]


class EvaluateConfig(Command):
    """Score one candidate on one suite under one protocol.

    Example: vsr-lab evaluate candidate=bicubic suite=vid4 suite.root=FOLDER protocol=vid4-bi-y
    """

    candidate: Annotated[Part[Any], describes("vsr_lab.evaluation.Candidate")]
    """What is scored: any of configs/candidate."""
    suite: Annotated[Part[Any], describes("vsr_lab.evaluation.Suite")]
    """The clips: any of configs/suite."""
    protocol: ProtocolConfig


class CompareConfig(Command):
    """Write one page from evaluation runs.

    Example: vsr-lab compare runs=[results/evaluate/a,results/evaluate/b]
    """

    runs: Runs
    """Folders that evaluate wrote."""
    title: Text
    baseline: Text
    """Name of the candidate that the others are held against."""
    metrics: dict[str, ShownMetric]
    front: Front
    """Metrics of the Pareto front: 1 where higher is better, -1 where lower is."""


class SelectConfig(Command):
    """Choose the candidate that may ship, for each content type.

    Example: vsr-lab select runs=[results/evaluate/a,results/evaluate/b]
    """

    runs: Runs
    """Folders that evaluate wrote."""
    baseline: Text
    rank_by: Text
    """The metric that decides among those that pass every gate."""
    front: Annotated[Front, Field(min_length=1)]
    """Metrics of the Pareto front: 1 where higher is better, -1 where lower is."""
    gates: Annotated[dict[str, Annotated[Part[Any], describes("vsr_lab.evaluation.Gate")]], Field(min_length=1)]
    content: Text | None = None
    """Set by the runs themselves."""
    brought: ClassVar[frozenset[str]] = frozenset({"data", "loss", "validation", "pixel_format"})
