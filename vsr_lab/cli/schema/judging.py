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
    show: Presentation | None


class ShownMetric(Section):
    """A metric that was computed earlier; its function is not imported."""

    measure: dict[str, Any]
    show: Presentation | None


Front = dict[str, Literal[1, -1]]


class ProtocolConfig(Section):
    """All that a score depends on apart from the candidate and the clips."""

    name: Text
    description: Text
    scale: Scale
    colour: Literal["y", "rgb"]
    crop: Annotated[Int, Field(ge=0, le=1024)]
    trim: Annotated[Int, Field(ge=0, le=10_000)]
    centre_only: Bool
    degradation: Annotated[Part[Any], describes("vsr_lab.degradations.Degradation")]
    metrics: Annotated[dict[str, Metric], Field(min_length=1)]
    """Metrics by name, with their presentation."""


class EvaluateConfig(Command):
    """Score one candidate on one suite under one protocol.

    Example: vsr-lab evaluate candidate=bicubic suite=vid4 suite.root=FOLDER protocol=vid4-bi-y
    """

    candidate: Annotated[Part[Any], describes("vsr_lab.evaluation.Candidate")]
    suite: Annotated[Part[Any], describes("vsr_lab.evaluation.Suite")]
    protocol: ProtocolConfig


class CompareConfig(Command):
    """Compare evaluations on one page.

    Example: vsr-lab compare runs=[results/evaluate/a,results/evaluate/b]
    """

    runs: Runs
    title: Text
    baseline: Text | None
    metrics: dict[str, ShownMetric]
    """Metrics by name, with their presentation."""
    front: Front
    """Metrics of the Pareto front: 1 if higher is better, -1 if lower is better."""


class SelectConfig(Command):
    """Select the candidate that may be deployed, for each content type.

    Example: vsr-lab select runs=[results/evaluate/a,results/evaluate/b]
    """

    runs: Runs
    baseline: Text
    rank_by: Annotated[list[Text], Field(min_length=1)]
    """Metrics that rank the candidates; the next one decides where the first finds them equal."""
    front: Annotated[Front, Field(min_length=1)]
    """Metrics of the Pareto front: 1 if higher is better, -1 if lower is better."""
    gates: Annotated[dict[str, Annotated[Part[Any], describes("vsr_lab.evaluation.Gate")]], Field(min_length=1)]
    # The runs say their content types.
    brought: ClassVar[frozenset[str]] = frozenset({"content", "data", "loss", "validation", "pixel_format"})
