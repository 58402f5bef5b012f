"""vsr-lab evaluate: one candidate on one suite under one protocol."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.runs import check_content
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.core.records.evaluation import Estimate, Summary
from vsr_lab.evaluation import Candidate, Protocol, evaluate


def run(cfg: DictConfig) -> None:
    """Score the candidate and write its numbers and pictures."""
    ((folder, summary),) = judge([cfg]).items()
    show_summary(summary)
    show_files("written", {"summary": folder / "summary.json", "frames": folder / "frames.parquet"})


def judge(configs: Sequence[DictConfig]) -> dict[Path, Summary]:
    """Evaluate candidates in one pass and write the results of each.

    Args:
        configs: configurations of this command, equal except for candidate and run_dir.

    Returns:
        folder -> summary.
    """
    check_content("suite.content", configs[0].suite.content)
    candidates: dict[Path, Candidate] = {Path(config.run_dir): build(config.candidate) for config in configs}
    return evaluate(
        candidates,
        build(configs[0].suite),
        build_protocol(configs[0].protocol),
        begin=lambda: [begin_run(config) for config in configs],
    )


def build_protocol(cfg: DictConfig) -> Protocol:
    """The protocol that a configuration describes; its fingerprint is a hash of the plain configuration."""
    settings: dict[str, Any] = plain(cfg)
    settings["metrics"] = {name: metric["measure"] for name, metric in settings["metrics"].items()}
    return Protocol(
        name=cfg.name,
        description=cfg.description,
        scale=cfg.scale,
        degradation=build(cfg.degradation),
        colour=cfg.colour,
        crop=cfg.crop,
        trim=cfg.trim,
        centre_only=cfg.centre_only,
        metrics={name: build(metric.measure) for name, metric in cfg.metrics.items()},
        settings={key: value for key, value in settings.items() if key not in {"name", "description"}},
    )


def _interval(found: Estimate) -> str:
    if found.low is None:
        return "too few frames"
    return f"{found.low:.4f} to {found.high:.4f}" + ("" if found.about == "clips" else " (these frames)")


def show_summary(summary: Summary) -> None:
    """Print one row per metric: its mean, its interval, and the mean of each clip if there are few."""
    per_clip = summary.per_clip if len(summary.per_clip) <= 5 else {}
    rows = [
        [
            name,
            f"{found.mean:.4f}",
            _interval(found),
            *("" if (mean := means[name]) is None else f"{mean:.4f}" for means in per_clip.values()),
        ]
        for name, found in summary.metrics.items()
    ]
    title = f"{summary.candidate} on {summary.suite} ({summary.protocol.name}), {summary.frames} frames"
    show_table(title, ["metric", "mean", "95 % interval", *per_clip], rows)
