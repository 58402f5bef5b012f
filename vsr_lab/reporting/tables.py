"""The two tables as the template prints them: every number already text, every mark already decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_lab.reporting import text
from vsr_lab.reporting.schema import Candidate, Lookup, Metric, Suite, bounds


@dataclass(frozen=True)
class CellView:
    """One candidate's value of one metric in one suite.

    `value` sorts; `strength` is the difference as a percentage of the metric's largest one and colours.
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
    """A candidate and its cells, with what is known of it beside its name."""

    candidate: Candidate
    parameters: str
    ms_per_frame: str
    baseline: bool
    cells: list[CellView]


@dataclass(frozen=True)
class HeatTable:
    """One metric: candidates down, suites across. `truth` is empty where the metric has no such value."""

    metric: Metric
    rows: list[Row]
    truth: list[str]
    largest: str


@dataclass(frozen=True)
class FullTable:
    """One suite: candidates down, metrics across."""

    suite: Suite
    rows: list[Row]
    truth: list[str]


def heat_tables(lookup: Lookup) -> list[HeatTable]:
    """One table per metric."""
    comparison = lookup.comparison
    tables: list[HeatTable] = []
    for metric in comparison["metrics"]:
        largest = _largest(lookup, metric)
        columns = [_column(lookup, suite, metric, largest) for suite in comparison["suites"]]
        truth = [lookup.truth(suite["name"], metric["name"]) for suite in comparison["suites"]]
        tables.append(
            HeatTable(
                metric,
                _rows(lookup, columns),
                _truth_row(truth, [metric] * len(truth)),
                text.with_unit(text.number(largest, metric["digits"]), metric["unit"]) if largest else "",
            )
        )
    return tables


def full_tables(lookup: Lookup) -> list[FullTable]:
    """One table per suite."""
    comparison = lookup.comparison
    metrics = comparison["metrics"]
    largest = [_largest(lookup, metric) for metric in metrics]
    tables: list[FullTable] = []
    for suite in comparison["suites"]:
        columns = [_column(lookup, suite, *pair) for pair in zip(metrics, largest, strict=True)]
        truth = [lookup.truth(suite["name"], metric["name"]) for metric in metrics]
        tables.append(FullTable(suite, _rows(lookup, columns), _truth_row(truth, metrics)))
    return tables


def _rows(lookup: Lookup, columns: list[list[CellView]]) -> list[Row]:
    """Columns of cells turned into one row per candidate."""
    return [
        Row(
            candidate,
            text.parameters(candidate.get("parameters")),
            text.number(candidate.get("ms_per_frame"), 1),
            candidate["name"] == lookup.baseline,
            [column[place] for column in columns],
        )
        for place, candidate in enumerate(lookup.comparison["candidates"])
    ]


def _truth_row(values: list[float | None], metrics: list[Metric]) -> list[str]:
    """The truth's values as text, or nothing at all where there are none."""
    if all(value is None for value in values):
        return []
    return [text.number(value, metric["digits"]) for value, metric in zip(values, metrics, strict=True)]


def _largest(lookup: Lookup, metric: Metric) -> float:
    """The largest difference to the baseline in any suite: the end of the metric's colour scale."""
    cells = [cell for cell in lookup.comparison["cells"] if cell["metric"] == metric["name"]]
    differences = [difference["mean"] for cell in cells if (difference := cell.get("difference"))]
    return max((abs(mean) for mean in differences if mean is not None), default=0.0)


def _column(lookup: Lookup, suite: Suite, metric: Metric, largest: float) -> list[CellView]:
    """A suite's cells by one metric, one per candidate."""
    best, homes = lookup.best(suite["name"], metric), lookup.homes(suite)
    return [
        _cell(lookup, suite, metric, name, largest, best=name in best, home=name in homes)
        for name in (candidate["name"] for candidate in lookup.comparison["candidates"])
    ]


def _cell(
    lookup: Lookup, suite: Suite, metric: Metric, candidate: str, largest: float, *, best: bool, home: bool
) -> CellView:
    digits, cell = metric["digits"], lookup.cell(candidate, suite["name"], metric["name"])
    mean = cell["mean"] if cell else None
    ends = bounds(cell.get("ci95")) if cell and mean is not None else None
    difference = (cell.get("difference") if cell else None) if candidate != lookup.baseline else None
    gap = difference["mean"] if difference else None
    gap_ends = bounds(difference["ci95"]) if difference and gap is not None else None
    better = gap is not None and (gap > 0) == (metric["better"] == "higher")
    return CellView(
        value=mean,
        mean=text.number(mean, digits),
        spread=text.half_width(ends, digits),
        interval=text.interval(ends, digits),
        difference="" if gap is None else text.signed(gap, digits),
        difference_interval=text.interval(gap_ends, digits),
        tone="none" if not gap else "better" if better else "worse",
        clear=gap_ends is not None and not gap_ends[0] <= 0 <= gap_ends[1],
        strength=round(100 * abs(gap) / largest) if gap and largest else 0,
        best=best,
        home=home,
    )
