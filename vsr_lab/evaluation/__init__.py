"""Evaluation of candidates on suites under a protocol: scores, statistics, gates and selection.

Names are imported at first use, so that reading results does not import torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vsr_lab.evaluation.candidates import Candidate as Candidate
    from vsr_lab.evaluation.candidates import NetworkCandidate as NetworkCandidate
    from vsr_lab.evaluation.evaluator import check_clips as check_clips
    from vsr_lab.evaluation.evaluator import evaluate as evaluate
    from vsr_lab.evaluation.gates import Gate as Gate
    from vsr_lab.evaluation.protocol import Protocol as Protocol
    from vsr_lab.evaluation.results import Run as Run
    from vsr_lab.evaluation.results import read_run as read_run
    from vsr_lab.evaluation.results import read_runs as read_runs
    from vsr_lab.evaluation.selection import select as select
    from vsr_lab.evaluation.suites import Suite as Suite

_MODULES = {
    "Candidate": "candidates",
    "Gate": "gates",
    "NetworkCandidate": "candidates",
    "Protocol": "protocol",
    "Run": "results",
    "Suite": "suites",
    "check_clips": "evaluator",
    "evaluate": "evaluator",
    "read_run": "results",
    "read_runs": "results",
    "select": "selection",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
