"""vsr-lab compare: evaluations side by side on one page."""

from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, plain
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import show_files
from vsr_lab.core.records import write_record
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.reporting import compare, write_report, write_sheet


def run(cfg: DictConfig) -> None:
    """Write report.html, crops.png and comparison.json."""
    folder = write_comparison(cfg)
    show_files(
        "compared",
        {"report": folder / "report.html", "crops": folder / "crops.png", "numbers": folder / "comparison.json"},
    )


def write_comparison(cfg: DictConfig) -> Path:
    """Compare the runs, which are read and checked before anything is written, and return the folder."""
    metrics = [MetricFacts(name=name, **plain(metric.show)) for name, metric in cfg.metrics.items() if metric.show]
    comparison = compare(
        read_runs(cfg.runs),
        metrics,
        Path(cfg.run_dir),
        title=cfg.title,
        baseline=cfg.baseline,
        front=plain(cfg.front),
    )
    folder = begin_run(cfg)
    write_record(folder / "comparison.json", comparison)
    write_report(comparison, folder, folder / "report.html")
    write_sheet(comparison, folder, folder / "crops.png")
    return folder
