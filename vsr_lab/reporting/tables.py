"""The two tables of the report, formatted for the template."""

from dataclasses import dataclass
from typing import Literal

from vsr_lab.core.records.comparison import Competitor, MetricFacts, SuiteFacts
from vsr_lab.reporting import text
from vsr_lab.reporting.lookup import Lookup


@dataclass(frozen=True)
class CellView:
    """Cell of a table of the report: one candidate's mean of one metric on one suite, as text.

    Attributes:
        value: number by which the table is sorted.
        strength: difference from the baseline, in percent of the largest difference in the table; the color depends on
            it.
        clear: whether the interval of the difference excludes zero.
        home: whether the candidate was trained for the content type of the suite.
    """

    value: float | None
    mean: str
    spread: str
    interval: str
    difference: str
    difference_interval: str
    tone: Literal["better", "worse", "none"]
    clear: bool
    strength: int
    best: bool
    home: bool


@dataclass(frozen=True)
class Row:
    """A candidate and its cells."""

    candidate: Competitor
    parameters: str
    ms_per_frame: str
    baseline: bool
    cells: list[CellView]


@dataclass(frozen=True)
class HeatTable:
    """Table of one metric in the report: a row for each candidate, a column for each suite.

    Attributes:
        truth: values of the metric for HR itself; empty if it has none.
    """

    metric: MetricFacts
    rows: list[Row]
    truth: list[str]
    largest: str


@dataclass(frozen=True)
class FullTable:
    """The table of one suite: a row for each candidate, a column for each metric."""

    suite: SuiteFacts
    rows: list[Row]
    truth: list[str]


def heat_tables(lookup: Lookup) -> list[HeatTable]:
    """One table per metric."""
    comparison = lookup.comparison
    tables: list[HeatTable] = []
    for metric in comparison.metrics:
        largest = _largest(lookup, metric)
        columns = [_column(lookup, suite, metric, largest) for suite in comparison.suites]
        truth = [lookup.truth(suite.name, metric.name) for suite in comparison.suites]
        tables.append(
            HeatTable(
                metric,
                _rows(lookup, columns),
                _truth_row(truth, [metric] * len(truth)),
                text.with_unit(text.number(largest, metric.digits), metric.unit) if largest else "",
            )
        )
    return tables


def full_tables(lookup: Lookup) -> list[FullTable]:
    """One table per suite."""
    comparison = lookup.comparison
    metrics = comparison.metrics
    largest = [_largest(lookup, metric) for metric in metrics]
    tables: list[FullTable] = []
    for suite in comparison.suites:
        columns = [_column(lookup, suite, *pair) for pair in zip(metrics, largest, strict=True)]
        truth = [lookup.truth(suite.name, metric.name) for metric in metrics]
        tables.append(FullTable(suite, _rows(lookup, columns), _truth_row(truth, metrics)))
    return tables


def _rows(lookup: Lookup, columns: list[list[CellView]]) -> list[Row]:
    """Columns of cells as rows, one per candidate."""
    return [
        Row(
            candidate,
            text.parameters(candidate.parameters),
            text.number(candidate.ms_per_frame, 1),
            candidate.name == lookup.baseline,
            [column[place] for column in columns],
        )
        for place, candidate in enumerate(lookup.comparison.candidates)
    ]


def _truth_row(values: list[float | None], metrics: list[MetricFacts]) -> list[str]:
    """Values of the ground truth as text; empty if there are none."""
    if all(value is None for value in values):
        return []
    return [text.number(value, metric.digits) for value, metric in zip(values, metrics, strict=True)]


def _largest(lookup: Lookup, metric: MetricFacts) -> float:
    """The largest difference to the baseline on any suite: the end of the metric's color scale."""
    cells = [cell for cell in lookup.comparison.cells if cell.metric == metric.name]
    return max((abs(cell.difference.mean) for cell in cells if cell.difference), default=0.0)


def _column(lookup: Lookup, suite: SuiteFacts, metric: MetricFacts, largest: float) -> list[CellView]:
    """The cells of a suite and a metric, one per candidate."""
    best, homes = lookup.best(suite.name, metric), lookup.homes(suite)
    return [
        _cell(lookup, suite, metric, name, largest, best=name in best, home=name in homes)
        for name in (candidate.name for candidate in lookup.comparison.candidates)
    ]


def _cell(
    lookup: Lookup, suite: SuiteFacts, metric: MetricFacts, candidate: str, largest: float, *, best: bool, home: bool
) -> CellView:
    digits, cell = metric.digits, lookup.cell(candidate, suite.name, metric.name)
    difference = cell.difference if cell and candidate != lookup.baseline else None
    gap = difference.mean if difference else None
    two = cell is not None and cell.about == "clips" and len(suite.clips) == 2
    own = None if two else cell  # the interval of two clips is 13 standard errors wide on each side
    better = gap is not None and (gap > 0) == (metric.better == "higher")
    return CellView(
        value=cell.mean if cell else None,
        mean=text.number(cell.mean if cell else None, digits),
        spread=text.half_width(own, digits),
        interval=text.interval(own, digits),
        difference="" if gap is None else text.signed(gap, digits),
        difference_interval=text.interval(difference, digits),
        tone="none" if not gap else "better" if better else "worse",
        clear=difference is not None and difference.clear,
        strength=round(100 * abs(gap) / largest) if gap and largest else 0,
        best=best,
        home=home,
    )
