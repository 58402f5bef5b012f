"""Content of the tables of the report: means, pairs of candidates, and origin of the numbers."""

from pathlib import Path
from typing import Literal, NamedTuple

from vsr_lab.core.records.comparison import Competitor, MetricFacts, Origin, PairDifference, SuiteFacts
from vsr_lab.reporting import text
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.text import interval, parameters, signed


class CellView(NamedTuple):
    """Cell of a table of the report: one candidate's mean of one metric on one suite, as text.

    Attributes:
        value: number by which the table is sorted.
        tone: whether the candidate is better or worse than the baseline; "none" if equal or not compared.
        strength: difference from the baseline, in percent of the largest difference in this metric on any suite;
            determines the colour.
        clear: whether the 95 % interval of the difference from the baseline excludes zero and is valid for other clips.
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


class Row(NamedTuple):
    """Row of a table of the report: a candidate, and its cells for each suite or metric."""

    candidate: Competitor
    parameters: str
    ms_per_frame: str
    baseline: bool
    cells: list[CellView]


class HeatTable(NamedTuple):
    """Table of one metric in the report: a row for each candidate, a column for each suite.

    Attributes:
        truth: values of the metric for HR itself, one per suite; empty if the metric is not defined for HR.
        largest: largest difference from the baseline in the table, as text.
    """

    metric: MetricFacts
    rows: list[Row]
    truth: list[str]
    largest: str


class FullTable(NamedTuple):
    """Table of one suite in the report: a row for each candidate, a column for each metric."""

    suite: SuiteFacts
    rows: list[Row]
    truth: list[str]


def heat_tables(lookup: Lookup) -> list[HeatTable]:
    """Make the tables of means, one per metric."""
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
    """Make the tables of means, one per suite."""
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
    """Arrange columns of cells as rows, one row per candidate."""
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


_SIGNIFICANT = 0.05


class PairCell(NamedTuple):
    """Difference of two candidates, the candidate of the row minus that of the column, as text."""

    difference: str
    interval: str
    record: str
    tone: Literal["better", "worse", "none"]
    clear: bool


class PairRow(NamedTuple):
    """A candidate compared with each candidate; a cell is None for the candidate itself, or if nothing was measured."""

    name: str
    cells: list[PairCell | None]


class PairGrid(NamedTuple):
    """Comparison of every candidate with every other one in one metric on one suite."""

    suite: str
    names: list[str]
    rows: list[PairRow]


class PairTable(NamedTuple):
    """Comparisons of all pairs of candidates in one metric; grids: one for each suite."""

    metric: MetricFacts
    grids: list[PairGrid]


def pair_tables(lookup: Lookup) -> list[PairTable]:
    """Make the tables of pairs of candidates, one per metric."""
    comparison = lookup.comparison
    return [PairTable(m, [_grid(lookup, suite, m) for suite in comparison.suites]) for m in comparison.metrics]


def _grid(lookup: Lookup, suite: SuiteFacts, metric: MetricFacts) -> PairGrid:
    names = [c.name for c in lookup.comparison.candidates if lookup.cell(c.name, suite.name, metric.name)]
    rows = [
        PairRow(name, [_pair_cell(lookup.pair(suite.name, metric.name, name, other), metric) for other in names])
        for name in names
    ]
    return PairGrid(suite.name, names, rows)


def _pair_cell(pair: PairDifference | None, metric: MetricFacts) -> PairCell | None:
    if pair is None:
        return None
    mean, p = pair.difference.mean, pair.p
    better = (mean > 0) == (metric.better == "higher")
    record = f"{pair.wins} won, {pair.losses} lost"
    return PairCell(
        difference=signed(mean, metric.digits),
        interval=interval(pair.difference, metric.digits),
        record=record if p is None else f"{record}; p {'< 0.001' if p < 0.001 else f'{p:.3f}'}",
        tone="none" if not mean else "better" if better else "worse",
        clear=p is not None and p <= _SIGNIFICANT,
    )


class OriginRow(NamedTuple):
    """The file of a candidate, and the versions and the machine with which its numbers were computed."""

    candidate: str
    file: str
    sha256: str
    network: str
    trained: str
    suites: list[str]
    versions: str
    machine: str


def origin_rows(lookup: Lookup) -> list[OriginRow]:
    """Make the rows on the origin of the numbers; suites with the same candidate, versions and machine share a row."""
    groups: dict[str, list[Origin]] = {}
    for origin in lookup.comparison.origins:
        key = origin.model_copy(update={"suite": "", "suite_fingerprint": ""}).model_dump_json()
        groups.setdefault(key, []).append(origin)
    return [_origin_row(group) for group in groups.values()]


def _origin_row(group: list[Origin]) -> OriginRow:
    facts = group[0].facts
    runtime = facts.runtime and str(facts.runtime)
    network = (facts.kind, facts.architecture, f"{parameters(facts.parameters)} parameters", runtime)
    trained = (facts.content and f"for {facts.content}", facts.about.get("trained_with"))
    return OriginRow(
        candidate=group[0].candidate,
        file=Path(facts.path).name if facts.path else "no file",
        sha256=facts.sha256 or "",
        network=", ".join(word for word in network if word),
        trained=", ".join(str(word) for word in trained if word),
        suites=[f"{origin.suite} ({origin.suite_fingerprint})" for origin in group],
        versions=", ".join(f"{name} {version}" for name, version in group[0].versions.items()),
        machine=group[0].machine or "not recorded",
    )
