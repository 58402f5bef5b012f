"""The comparison report: one HTML file that opens offline."""

from vsr_lab.evaluation.report.page import write_report

__all__ = ["write_report"]
