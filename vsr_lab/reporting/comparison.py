"""Runs side by side: what report.html shows and comparison.json says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsr_lab.evaluation.results import Run, check_comparable
from vsr_lab.evaluation.statistics import paired, pareto


@dataclass(frozen=True)
class Presentation:
    """How a metric is shown. better: "higher" or "lower"; truth: the metric that measures the same on the truth."""

    label: str
    unit: str
    better: str
    digits: int
    note: str = ""
    truth: str | None = None


def compare(
    runs: list[Run], title: str, baseline: str, metrics: Mapping[str, Presentation], root: Path
) -> dict[str, Any]:
    """The comparison of runs; paths of pictures are relative to root. metrics: those known, in report order.

    Raises UserError where runs cannot be compared.
    """
    check_comparable(runs)
    by_suite: dict[str, dict[str, Run]] = {}
    for run in runs:
        by_suite.setdefault(run.suite, {})[run.candidate] = run
    measured = {name: shown for name, shown in metrics.items() if any(name in run.summary["metrics"] for run in runs)}
    first = runs[0].summary
    return {
        "schema": 1,
        "title": title,
        "protocol": {
            "name": first["protocol"],
            "fingerprint": first["protocol_fingerprint"],
            "scale": first["scale"],
            "description": first["protocol_description"],
        },
        "baseline": baseline,
        "suites": [_suite(name, next(iter(found.values()))) for name, found in by_suite.items()],
        "candidates": _candidates(runs),
        "metrics": [{"name": n, **{k: v for k, v in vars(m).items() if k != "truth"}} for n, m in measured.items()],
        "cells": [
            _cell(run, name, shown, by_suite[run.suite].get(baseline))
            for run in runs
            for name, shown in measured.items()
            if name in run.summary["metrics"]
        ],
        "pareto": {suite: _front(found) for suite, found in by_suite.items()},
        "curves": [
            {
                "suite": run.suite,
                "clip": clip,
                "metric": name,
                "candidate": run.candidate,
                "values": run.curve(name, clip),
            }
            for run in runs
            for name in measured
            for clip in run.values.get(name, {})
        ],
        "pictures": [picture for found in by_suite.values() for picture in _pictures(found, root)],
        "notes": [f"{m.label}: {m.note}" for m in measured.values() if m.note],
    }


def _suite(name: str, run: Run) -> dict[str, Any]:
    summary = run.summary
    return {
        "name": name,
        "content": summary["content"],
        "clips": list(summary["per_clip"]),
        "frames": summary["frames"],
    }


def _candidates(runs: list[Run]) -> list[dict[str, Any]]:
    """One entry a candidate; its pace is the mean over its suites."""
    paces: dict[str, list[float]] = {}
    for run in runs:
        paces.setdefault(run.candidate, []).append(run.summary["ms_per_frame"])
    facts = {run.candidate: run.summary["candidate_facts"] for run in runs}
    return [
        {
            "name": name,
            "parameters": facts[name].get("parameters"),
            "ms_per_frame": sum(pace) / len(pace),
            "content": facts[name].get("content"),
        }
        for name, pace in paces.items()
    ]


def _cell(run: Run, metric: str, shown: Presentation, baseline: Run | None) -> dict[str, Any]:
    found = run.summary["metrics"]
    difference = None
    if baseline and baseline is not run and metric in baseline.values:
        difference = paired(run.values[metric], baseline.values[metric]).to_json()
    truth = found[shown.truth]["mean"] if shown.truth in found else None
    return {
        "candidate": run.candidate,
        "suite": run.suite,
        "metric": metric,
        **found[metric],
        "truth": truth,
        "difference": difference,
    }


def _front(found: dict[str, Run]) -> list[str]:
    """The candidates that none beats in both PSNR and flicker."""
    axes = ("psnr", 1), ("flicker", -1)
    points = {
        name: [sign * run.summary["metrics"][metric]["mean"] for metric, sign in axes]
        for name, run in found.items()
        if all(metric in run.summary["metrics"] for metric, _ in axes)
    }
    return pareto(points)


def _pictures(found: dict[str, Run], root: Path) -> list[dict[str, Any]]:
    first = next(iter(found.values()))

    def path(run: Run, clip: str, name: str) -> str:
        return os.path.relpath(run.folder / "pictures" / clip / f"{name}.png", root)

    return [
        {
            "suite": first.suite,
            "clip": shot["clip"],
            "frame": shot["frame"],
            "row": shot["row"],
            **{name: path(first, shot["clip"], name) for name in ("lr", "hr", "hr_xt")},
            "candidates": [
                {"candidate": n, **{name: path(run, shot["clip"], name) for name in ("sr", "sr_xt")}}
                for n, run in found.items()
            ],
        }
        for shot in first.summary["pictures"]
    ]
