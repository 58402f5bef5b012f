"""Candidates x suites -> score table -> statistics -> report and selection."""

from vsr_lab.evaluation.candidates import Candidate, NetworkCandidate
from vsr_lab.evaluation.comparison import Presentation, compare
from vsr_lab.evaluation.evaluate import check_clips, evaluate
from vsr_lab.evaluation.gates import Gate
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.evaluation.report import write_report
from vsr_lab.evaluation.results import Run, read_run
from vsr_lab.evaluation.selection import select
from vsr_lab.evaluation.sheet import write_sheet
from vsr_lab.evaluation.suites import Suite

__all__ = [
    "Candidate",
    "Gate",
    "NetworkCandidate",
    "Presentation",
    "Protocol",
    "Run",
    "Suite",
    "check_clips",
    "compare",
    "evaluate",
    "read_run",
    "select",
    "write_report",
    "write_sheet",
]
