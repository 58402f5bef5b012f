"""Lookup of metrics, suites and values in a comparison, shared by all parts of the report."""

from vsr_lab.core.records.comparison import Cell, Comparison, MetricFacts, PairDifference, SuiteFacts
from vsr_lab.core.records.evaluation import Estimate


class Lookup:
    """Index of a comparison, by which values are found by candidate, suite and metric."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.baseline = comparison.baseline
        self._cells = {(cell.candidate, cell.suite, cell.metric): cell for cell in comparison.cells}
        self._metrics = {metric.name: metric for metric in comparison.metrics}
        self._suites = {suite.name: suite for suite in comparison.suites}
        self._psnr = {(c.candidate, c.suite, c.clip): c.values for c in comparison.curves if c.metric == "psnr"}
        self._pairs = {(pair.suite, pair.metric, pair.candidate, pair.other): pair for pair in comparison.pairs}

    def metric(self, name: str) -> MetricFacts | None:
        """Find a metric by name; None if the report does not show it."""
        return self._metrics.get(name)

    def label(self, name: str) -> str:
        """Label of the metric with a name; the name itself if the report does not show the metric."""
        metric = self.metric(name)
        return metric.label if metric else name

    def suite(self, name: str) -> SuiteFacts:
        """Find a suite by name."""
        return self._suites[name]

    def pair(self, suite: str, metric: str, candidate: str, other: str) -> PairDifference | None:
        """Comparison of `candidate` with `other` in a metric on a suite; None if a candidate was not measured."""
        if found := self._pairs.get((suite, metric, candidate, other)):
            return found
        turned = self._pairs.get((suite, metric, other, candidate))
        return turned and turned.turned()

    def difference(self, suite: str, metric: str, candidate: str, other: str) -> Estimate | None:
        """Mean of `candidate` minus `other` in a metric on a suite, with interval; None if not measured."""
        found = self.pair(suite, metric, candidate, other)
        return found and found.difference

    def cell(self, candidate: str, suite: str, metric: str) -> Cell | None:
        """Mean of a metric for a candidate on a suite, with its interval; None if it was not measured."""
        return self._cells.get((candidate, suite, metric))

    def means(self, suite: str, metric: str) -> dict[str, float]:
        """candidate -> mean of a metric on a suite. Candidates that were not measured are left out."""
        return {cell.candidate: cell.mean for cell in self._measured(suite, metric)}

    def best(self, suite: str, metric: MetricFacts) -> list[str]:
        """The candidates with the best mean of a metric on a suite; empty if none was measured."""
        means = self.means(suite, metric.name)
        if not means:
            return []
        top = (max if metric.better == "higher" else min)(means.values())
        return [name for name, mean in means.items() if mean == top]

    def truth(self, suite: str, metric: str) -> float | None:
        """Mean of a metric for HR itself on a suite; None if the metric is not defined for HR."""
        truths = [cell.truth for cell in self._measured(suite, metric)]
        return next((truth for truth in truths if truth is not None), None)

    def at(self, candidate: str, suite: str, clip: str, frame: int) -> float | None:
        """PSNR of a candidate in one frame of a clip; None if it was not measured."""
        values = self._psnr.get((candidate, suite, clip), [])
        return values[frame] if frame < len(values) else None

    def homes(self, suite: SuiteFacts) -> list[str]:
        """The candidates that were trained for the content type of the suite."""
        return [c.name for c in self.comparison.candidates if c.content and c.content == suite.content]

    def _measured(self, suite: str, metric: str) -> list[Cell]:
        """The cells of a metric on a suite, in the order of the candidates."""
        cells = [self.cell(candidate.name, suite, metric) for candidate in self.comparison.candidates]
        return [cell for cell in cells if cell is not None]
