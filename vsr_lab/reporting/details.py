"""Tables of the report by clip, by pair of candidates, and of where the numbers come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vsr_lab.core.records.comparison import MetricFacts, Origin, PairDifference, SuiteFacts
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.text import interval, number, parameters, signed

_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class ClipRow:
    """Values of all candidates on a clip, each as text and whether it is the best."""

    suite: str
    clip: str
    values: list[tuple[str, bool]]


@dataclass(frozen=True)
class ClipTable:
    """The table of a metric: a row for each clip; wins: clips on which each candidate is the best."""

    metric: MetricFacts
    rows: list[ClipRow]
    wins: list[int]


def clip_tables(lookup: Lookup) -> list[ClipTable]:
    """One table per metric."""
    return [_clip_table(lookup, metric) for metric in lookup.comparison.metrics]


def _clip_table(lookup: Lookup, metric: MetricFacts) -> ClipTable:
    names = [candidate.name for candidate in lookup.comparison.candidates]
    found = {(c.suite, c.clip, c.candidate): c.means.get(metric.name) for c in lookup.comparison.clip_means}
    rows: list[ClipRow] = []
    for suite in lookup.comparison.suites:
        for clip in suite.clips:
            values = [found.get((suite.name, clip, name)) for name in names]
            known = [value for value in values if value is not None]
            best = (max if metric.better == "higher" else min)(known, default=None)
            cells = [(number(value, metric.digits), value is not None and value == best) for value in values]
            rows.append(ClipRow(suite.name, clip, cells))
    return ClipTable(metric, rows, [sum(row.values[place][1] for row in rows) for place in range(len(names))])


@dataclass(frozen=True)
class PairCell:
    """Difference of two candidates: that of the row minus that of the column."""

    difference: str
    interval: str
    record: str
    tone: Literal["better", "worse", "none"]
    clear: bool


@dataclass(frozen=True)
class PairRow:
    """A candidate against all others; None: against itself, or not measured."""

    name: str
    cells: list[PairCell | None]


@dataclass(frozen=True)
class PairGrid:
    """Every candidate against every other on a suite."""

    suite: str
    names: list[str]
    rows: list[PairRow]


@dataclass(frozen=True)
class PairTable:
    """The grids of a metric, one for each suite."""

    metric: MetricFacts
    grids: list[PairGrid]


def pair_tables(lookup: Lookup) -> list[PairTable]:
    """One table per metric."""
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


@dataclass(frozen=True)
class OriginRow:
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
    """One row for each candidate, file, versions and machine, with all suites to which these apply."""
    groups: dict[str, list[Origin]] = {}
    for origin in lookup.comparison.origins:
        key = origin.model_copy(update={"suite": "", "suite_fingerprint": ""}).model_dump_json()
        groups.setdefault(key, []).append(origin)
    return [_origin_row(group) for group in groups.values()]


def _origin_row(group: list[Origin]) -> OriginRow:
    facts = group[0].facts
    network = (facts.kind, facts.architecture, f"{parameters(facts.parameters)} parameters")
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
