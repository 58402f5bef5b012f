"""Comparison of evaluations and its files: comparison.json, report.html, crops.png and videos."""

from vsr_lab.reporting.comparison import compare, saved_clips
from vsr_lab.reporting.page import write_report, write_video_report
from vsr_lab.reporting.saved import write_sheet
