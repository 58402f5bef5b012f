"""vsr-lab evaluate: one candidate on one suite under one protocol."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.config import Bool, Command, Int, Scale, Section
from vsr_lab.cli.runs import check_content
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.core.parts import Part, Text, describes
from vsr_lab.core.records.comparison import Presentation
from vsr_lab.core.records.evaluation import Summary
from vsr_lab.degradations import Degradation
from vsr_lab.evaluation import Candidate, Protocol, Suite, evaluate


class Metric(Section):
    """A metric and how it is shown."""

    measure: Annotated[Part[Callable[..., Tensor]], describes()]
    show: Presentation | None


class ProtocolConfig(Section):
    """All that a score depends on apart from the candidate and the clips."""

    name: Text
    description: Text
    scale: Scale
    colour: Literal["y", "rgb"]
    crop: Annotated[Int, Field(ge=0, le=1024)]
    trim: Annotated[Int, Field(ge=0, le=10_000)]
    centre_only: Bool
    degradation: Annotated[Part[Degradation], describes(Degradation)]
    metrics: Annotated[dict[str, Metric], Field(min_length=1)]
    """Metrics by name, with their presentation."""

    def build(self) -> Protocol:
        """Build the protocol."""
        settings = dict(self)
        settings["degradation"] = self.degradation.build()
        settings["metrics"] = {name: metric.measure.build() for name, metric in self.metrics.items()}
        return Protocol(**settings)


class EvaluateConfig(Command):
    """Score one candidate on one suite under one protocol.

    Example: vsr-lab evaluate candidate=bicubic suite=vid4 suite.root=FOLDER protocol=vid4-bi-y
    """

    candidate: Annotated[Part[Candidate], describes(Candidate)]
    suite: Annotated[Part[Suite], describes(Suite)]
    protocol: ProtocolConfig


def run(config: EvaluateConfig) -> None:
    """Score the candidate and write its numbers and pictures."""
    ((folder, summary),) = judge([config]).items()
    show_summary(summary)
    show_files("written", {"summary": folder / "summary.json", "frames": folder / "frames.parquet"})


def judge(configs: Sequence[EvaluateConfig]) -> dict[Path, Summary]:
    """Evaluate candidates in one pass and write the results of each.

    Args:
        configs: configurations of this command, equal except for candidate and run_dir.

    Returns:
        folder -> summary.
    """
    suite = configs[0].suite.build()
    check_content("suite.content", suite.content)
    return evaluate(
        {config.run_dir: config.candidate.build() for config in configs},
        suite,
        configs[0].protocol.build(),
        begin=lambda: [begin_run(config) for config in configs],
    )


def show_summary(summary: Summary) -> None:
    """Print one row per metric: its mean, its interval, and the mean of each clip if there are few."""
    per_clip = summary.per_clip if len(summary.per_clip) <= 5 else {}
    rows = [
        [
            name,
            f"{found.mean:.4f}",
            found.interval("{:.4f}".format, "too few frames"),
            *("" if (mean := means[name]) is None else f"{mean:.4f}" for means in per_clip.values()),
        ]
        for name, found in summary.metrics.items()
    ]
    title = f"{summary.candidate} on {summary.suite} ({summary.protocol.name}), {summary.frames} frames"
    show_table(title, ["metric", "mean", "95 % interval", *per_clip], rows)
