"""The comparison as the report reads it: the shape of its JSON, and the lookups that every part needs."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

SCHEMA = 1

Better = Literal["higher", "lower"]


class Protocol(TypedDict):
    name: str
    fingerprint: str
    scale: int
    description: NotRequired[str]


class Suite(TypedDict):
    name: str
    content: str
    clips: list[str]
    frames: int


class Candidate(TypedDict):
    name: str
    parameters: NotRequired[int | None]
    ms_per_frame: NotRequired[float | None]
    content: NotRequired[str | None]


class Metric(TypedDict):
    name: str
    label: str
    unit: str
    better: Better
    digits: int
    note: NotRequired[str]


class Difference(TypedDict):
    mean: float | None
    ci95: list[float | None] | None


class Cell(TypedDict):
    candidate: str
    suite: str
    metric: str
    mean: float | None
    ci95: NotRequired[list[float | None] | None]
    truth: NotRequired[float | None]
    difference: NotRequired[Difference | None]


class Curve(TypedDict):
    suite: str
    clip: str
    metric: str
    candidate: str
    values: list[float | None]


class CandidatePicture(TypedDict):
    candidate: str
    sr: str
    sr_xt: NotRequired[str | None]


class Picture(TypedDict):
    suite: str
    clip: str
    lr: str
    hr: str
    hr_xt: NotRequired[str | None]
    frame: int
    row: int
    candidates: list[CandidatePicture]


class Comparison(TypedDict):
    schema: int
    title: str
    protocol: Protocol
    baseline: str
    suites: list[Suite]
    candidates: list[Candidate]
    metrics: list[Metric]
    cells: list[Cell]
    pareto: dict[str, list[str]]
    curves: list[Curve]
    pictures: list[Picture]
    notes: list[str]


def bounds(ci95: list[float | None] | None) -> tuple[float, float] | None:
    """Both ends of an interval, or None where either is missing."""
    if ci95 is None or len(ci95) != 2:
        return None
    low, high = ci95
    return None if low is None or high is None else (low, high)


class Lookup:
    """A comparison with its cells within reach by candidate, suite and metric."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.baseline = comparison["baseline"]
        self._cells = {(c["candidate"], c["suite"], c["metric"]): c for c in comparison["cells"]}

    def cell(self, candidate: str, suite: str, metric: str) -> Cell | None:
        """The cell, or None where nothing was measured."""
        return self._cells.get((candidate, suite, metric))

    def means(self, suite: str, metric: str) -> dict[str, float]:
        """Every measured candidate's mean in a suite, in the comparison's order."""
        return {c["candidate"]: c["mean"] for c in self._measured(suite, metric) if c["mean"] is not None}

    def best(self, suite: str, metric: Metric) -> list[str]:
        """The candidates that share a suite's best mean: usually one, none where nothing was measured."""
        means = self.means(suite, metric["name"])
        if not means:
            return []
        top = (max if metric["better"] == "higher" else min)(means.values())
        return [name for name, mean in means.items() if mean == top]

    def truth(self, suite: str, metric: str) -> float | None:
        """The ground truth's own value in a suite, where the metric has one."""
        truths = [cell.get("truth") for cell in self._measured(suite, metric)]
        return next((truth for truth in truths if truth is not None), None)

    def homes(self, suite: Suite) -> list[str]:
        """The candidates that were trained for this suite's content."""
        return [c["name"] for c in self.comparison["candidates"] if c.get("content") == suite["content"]]

    def _measured(self, suite: str, metric: str) -> list[Cell]:
        """The cells of a suite, in the order of the candidates."""
        cells = [self.cell(candidate["name"], suite, metric) for candidate in self.comparison["candidates"]]
        return [cell for cell in cells if cell is not None]
