"""Evaluations made up from plain numbers."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from vsr_lab.evaluation.results import Run, read_run, write_results
from vsr_lab.evaluation.scoring import Score

MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """make_run(candidate, {metric: {clip: values}}, suite, **facts): an evaluation on disk, read back."""

    def make(
        candidate: str, values: Mapping[str, Mapping[str, Sequence[float]]], suite: str = "film", **facts: Any
    ) -> Run:
        folder = tmp_path / f"{suite}-{candidate}-{len(list(tmp_path.iterdir()))}"
        scores = [
            Score(candidate, clip, t, metric, value)
            for metric, clips in values.items()
            for clip, numbers in clips.items()
            for t, value in enumerate(numbers)
        ]
        defaults = {
            "candidate": candidate,
            "candidate_facts": {"kind": "interpolation"},
            "content": "live_action",
            "suite_fingerprint": f"clips of {suite}",
            "protocol": "base",
            "protocol_fingerprint": "settings",
            "protocol_description": "as it is",
            "metric_fingerprints": dict.fromkeys(values, "as it is"),
            "scale": 2,
            "ms_per_frame": 1.0,
            "pictures": [],
        }
        write_results(folder, suite, scores, {**defaults, **facts})
        return read_run(folder)

    return make
