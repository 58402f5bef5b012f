"""vsr-lab evaluate: one candidate, one suite, one protocol."""

from typing import Any

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.show import show_files, show_table
from vsr_lab.evaluation import Protocol, check_clips, evaluate


def run(cfg: DictConfig) -> None:
    """Score the candidate and write its numbers and pictures."""
    candidate, suite, protocol = build(cfg.candidate), build(cfg.suite), build_protocol(cfg.protocol)
    clips = check_clips([candidate], suite, protocol)  # before anything is written
    folder = begin_run(cfg)
    summary = evaluate({folder: candidate}, suite, clips, protocol)[folder]
    show_summary(summary)
    show_files("written", {"summary": folder / "summary.json", "frames": folder / "frames.parquet"})


def build_protocol(cfg: DictConfig) -> Protocol:
    """The protocol a configuration describes; what it hashes are its plain numbers."""
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


def show_summary(summary: dict[str, Any]) -> None:
    """A row a metric: its mean, its interval, and each clip's mean where they are few."""
    per_clip = summary["per_clip"] if len(summary["per_clip"]) <= 5 else {}
    rows = [
        [
            name,
            f"{found['mean']:.4f}",
            f"{found['ci95'][0]:.4f} to {found['ci95'][1]:.4f}",
            *(f"{values[name]:.4f}" for values in per_clip.values()),
        ]
        for name, found in summary["metrics"].items()
    ]
    title = f"{summary['candidate']} on {summary['suite']} ({summary['protocol']}), {summary['frames']} frames"
    show_table(title, ["metric", "mean", "95 % interval", *per_clip], rows)
