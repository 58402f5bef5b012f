"""Comparison of evaluations, with the differences between every two candidates, for comparison.json and report.html."""

import itertools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import inside
from vsr_lab.core.records import read_record, record_of_files, write_record
from vsr_lab.core.records.comparison import (
    CandidateFrames,
    CandidatePlace,
    Cell,
    ClipFrames,
    ClipMeans,
    Comparison,
    Competitor,
    Curve,
    MetricFacts,
    Origin,
    PairDifference,
    SuiteFacts,
)
from vsr_lab.core.records.evaluation import Selection
from vsr_lab.evaluation.faults import find_faults
from vsr_lab.evaluation.objective import FRONT, axes, metric_facts, sign
from vsr_lab.evaluation.ranking import front_of
from vsr_lab.evaluation.results import Run, by_suite, check_comparable, read_runs
from vsr_lab.evaluation.statistics import Values, clip_means, differences, estimate, holm, p_value, paired
from vsr_lab.reporting.page import write_report
from vsr_lab.reporting.saved import write_sheet


def compare(
    runs: Iterable[Run | Path | str],
    folder: Path | str,
    metrics: Sequence[MetricFacts] | None = None,
    *,
    title: str = "Comparison",
    baseline: str | None = None,
    front: Sequence[str] = FRONT,
    selection: Selection | Path | str | None = None,
    begin: Callable[[], object] = lambda: None,
) -> Comparison:
    """Compare evaluations: write comparison.json, report.html, crops.png and wipe_SUITE.mp4.

    crops.png and wipe_SUITE.mp4 are written only for suites of which `evaluate` saved frames.

    Args:
        runs: folders that `evaluate` wrote, or evaluations, all under one protocol.
        folder: folder to write to.
        metrics: metrics to show, in this order; None: all that have a yaml in configs/metric.
        title: title of the report.
        baseline: candidate that the others are compared with; None: bicubic, if it was evaluated.
        front: metrics of the Pareto front; those that an evaluation lacks are left out.
        selection: result of `select` for these evaluations, or the path of selection.json; the report begins with it.
        begin: called once, after all checks and before the first write.

    Returns:
        The value of every metric for every candidate and suite, with its interval and its difference from the baseline.

    Raises:
        UserError: a folder contains no evaluation, evaluations cannot be compared, there is no evaluation of
            `baseline`, a metric of `front` is unknown, or the selection was made from other evaluations.

    Example:
        >>> comparison = vsr_lab.compare(["judged/bicubic", "judged/small"], "compared")
        >>> [(cell.candidate, cell.metric) for cell in comparison.cells if cell.difference][:2]
        [('small', 'psnr'), ('small', 'ssim')]
    """
    runs, folder = read_runs(runs), Path(folder)
    check_comparable(runs)
    candidates = sorted({run.candidate for run in runs})
    if baseline is not None and baseline not in candidates:
        raise UserError(
            "baseline",
            f"must be the name of a candidate in runs=, got {baseline}",
            f"choose one of {', '.join(candidates)}",
        )
    if metrics is None:
        metrics = metric_facts(dict.fromkeys(name for run in runs for name in run.summary.metrics))
    axes([name for name in front if name not in {metric.name for metric in metrics}])  # refuses unknown ones
    chosen = read_record(Path(selection), Selection) if isinstance(selection, Path | str) else selection
    if chosen:
        _check_selection(chosen, runs)
    comparison = _comparison(
        title, runs, metrics, folder, front=front, baseline=baseline or "bicubic", selection=chosen
    )
    begin()
    record_of_files(folder, ("comparison.json", "report.html", "crops.png"), Comparison, "a comparison")
    write_record(folder / "comparison.json", comparison)
    write_report(comparison, folder, folder / "report.html")
    write_sheet(comparison, folder, folder / "crops.png")
    if comparison.pictures:
        from vsr_lab.reporting.wipe import write_wipes  # imports the video reader

        write_wipes(comparison, folder, folder)
    return comparison


def _check_selection(selection: Selection, runs: Sequence[Run]) -> None:
    """Raise UserError unless the selection was made from these evaluations."""
    hint = "run vsr-lab select with the same runs="
    if selection.protocol.fingerprint != runs[0].summary.protocol.fingerprint:
        raise UserError(
            "selection", f"was made with other settings of protocol {selection.protocol.name} than runs=", hint
        )
    suites = by_suite(runs)
    for choice in selection.choices:
        found = suites.get(choice.suite, {})
        missing = sorted(set(choice.gates) - set(found))
        if missing:
            raise UserError("selection", f"contains {missing[0]} on {choice.suite}, which is not in runs=", hint)
        if choice.chosen and choice.candidate_facts != found[choice.chosen].summary.candidate_facts:
            raise UserError("selection", f"chose other weights named {choice.chosen} than those in runs=", hint)


def _comparison(
    title: str,
    runs: list[Run],
    metrics: Sequence[MetricFacts],
    root: Path,
    *,
    front: Sequence[str],
    baseline: str,
    selection: Selection | None,
) -> Comparison:
    suites = by_suite(runs)
    measured = [metric for metric in metrics if any(metric.name in run.summary.metrics for run in runs)]
    shared = {m.name: m for m in measured if all(m.name in run.summary.metrics for run in runs)}
    front_metrics = [shared[name] for name in front if name in shared]
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
        pairs=[pair for found in suites.values() for m in measured for pair in pair_differences(found, m)],
        clip_means=[
            ClipMeans(suite=run.suite, clip=clip, candidate=run.candidate, means=means)
            for run in runs
            for clip, means in run.summary.per_clip.items()
        ],
        selection=selection,
        origins=[_origin(run) for run in runs],
        front={metric.name: sign(metric) for metric in front_metrics},
        pareto={suite: front_of(found, front_metrics) for suite, found in suites.items()} if front_metrics else {},
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
        pictures=[clip for found in suites.values() for clip in saved_clips(found, root)],
        worst=[
            CandidatePlace(**dict(place), suite=run.suite, candidate=run.candidate)
            for run in runs
            for place in run.summary.worst
        ],
        warnings=[
            f"{run.suite}: {fault}" for run in runs for fault in find_faults(run, suites[run.suite].get(baseline))
        ],
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
            ms_per_frame=None
            if own[-1].summary.candidate_facts.kind == "frames"  # reading them takes other time than computing them
            else sum(run.summary.ms_per_frame for run in own) / len(own),
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


def _origin(run: Run) -> Origin:
    summary = run.summary
    return Origin(
        candidate=run.candidate,
        suite=run.suite,
        facts=summary.candidate_facts,
        suite_fingerprint=summary.suite_fingerprint,
        versions=summary.versions,
        machine=summary.machine,
    )


def saved_clips(found: Mapping[str, Run], root: Path) -> list[ClipFrames]:
    """List the saved frames of the clips of a suite.

    A clip is left out unless the evaluations of all candidates saved the same frames of it.

    Args:
        found: candidate -> evaluation, all on one suite.
        root: folder to which the paths in the result are relative.
    """
    first = next(iter(found.values()))
    shared = [shown for shown in first.summary.pictures if shown.saved]
    shared = [shown for shown in shared if all(shown in run.summary.pictures for run in found.values())]

    def path(run: Run, clip: str, name: str) -> str:
        return os.path.relpath(inside(run.folder / "pictures", f"{clip}/{name}.mkv"), root)

    return [
        ClipFrames(
            suite=first.suite,
            **dict(shown),
            lr=path(first, shown.clip, "lr"),
            hr=path(first, shown.clip, "hr"),
            candidates=[CandidateFrames(candidate=name, sr=path(run, shown.clip, "sr")) for name, run in found.items()],
        )
        for shown in shared
    ]


def pair_differences(found: Mapping[str, Run], metric: MetricFacts) -> list[PairDifference]:
    """Compute the mean difference of a metric between every two candidates, with its confidence interval.

    Args:
        found: candidate -> evaluation, all on one suite.
        metric: metric whose values are compared.
    """
    measured = {name: run.values[metric.name] for name, run in found.items() if metric.name in run.values}
    gaps = [
        (name, other, differences(measured[name], measured[other]))
        for name, other in itertools.combinations(measured, 2)
    ]
    tests = {str(place): _p_value(gap) for place, (_, _, gap) in enumerate(gaps)}
    adjusted = holm({place: p for place, p in tests.items() if p is not None})
    pairs: list[PairDifference] = []
    for place, (name, other, gap) in enumerate(gaps):
        gains = [sign(metric) * mean for mean in clip_means(gap).values()]
        pairs.append(
            PairDifference(
                suite=found[name].suite,
                metric=metric.name,
                candidate=name,
                other=other,
                difference=estimate(gap),
                wins=sum(gain > 0 for gain in gains),
                losses=sum(gain < 0 for gain in gains),
                p=adjusted.get(str(place)),
            )
        )
    return pairs


def _p_value(gap: Mapping[str, Values]) -> float | None:
    """Two-sided p that the mean over clips is 0; None below 2 clips."""
    above, below = p_value(gap), p_value({clip: -values for clip, values in gap.items()})
    return None if above is None or below is None else min(1.0, 2 * min(above, below))
