"""Evaluations side by side: the content of comparison.json and report.html."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsr_lab.core.files import inside
from vsr_lab.core.records.comparison import (
    CandidateImages,
    Cell,
    ClipImages,
    Comparison,
    Competitor,
    Curve,
    MetricFacts,
    SuiteFacts,
)
from vsr_lab.evaluation.results import Run, by_suite, check_comparable, pareto_front
from vsr_lab.evaluation.statistics import paired


def compare(
    runs: list[Run],
    metrics: Sequence[MetricFacts],
    root: Path,
    *,
    title: str,
    baseline: str,
    front: Mapping[str, int],
) -> Comparison:
    """Compare evaluations.

    Args:
        runs: evaluations under one protocol.
        metrics: known metrics in the order of the report; those that no run has are left out.
        root: folder that paths of images are relative to.
        title: of the report.
        baseline: candidate that differences are computed to.
        front: axes of the Pareto front: metric -> +1 (higher is better) or -1. Those that not every run has are left
            out.

    Raises:
        UserError: runs cannot be compared.
    """
    check_comparable(runs)
    suites = by_suite(runs)
    measured = [metric for metric in metrics if any(metric.name in run.summary.metrics for run in runs)]
    axes = {name: sign for name, sign in front.items() if all(name in run.summary.metrics for run in runs)}
    return Comparison(
        title=title,
        protocol=runs[0].summary.protocol,
        baseline=baseline,
        suites=[_suite(next(iter(found.values()))) for found in suites.values()],
        candidates=_competitors(runs),
        metrics=measured,
        cells=[
            _cell(run, metric, suites[run.suite].get(baseline))
            for run in runs
            for metric in measured
            if metric.name in run.summary.metrics
        ],
        front=axes,
        pareto={suite: pareto_front(found, axes) for suite, found in suites.items()} if axes else {},
        curves=[
            Curve(
                suite=run.suite,
                clip=clip,
                metric=metric.name,
                candidate=run.candidate,
                values=run.curve(metric.name, clip),
            )
            for run in runs
            for metric in measured
            for clip in run.values.get(metric.name, {})
        ],
        pictures=[images for found in suites.values() for images in _images(found, root)],
        notes=[f"{metric.label}: {metric.note}" for metric in measured if metric.note],
    )


def _suite(run: Run) -> SuiteFacts:
    summary = run.summary
    return SuiteFacts(name=summary.suite, content=summary.content, clips=list(summary.per_clip), frames=summary.frames)


def _competitors(runs: list[Run]) -> list[Competitor]:
    """The candidates; speed is averaged over suites."""
    by_candidate: dict[str, list[Run]] = {}
    for run in runs:
        by_candidate.setdefault(run.candidate, []).append(run)
    return [
        Competitor(
            name=name,
            parameters=own[-1].summary.candidate_facts.parameters,
            ms_per_frame=sum(run.summary.ms_per_frame for run in own) / len(own),
            content=own[-1].summary.candidate_facts.content,
        )
        for name, own in by_candidate.items()
    ]


def _cell(run: Run, metric: MetricFacts, baseline: Run | None) -> Cell:
    found = run.summary.metrics
    difference = None
    if baseline and baseline is not run and metric.name in baseline.values:
        difference = paired(run.values[metric.name], baseline.values[metric.name])
    return Cell(
        **dict(found[metric.name]),
        candidate=run.candidate,
        suite=run.suite,
        metric=metric.name,
        truth=found[metric.truth].mean if metric.truth in found else None,
        difference=difference,
    )


def _images(found: dict[str, Run], root: Path) -> list[ClipImages]:
    first = next(iter(found.values()))

    def path(run: Run, clip: str, name: str) -> str:
        return os.path.relpath(inside(run.folder / "pictures", f"{clip}/{name}.png"), root)

    return [
        ClipImages(
            suite=first.suite,
            **dict(shown),
            lr=path(first, shown.clip, "lr"),
            hr=path(first, shown.clip, "hr"),
            hr_xt=path(first, shown.clip, "hr_xt"),
            candidates=[
                CandidateImages(candidate=name, sr=path(run, shown.clip, "sr"), sr_xt=path(run, shown.clip, "sr_xt"))
                for name, run in found.items()
            ],
        )
        for shown in first.summary.pictures
    ]
