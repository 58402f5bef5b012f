"""Metrics that an objective names: their directions and labels, and which differences count as a tie."""

from collections.abc import Iterable, Sequence

import yaml

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import config_dir
from vsr_lab.core.records.comparison import MetricFacts

# They rank networks that generate detail no better than chance (their notes in configs/metric), or penalise detail.
FIDELITY = frozenset({"psnr", "ssim", "ms_ssim", "psnr_shifted", "lr_consistency", "vmaf", "vmaf_neg", "cvvdp"})
FRONT = ("psnr", "flicker", "lr_consistency")
EQUAL_DECIBELS = 0.1
EQUAL_SHARE = 0.02


def metric_facts(names: Iterable[str]) -> list[MetricFacts]:
    """How metrics are displayed, from configs/metric/NAME.yaml.

    Metrics without such a file, or with `show: null` in it, are left out.
    """
    files = ((name, config_dir() / "metric" / f"{name}.yaml") for name in names)
    read = ((name, yaml.safe_load(path.read_text("utf-8"))["show"]) for name, path in files if path.is_file())
    return [MetricFacts(name=name, **show) for name, show in read if show]


def sign(metric: MetricFacts) -> int:
    """1 if a higher value is better, else -1."""
    return 1 if metric.better == "higher" else -1


def mean_label(metric: MetricFacts) -> str:
    """Label of the mean of a metric over frames; in dB it states that decibels are averaged, not squared errors."""
    return f"{metric.label} (mean of frames)" if metric.unit == "dB" else metric.label


def equal_within(metric: MetricFacts, value: float) -> float:
    """Largest difference from `value` that counts as a tie: 0.1 dB, or 2 % of `value` for metrics in other units."""
    return EQUAL_DECIBELS if metric.unit == "dB" else EQUAL_SHARE * abs(value)


def axes(front: Sequence[str]) -> dict[str, int]:
    """Axes of a Pareto front: metric -> +1 (higher is better) or -1.

    Raises UserError if a metric has no yaml in configs/metric, or `show: null` in it.
    """
    return {metric.name: sign(metric) for metric in known_metrics("front", front)}


def known_metrics(key: str, names: Sequence[str]) -> list[MetricFacts]:
    """Facts about the metrics in `names`, which is the value of the configuration key `key`.

    Raises UserError if a metric has no yaml in configs/metric, or `show: null` in it.
    """
    found = metric_facts(names)
    missing = set(names) - {metric.name for metric in found}
    if missing:
        known = ", ".join(sorted(path.stem for path in (config_dir() / "metric").glob("*.yaml")))
        raise UserError(
            key, f"{sorted(missing)[0]} is not a metric by which candidates can be ranked", f"use one of {known}"
        )
    return found
