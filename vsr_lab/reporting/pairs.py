"""Paired differences between every two candidates of a suite."""

import itertools
from collections.abc import Mapping, Sequence

from vsr_lab.core.records.comparison import MetricFacts, PairDifference
from vsr_lab.evaluation.objective import sign
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import Values, clip_means, differences, estimate, holm, p_value


def pair_differences(found: Mapping[str, Run], metrics: Sequence[MetricFacts]) -> list[PairDifference]:
    """Compare every two candidates by every metric that both have.

    Args:
        found: candidate -> evaluation, all on one suite.
        metrics: metrics to compare by.
    """
    return [pair for metric in metrics for pair in _by_metric(found, metric)]


def _by_metric(found: Mapping[str, Run], metric: MetricFacts) -> list[PairDifference]:
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
