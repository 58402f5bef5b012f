"""Tests whether an evaluation has all values that gates and ranking need.

A candidate without them is refused; the other candidates are not affected.
"""

from collections.abc import Collection, Mapping

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.evaluation import Verdict
from vsr_lab.evaluation.gates import Gate, measure_hint, verdict
from vsr_lab.evaluation.gates.sanity import SanityGate
from vsr_lab.evaluation.results import Run


class Needed:
    """Metrics that a selection needs.

    Args:
        ranking: configuration key (rank_by, front) -> names of the metrics that the key lists.
        gates: the gates, some of which read a metric.
    """

    def __init__(self, ranking: Mapping[str, Collection[str]], gates: Collection[Gate]) -> None:
        self._keys = {metric: f"{key} names" for key, metrics in ranking.items() for metric in metrics}
        self._keys |= {gate.metric: "a gate needs" for gate in gates if gate.metric and gate.metric not in self._keys}
        # In the others, frames without detail or motion may have no value.
        self._paired = {gate.metric for gate in gates if not isinstance(gate, SanityGate)}.union(*ranking.values())

    def check_baseline(self, baseline: Run) -> None:
        """Raise UserError if the evaluation of the baseline lacks one of the metrics."""
        for metric, why in self._keys.items():
            if metric not in baseline.values and (metric in self._paired or not _was_measured(baseline, metric)):
                raise UserError(baseline.folder, f"has no metric {metric}, which {why}", measure_hint(metric))

    def missing(self, run: Run, baseline: Run) -> list[Verdict]:
        """Make a failed verdict of the gate "scores" that names the first missing value; empty if none is missing.

        In every clip in which the baseline has a value, the candidate must have a value too. In metrics for which the
        difference between the two is computed, both must have a value in the same number of frames.
        """
        problems = (self._problem(metric, run, baseline) for metric in self._keys)
        reason = next((problem for problem in problems if problem), "")
        return [verdict("scores", None, None, passed=False, reason=reason)] if reason else []

    def _problem(self, metric: str, run: Run, baseline: Run) -> str:
        if metric not in run.values and not _was_measured(run, metric):
            return f"has no metric {metric}, which {self._keys[metric]}; {measure_hint(metric)}"
        ours, theirs = run.values.get(metric, {}), baseline.values.get(metric, {})
        for clip, expected in theirs.items():
            found = len(ours.get(clip, ()))
            if not found or (metric in self._paired and found != len(expected)):
                rows = f"{found or 'no'} frame{'s' if found > 1 else ''} of {clip}"
                return f"{metric} has a value in {rows}, that of {baseline.candidate} in {len(expected)}"
        return ""


def _was_measured(run: Run, metric: str) -> bool:
    return metric in run.summary.metric_fingerprints
