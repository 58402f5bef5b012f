"""vsr-lab compare: several evaluations on one page, or two versions of one video."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.configuration.schema import Command, Names, Runs, Section
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import show, show_facts, show_table
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath, Text
from vsr_lab.core.records.comparison import MetricFacts, Presentation
from vsr_lab.reporting import compare


class ShownMetric(Section):
    """A metric whose values are read from finished evaluations, and how it is displayed.

    `measure`, the configuration of the class that computes the metric, is not used, so this class may be missing.
    """

    measure: dict[str, Any]
    """Function that computes it, which is not used here."""
    show: Presentation | None
    """How it is shown; null: it is not shown."""


class CompareConfig(Command):
    """Compare evaluations on one page, or two versions of one video.

    Example: vsr-lab compare runs=[results/evaluate/a,results/evaluate/b]

    Example: vsr-lab compare a.mp4 b.mp4 hr.mp4
    """

    runs: Runs | None
    a: FilePath | None
    """First video or folder of frames. If a, b and hr are folders that evaluate wrote, they are compared as runs."""
    b: FilePath | None
    """Second video or folder of frames."""
    hr: FilePath | None
    """Ground truth of both: a video or folder of frames; null: there is none."""
    title: Text
    baseline: Text | None
    metrics: dict[str, ShownMetric]
    """Metrics by name, with their presentation."""
    front: Names
    """Metrics of the Pareto front, each in its own direction."""
    selection: FilePath | None
    """selection.json of select on the same evaluations, shown on top; null: nothing is decided yet."""

    def without_effect(self) -> dict[str, str]:
        if self.a is None or _is_run(self.a):
            return {f"metrics.{name}.measure": "values are read from the evaluations" for name in self.metrics}
        return dict.fromkeys(("title", "baseline", "metrics", "front", "selection"), "a and b are videos")

    def given(self) -> list[Path]:
        """Those of the paths a, b and hr that are set. Raises UserError if a, b, hr and `runs` cannot be combined."""
        paths = [path for path in (self.a, self.b, self.hr) if path]
        if not paths and self.runs is None:
            raise UserError(
                "runs", "is required", "set runs=[FOLDER,FOLDER], or give two videos: vsr-lab compare a.mp4 b.mp4"
            )
        if paths and self.runs is not None:
            raise UserError("runs", "cannot be combined with a, b and hr", "remove runs=, or a, b and hr")
        if paths and not (self.a and self.b):
            raise UserError(
                "b" if self.a else "a", "is required too", "give two videos, or two folders that vsr-lab evaluate wrote"
            )
        runs = [path for path in paths if _is_run(path)]
        if 0 < len(runs) < len(paths):
            raise UserError(
                runs[0], "is a run of vsr-lab evaluate, but another path is a video", "give only videos, or only runs"
            )
        if self.a and self.b and not runs and self.a.resolve() == self.b.resolve():
            raise UserError("b", f"is the same file as a, {self.a}", "set b= to another version of the video")
        return paths


def _is_run(path: Path) -> bool:
    return (path / "summary.json").is_file()


def run(config: CompareConfig) -> Path:
    """Write the comparison of evaluations or of two videos, and return the folder of the report."""
    given = config.given()
    if given and not _is_run(given[0]):
        return _videos(config, given)
    return _runs(config, config.runs or given)


def _videos(config: CompareConfig, given: Sequence[Path]) -> Path:
    from vsr_lab.workflows.two_videos import FILES, compare_videos  # imports torch and the video reader

    a, b, *truth = given
    folder = config.run_dir
    found = compare_videos(a, b, folder, truth=next(iter(truth), None), begin=lambda: begin_run(config))
    for video in found.videos:
        for step in video.steps:
            show(f"{video.name}: {step}")
    rows = [
        [metric.label, *("" if value is None else f"{value:.4f}" for value in (metric.a, metric.b)), metric.better]
        for metric in found.metrics
    ]
    show_table(f"{found.frames} frames on the pixels of {found.reference}", ["metric", "a", "b", "better"], rows)
    show_facts("compared", {name.partition(".")[0]: folder / name for name in FILES})
    return folder


def _runs(config: CompareConfig, runs: Sequence[Path]) -> Path:
    folder = config.run_dir
    compare(
        read_runs(runs),
        folder,
        [MetricFacts(name=name, **dict(metric.show)) for name, metric in config.metrics.items() if metric.show],
        title=config.title,
        baseline=config.baseline,
        front=config.front,
        selection=config.selection,
        begin=lambda: begin_run(config),
    )
    files = {"report": folder / "report.html", "crops": folder / "crops.png", "numbers": folder / "comparison.json"}
    files |= {path.stem: path for path in sorted(folder.glob("wipe_*.mp4"))}
    show_facts("compared", files)
    return folder
