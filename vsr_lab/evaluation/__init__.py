"""Candidates on suites under a protocol: scores, their statistics, gates and the selection.

Names are imported at first use, so that reading results does not import torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vsr_lab.evaluation.candidates import Candidate, NetworkCandidate
    from vsr_lab.evaluation.evaluator import check_clips, evaluate
    from vsr_lab.evaluation.gates import Gate
    from vsr_lab.evaluation.protocol import Protocol
    from vsr_lab.evaluation.results import Run, read_run
    from vsr_lab.evaluation.selection import select
    from vsr_lab.evaluation.suites import Suite

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
    "select": "selection",
}

__all__ = [
    "Candidate",
    "Gate",
    "NetworkCandidate",
    "Protocol",
    "Run",
    "Suite",
    "check_clips",
    "evaluate",
    "read_run",
    "select",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
