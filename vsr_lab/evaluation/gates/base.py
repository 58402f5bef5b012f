"""Base class of gates, which decide whether a candidate may be deployed, and what gates read from evaluations."""

import math
from abc import ABC, abstractmethod

import numpy as np

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.evaluation import Verdict
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import Values


class Gate(ABC):
    """Base class of gates, which compare the evaluation of a candidate with that of the baseline on the same suite.

    Attributes:
        metric: name of the metric that the gate reads; empty if it reads none.
        is_slow: whether the gate runs the network, so that `select` tests only candidates that failed no earlier gate.
    """

    metric: str = ""
    is_slow: bool = False

    @abstractmethod
    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        """Decide whether a candidate passes the gate.

        Args:
            name: name of the gate in the configuration.
            run: evaluation of the candidate.
            baseline: evaluation of the baseline on the same suite.
        """


def verdict(name: str, value: float | None, bound: float | None, *, passed: bool, reason: str) -> Verdict:
    """Make the result of a gate, "pass" or "fail"; a value that is not finite is stored as None."""
    known = value is not None and math.isfinite(value)
    outcome = "pass" if passed else "fail"
    return Verdict(gate=name, value=value if known else None, bound=bound, outcome=outcome, reason=reason)


def clip_values(run: Run, baseline: Run | None, metric: str) -> list[tuple[str, Values, Values]]:
    """(clip, values of run, values of baseline) for each clip in which both have values.

    Without a baseline (None), its values are an empty array.
    """
    ours = metric_values(run, metric)
    theirs = metric_values(baseline, metric) if baseline else {}
    pairs = [(clip, values, theirs.get(clip, np.empty(0))) for clip, values in ours.items() if len(values)]
    return [pair for pair in pairs if not baseline or len(pair[2])]


def metric_values(run: Run, metric: str) -> dict[str, Values]:
    """Clip -> values of a metric. Raises UserError if the evaluation lacks the metric."""
    if metric not in run.values:
        raise UserError(
            run.folder,
            f"has no metric {metric}, which a gate needs",
            measure_hint(metric),
        )
    return run.values[metric]


def measure_hint(metric: str) -> str:
    """Hint for an error message: what the user can do if an evaluation lacks a metric."""
    return f"evaluate again with +metric@protocol.metrics.{metric}={metric}"
