"""The comparison in plain words: one sentence per suite, and one on how the specialists did at home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_lab.reporting.schema import Lookup, Metric, Suite, bounds
from vsr_lab.reporting.text import interval, number, signed, with_unit


@dataclass(frozen=True)
class Verdict:
    """A suite's sentence, the figure to print large beside it, and how far the figure can be trusted."""

    suite: str
    figure: str
    sentence: str
    tone: Literal["clear", "unclear", "none"]


def headline(metrics: list[Metric]) -> Metric | None:
    """The metric that the verdicts go by: PSNR where it was measured, else the first."""
    return next((metric for metric in metrics if metric["name"] == "psnr"), metrics[0] if metrics else None)


def verdicts(lookup: Lookup) -> list[Verdict]:
    """One verdict per suite by the headline metric; none where nothing was to be measured."""
    metric = headline(lookup.comparison["metrics"])
    if metric is None:
        return []
    return [_verdict(lookup, suite, metric) for suite in lookup.comparison["suites"]]


def _verdict(lookup: Lookup, suite: Suite, metric: Metric) -> Verdict:
    name, digits, unit, baseline = suite["name"], metric["digits"], metric["unit"], lookup.baseline
    best = lookup.best(name, metric)
    if not best:
        return Verdict(name, "", f"nothing was measured by {metric['label']}.", "none")
    # Among equals the baseline is named last: it says more that something else drew level with it.
    winner = next((candidate for candidate in best if candidate != baseline), baseline)
    behind = _home_behind(lookup, suite, metric, winner)
    cell = lookup.cell(winner, name, metric["name"])
    mean = with_unit(number(cell["mean"] if cell else None, digits), unit)
    if winner == baseline:
        return Verdict(name, mean, f"nothing beats the baseline, {baseline}, at {mean}.{behind}", "unclear")
    difference = cell.get("difference") if cell else None
    if difference is None or difference["mean"] is None:
        alone = f"{winner} is best at {mean}; there is no difference to {baseline} to give.{behind}"
        return Verdict(name, mean, alone, "unclear")
    gain, ends = with_unit(signed(difference["mean"], digits), unit), bounds(difference["ci95"])
    sentence = f"{winner} is best, {gain} over {baseline} {interval(ends, digits)}".rstrip()
    if ends is not None and not ends[0] <= 0 <= ends[1]:
        return Verdict(name, gain, f"{sentence}.{behind}", "clear")
    doubt = "no interval was made" if ends is None else "the interval reaches zero"
    return Verdict(name, gain, f"{sentence}; {doubt}, so this is not a clear gain.{behind}", "unclear")


def _home_behind(lookup: Lookup, suite: Suite, metric: Metric, winner: str) -> str:
    """How far the suite's own specialist is behind the winner, or nothing where it won or there is none."""
    homes = lookup.homes(suite)
    means = lookup.means(suite["name"], metric["name"])
    measured = [means[home] for home in homes if home in means]
    if winner in homes or not measured:
        return ""
    top = (max if metric["better"] == "higher" else min)(measured)
    name = next(home for home in homes if means.get(home) == top)
    gap = with_unit(number(abs(means[winner] - top), metric["digits"]), metric["unit"])
    return f" Its own specialist, {name}, is {gap} behind."


def at_home(lookup: Lookup) -> str:
    """In how many suites with a specialist of their own that specialist is best; nothing without any."""
    metric = headline(lookup.comparison["metrics"])
    suites = [suite for suite in lookup.comparison["suites"] if lookup.homes(suite)]
    if metric is None or not suites:
        return ""
    won = sum(bool(set(lookup.best(suite["name"], metric)) & set(lookup.homes(suite))) for suite in suites)
    return f"Specialists win at home in {won} of {len(suites)} suite{'' if len(suites) == 1 else 's'}."
