"""vsr-lab compare: several evaluations on one page."""

from pathlib import Path
from typing import Any

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.config import Command, Names, Runs, Section
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import show_facts
from vsr_lab.core.parts import FilePath, Text
from vsr_lab.core.records.comparison import MetricFacts, Presentation
from vsr_lab.reporting import compare


class ShownMetric(Section):
    """A metric that was computed earlier; its function is not imported."""

    measure: dict[str, Any]
    show: Presentation | None


class CompareConfig(Command):
    """Compare evaluations on one page.

    Example: vsr-lab compare runs=[results/evaluate/a,results/evaluate/b]
    """

    runs: Runs
    title: Text
    baseline: Text | None
    metrics: dict[str, ShownMetric]
    """Metrics by name, with their presentation."""
    front: Names
    """Metrics of the Pareto front, each in its own direction."""
    selection: FilePath | None
    """selection.json of select on the same evaluations, shown on top; null: nothing is decided yet."""

    writes = ("comparison.json", "report.html", "crops.png")


def run(config: CompareConfig) -> Path:
    """Write report.html, crops.png and comparison.json, and return their folder."""
    folder = config.run_dir
    compare(
        read_runs(config.runs),
        folder,
        [MetricFacts(name=name, **dict(metric.show)) for name, metric in config.metrics.items() if metric.show],
        title=config.title,
        baseline=config.baseline,
        front=config.front,
        selection=config.selection,
        begin=lambda: begin_run(config),
    )
    files = {"report": folder / "report.html", "crops": folder / "crops.png", "numbers": folder / "comparison.json"}
    show_facts("compared", files)
    return folder
