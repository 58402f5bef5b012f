"""Lookups in a comparison, shared by all parts of the report."""

from vsr_lab.core.records.comparison import Cell, Comparison, MetricFacts, PairDifference, SuiteFacts
from vsr_lab.core.records.evaluation import Estimate


class Lookup:
    """Cells of a comparison by candidate, suite and metric."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.baseline = comparison.baseline
        self._cells = {(cell.candidate, cell.suite, cell.metric): cell for cell in comparison.cells}
        self._metrics = {metric.name: metric for metric in comparison.metrics}
        self._suites = {suite.name: suite for suite in comparison.suites}
        self._pairs = {(pair.suite, pair.metric, pair.candidate, pair.other): pair for pair in comparison.pairs}

    def metric(self, name: str) -> MetricFacts | None:
        """The metric of a name, or None if the report does not show it."""
        return self._metrics.get(name)

    def label(self, name: str) -> str:
        """Label of a metric by its name; the name, if it was not measured."""
        metric = self.metric(name)
        return metric.label if metric else name

    def suite(self, name: str) -> SuiteFacts:
        """The suite of a name."""
        return self._suites[name]

    def pair(self, suite: str, metric: str, candidate: str, other: str) -> PairDifference | None:
        """candidate against other, or None if one of them was not measured."""
        if found := self._pairs.get((suite, metric, candidate, other)):
            return found
        turned = self._pairs.get((suite, metric, other, candidate))
        return turned and turned.turned()

    def difference(self, suite: str, metric: str, candidate: str, other: str) -> Estimate | None:
        """candidate minus other, or None if one of them was not measured."""
        found = self.pair(suite, metric, candidate, other)
        return found and found.difference

    def cell(self, candidate: str, suite: str, metric: str) -> Cell | None:
        """The cell, or None if nothing was measured."""
        return self._cells.get((candidate, suite, metric))

    def means(self, suite: str, metric: str) -> dict[str, float]:
        """candidate -> mean on a suite, for those that were measured, in the order of the comparison."""
        return {cell.candidate: cell.mean for cell in self._measured(suite, metric)}

    def best(self, suite: str, metric: MetricFacts) -> list[str]:
        """The candidates with the best mean on a suite; empty if nothing was measured."""
        means = self.means(suite, metric.name)
        if not means:
            return []
        top = (max if metric.better == "higher" else min)(means.values())
        return [name for name, mean in means.items() if mean == top]

    def truth(self, suite: str, metric: str) -> float | None:
        """The value of the metric for HR itself on a suite; None if the metric has none."""
        truths = [cell.truth for cell in self._measured(suite, metric)]
        return next((truth for truth in truths if truth is not None), None)

    def homes(self, suite: SuiteFacts) -> list[str]:
        """The candidates that were trained for the content type of the suite."""
        return [c.name for c in self.comparison.candidates if c.content and c.content == suite.content]

    def _measured(self, suite: str, metric: str) -> list[Cell]:
        """The cells of a suite, in the order of the candidates."""
        cells = [self.cell(candidate.name, suite, metric) for candidate in self.comparison.candidates]
        return [cell for cell in cells if cell is not None]
