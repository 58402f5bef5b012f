"""Sentences of the report: one per suite, and one about specialists (networks for one content type)."""

from typing import Literal, NamedTuple

from vsr_lab.core.records.comparison import MetricFacts, SuiteFacts
from vsr_lab.evaluation.objective import FIDELITY
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.text import interval, number, signed, with_unit

_DOUBTS = {  # by how a candidate was trained
    "adversarial": "it was trained adversarially, so it invents detail, which this metric does not judge",
    "unknown": "its file does not say how it was trained, and this metric does not judge invented detail",
}


class Verdict(NamedTuple):
    """Sentence about the best candidate on a suite, the number next to it, and whether the gain is significant.

    Attributes:
        suite: name of the suite.
        figure: gain over the baseline; the mean if the baseline is best or the gain is not known; "" if nothing was
            measured.
        sentence: which candidate is best, and by how much.
        tone: "clear": the gain is significant; "unclear": it is not, is not known, or the baseline is best; "none":
            nothing was measured.
    """

    suite: str
    figure: str
    sentence: str
    tone: Literal["clear", "unclear", "none"]


def headline(metrics: list[MetricFacts]) -> MetricFacts | None:
    """The metric by which the sentences name a best candidate: PSNR if it was measured, otherwise the first one."""
    return next((metric for metric in metrics if metric.name == "psnr"), metrics[0] if metrics else None)


def verdicts(lookup: Lookup) -> list[Verdict]:
    """Make a sentence per suite about the best candidate by the metric `headline`; empty if there is no metric."""
    metric = headline(lookup.comparison.metrics)
    if metric is None:
        return []
    return [_verdict(lookup, suite, metric) for suite in lookup.comparison.suites]


def _verdict(lookup: Lookup, suite: SuiteFacts, metric: MetricFacts) -> Verdict:
    name, digits, unit, baseline = suite.name, metric.digits, metric.unit, lookup.baseline
    best = lookup.best(name, metric)
    if not best:
        return Verdict(name, "", f"nothing was measured by {metric.label}.", "none")
    # Of equals, one that is not the baseline is named.
    winner = next((candidate for candidate in best if candidate != baseline), baseline)
    behind = _home_behind(lookup, suite, metric, winner)
    cell = lookup.cell(winner, name, metric.name)
    mean = with_unit(number(cell.mean if cell else None, digits), unit)
    if winner == baseline:
        return Verdict(name, mean, f"nothing beats the baseline, {baseline}, at {mean}.{behind}", "unclear")
    difference = cell.difference if cell else None
    if difference is None:
        alone = f"{winner} is best at {mean}; its difference to {baseline} was not measured.{behind}"
        return Verdict(name, mean, alone, "unclear")
    gain = with_unit(signed(difference.mean, digits), unit)
    if metric.name in FIDELITY and (doubt := _DOUBTS.get(_trained_with(lookup, winner))):
        highest = (
            f"{winner} has the highest {metric.label}, {gain} over {baseline}, which does not show that it is best"
        )
        return Verdict(name, gain, f"{highest}: {doubt}.{behind}", "unclear")
    sentence = f"{winner} is best, {gain} over {baseline} {interval(difference, digits)}".rstrip()
    if difference.clear:
        return Verdict(name, gain, f"{sentence}.{behind}", "clear")
    why = "the interval contains zero, so this is not a clear gain"
    if difference.about != "clips":
        why = "one clip is too few to conclude anything about others"
    return Verdict(name, gain, f"{sentence}; {why}.{behind}", "unclear")


def _trained_with(lookup: Lookup, candidate: str) -> str:
    return next((o.facts.trained_with for o in lookup.comparison.origins if o.candidate == candidate), "")


def _home_behind(lookup: Lookup, suite: SuiteFacts, metric: MetricFacts, winner: str) -> str:
    """Text on how far the specialist of the suite's content type is behind the winner.

    "" if it won or there is none.
    """
    homes = lookup.homes(suite)
    means = lookup.means(suite.name, metric.name)
    measured = [means[home] for home in homes if home in means]
    if winner in homes or not measured:
        return ""
    top = (max if metric.better == "higher" else min)(measured)
    name = next(home for home in homes if means.get(home) == top)
    gap = with_unit(number(abs(means[winner] - top), metric.digits), metric.unit)
    return f" Its own specialist, {name}, is {gap} behind."


def at_home(lookup: Lookup) -> str:
    """Sentence that states on how many suites the specialist of the content type is best; "" if there are none."""
    metric = headline(lookup.comparison.metrics)
    suites = [suite for suite in lookup.comparison.suites if lookup.homes(suite)]
    if metric is None or not suites:
        return ""
    won = sum(bool(set(lookup.best(suite.name, metric)) & set(lookup.homes(suite))) for suite in suites)
    return f"Specialists are best on their own content type in {won} of {len(suites)} suites."
