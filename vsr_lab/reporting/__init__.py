"""Evaluation runs side by side: comparison.json, report.html and crops.png."""

from vsr_lab.reporting.comparison import Presentation, compare
from vsr_lab.reporting.page import write_report
from vsr_lab.reporting.sheet import write_sheet

__all__ = ["Presentation", "compare", "write_report", "write_sheet"]
