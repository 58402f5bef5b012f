"""Candidates x suites -> score table -> statistics, gates and selection."""

from vsr_lab.evaluation.candidates import Candidate, NetworkCandidate
from vsr_lab.evaluation.evaluate import check_clips, evaluate
from vsr_lab.evaluation.gates import Gate
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.evaluation.results import Run, read_run
from vsr_lab.evaluation.selection import select
from vsr_lab.evaluation.suites import Suite

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
