"""vsr-lab compare: evaluation folders to one page."""

from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, plain
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import show_files
from vsr_lab.core.files import write_json
from vsr_lab.reporting import Presentation, compare, write_report, write_sheet


def run(cfg: DictConfig) -> None:
    """Write report.html and comparison.json."""
    folder = write_comparison(cfg)
    show_files(
        "compared",
        {"report": folder / "report.html", "crops": folder / "crops.png", "numbers": folder / "comparison.json"},
    )


def write_comparison(cfg: DictConfig) -> Path:
    """Compare the runs, which are read and checked before anything is written; returns the folder."""
    runs = read_runs(cfg.runs)
    metrics = {name: Presentation(**plain(metric.show)) for name, metric in cfg.metrics.items() if metric.show}
    comparison = compare(runs, cfg.title, cfg.baseline, metrics, Path(cfg.run_dir))
    folder = begin_run(cfg)
    write_json(folder / "comparison.json", comparison)
    write_report(comparison, folder, folder / "report.html")
    write_sheet(comparison, folder, folder / "crops.png")
    return folder
