"""vsr-lab compare: several evaluations on one page."""

from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, plain
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import show_files
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.reporting import compare


def run(cfg: DictConfig) -> None:
    """Write report.html, crops.png and comparison.json."""
    folder = write_comparison(cfg)
    show_files(
        "compared",
        {"report": folder / "report.html", "crops": folder / "crops.png", "numbers": folder / "comparison.json"},
    )


def write_comparison(cfg: DictConfig) -> Path:
    """Compare the runs and return the folder."""
    metrics = [MetricFacts(name=name, **plain(metric.show)) for name, metric in cfg.metrics.items() if metric.show]
    folder = Path(cfg.run_dir)
    compare(
        read_runs(plain(cfg.runs)),
        folder,
        metrics,
        title=cfg.title,
        baseline=cfg.baseline,
        front=plain(cfg.front),
        begin=lambda: begin_run(cfg),
    )
    return folder
