"""Table of single clips in the report: every candidate's value, its gain over the baseline, and the clips it wins."""

from typing import Literal, NamedTuple

from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.text import MISSING, number, signed


class ClipCell(NamedTuple):
    """Value of a candidate on a clip, and its difference from the baseline ("" for the baseline), as text."""

    value: str
    best: bool
    gain: str
    tone: Literal["better", "worse", "none"]


class ClipRow(NamedTuple):
    """Values of all candidates on a clip."""

    suite: str
    clip: str
    cells: list[ClipCell]


class ClipTable(NamedTuple):
    """Table of one metric with a row for each clip.

    Attributes:
        wins: for each candidate, the number of clips on which it is the best.
        better: for each candidate, on how many of the compared clips it is better than the baseline, such as "3 of 5".
    """

    metric: MetricFacts
    rows: list[ClipRow]
    wins: list[int]
    better: list[str]


def clip_tables(lookup: Lookup) -> list[ClipTable]:
    """Make the tables of single clips, one per metric."""
    return [_clip_table(lookup, metric) for metric in lookup.comparison.metrics]


def _clip_table(lookup: Lookup, metric: MetricFacts) -> ClipTable:
    names = [candidate.name for candidate in lookup.comparison.candidates]
    found = {(c.suite, c.clip, c.candidate): c.means.get(metric.name) for c in lookup.comparison.clip_means}
    rows: list[ClipRow] = []
    for suite in lookup.comparison.suites:
        for clip in suite.clips:
            values = {name: found.get((suite.name, clip, name)) for name in names}
            known = [value for value in values.values() if value is not None]
            best = (max if metric.better == "higher" else min)(known, default=None)
            base = values.get(lookup.baseline)
            cells = [
                _clip_cell(metric, v, best, None if name == lookup.baseline else base) for name, v in values.items()
            ]
            rows.append(ClipRow(suite.name, clip, cells))
    columns = [[row.cells[place] for row in rows] for place in range(len(names))]
    return ClipTable(
        metric,
        rows,
        [sum(cell.best for cell in column) for column in columns],
        [_better(column) for column in columns],
    )


def _clip_cell(metric: MetricFacts, value: float | None, best: float | None, baseline: float | None) -> ClipCell:
    gain = None if value is None or baseline is None else value - baseline
    better = gain is not None and (gain > 0) == (metric.better == "higher")
    return ClipCell(
        value=number(value, metric.digits),
        best=value is not None and value == best,
        gain="" if gain is None else signed(gain, metric.digits),
        tone="none" if not gain else "better" if better else "worse",
    )


def _better(column: list[ClipCell]) -> str:
    compared = [cell for cell in column if cell.gain]
    return f"{sum(cell.tone == 'better' for cell in compared)} of {len(compared)}" if compared else MISSING
