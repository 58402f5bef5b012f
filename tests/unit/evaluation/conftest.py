"""Evaluations made up from plain numbers."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsr_lab.core.records.evaluation import Evaluated
from vsr_lab.evaluation.results import Run, read_run, write_results
from vsr_lab.evaluation.statistics import Values

MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """make_run(candidate, {metric: {clip: values}}, suite, **facts): an evaluation on disk, read back."""

    def make(
        candidate: str, values: Mapping[str, Mapping[str, Sequence[float]]], suite: str = "film", **facts: Any
    ) -> Run:
        folder = tmp_path / f"{suite}-{candidate}-{len(list(tmp_path.iterdir()))}"
        scores: dict[str, dict[str, Values]] = {}
        for metric, clips in values.items():
            for clip, numbers in clips.items():
                scores.setdefault(clip, {})[metric] = np.array(numbers, np.float64)
        defaults: dict[str, Any] = {
            "candidate": candidate,
            "candidate_facts": {"kind": "interpolation"},
            "suite": suite,
            "content": "live_action",
            "suite_fingerprint": f"clips of {suite}",
            "protocol": {"name": "base", "fingerprint": "settings", "scale": 2, "description": "as it is"},
            "metric_fingerprints": dict.fromkeys(values, "as it is"),
            "ms_per_frame": 1.0,
            "pictures": [],
        }
        protocol = {**defaults["protocol"], **facts.pop("protocol", {})}
        write_results(folder, Evaluated.model_validate({**defaults, **facts, "protocol": protocol}), scores)
        return read_run(folder)

    return make
