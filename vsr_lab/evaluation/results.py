"""What an evaluation leaves on disk, written and read in one place: frames.parquet, clips.csv, summary.json."""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, read_json, write_json
from vsr_lab.evaluation.scoring import Score
from vsr_lab.evaluation.statistics import Values, estimate

_COLUMNS = {
    "candidate": pl.String,
    "suite": pl.String,
    "clip": pl.String,
    "frame": pl.Int32,
    "metric": pl.String,
    "value": pl.Float64,
}
_VERSIONED = ("vsr-lab", "torch", "piq", "opencv-python-headless", "decord", "numpy")


def write_results(folder: Path, suite: str, scores: Iterable[Score], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write the three files into folder and return the summary. facts: what the summary says besides numbers."""
    rows = [(s.candidate, suite, s.clip, s.frame, s.metric, s.value) for s in scores]
    frames = pl.DataFrame(rows, schema=_COLUMNS, orient="row")
    with atomic_path(folder / "frames.parquet") as temporary:
        frames.write_parquet(temporary)
    means = frames.group_by("clip", "metric", maintain_order=True).agg(pl.col("value").mean())
    wide = means.pivot("metric", index="clip", values="value")
    with atomic_path(folder / "clips.csv") as temporary:
        wide.write_csv(temporary)
    per_clip = {row["clip"]: {k: v for k, v in row.items() if k != "clip"} for row in wide.to_dicts()}
    metrics = {name: estimate(values).to_json() for name, values in _by_metric(frames).items()}
    summary = {
        "schema": 1,
        **facts,
        "suite": suite,
        "clips": len(per_clip),
        "frames": frames.select("clip", "frame").n_unique(),
        "metrics": metrics,
        "per_clip": per_clip,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONED}},
    }
    write_json(folder / "summary.json", summary)
    return summary


def _by_metric(frames: pl.DataFrame) -> dict[str, dict[str, Values]]:
    parts = frames.sort("frame").partition_by("metric", "clip", as_dict=True, maintain_order=True)
    values: dict[str, dict[str, Values]] = {}
    for (metric, clip), part in parts.items():
        values.setdefault(str(metric), {})[str(clip)] = part["value"].to_numpy().astype(np.float64)
    return values


@dataclass(frozen=True)
class Run:
    """An evaluation folder, read back."""

    folder: Path
    summary: dict[str, Any]

    @property
    def candidate(self) -> str:
        return self.summary["candidate"]

    @property
    def suite(self) -> str:
        return self.summary["suite"]

    @cached_property
    def values(self) -> dict[str, dict[str, Values]]:
        """metric -> clip -> one value a frame, in frame order."""
        return _by_metric(self._rows)

    @cached_property
    def _rows(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "frames.parquet")

    def curve(self, metric: str, clip: str) -> list[float | None]:
        """One value a frame from frame 0 to the clip's last, None where the metric has none."""
        rows = self._rows.filter(pl.col("clip") == clip)
        known = dict(rows.filter(pl.col("metric") == metric).select("frame", "value").iter_rows())
        last = rows["frame"].max()
        assert isinstance(last, int)
        return [known.get(frame) for frame in range(last + 1)]


def read_run(folder: Path) -> Run:
    """The evaluation in folder. Raises UserError where there is none."""
    summary = read_json(folder / "summary.json")
    if not isinstance(summary, dict) or summary.get("schema") != 1 or "protocol" not in summary:
        raise UserError(folder / "summary.json", "is no evaluation's summary", "give a run_dir of vsr-lab evaluate")
    if not (folder / "frames.parquet").is_file():
        raise UserError(folder / "frames.parquet", "not found", "evaluate again")
    return Run(folder, summary)


def check_comparable(runs: list[Run]) -> None:
    """Raises UserError, naming both runs, unless every number was made under one protocol on the same clips."""
    first = runs[0]
    for run in runs[1:]:
        for key, what in (("protocol", "protocol"), ("protocol_fingerprint", "settings of the protocol")):
            if run.summary[key] != first.summary[key]:
                raise UserError(
                    run.folder,
                    f"{what} {run.summary[key]}, but {first.folder} has {first.summary[key]}",
                    "numbers under different protocols cannot be compared; evaluate again under one",
                )
    measured: dict[str, Run] = {}
    for run in runs:
        for name, fingerprint in run.summary["metric_fingerprints"].items():
            other = measured.setdefault(name, run)
            if other.summary["metric_fingerprints"][name] != fingerprint:
                raise UserError(run.folder, f"measured {name} otherwise than {other.folder}", "evaluate again")
    by_suite: dict[str, Run] = {}
    for run in runs:
        other = by_suite.setdefault(run.suite, run)
        if run.summary["suite_fingerprint"] != other.summary["suite_fingerprint"]:
            raise UserError(run.folder, f"suite {run.suite} has other clips than in {other.folder}", "evaluate again")
    seen: dict[tuple[str, str], Run] = {}
    for run in runs:
        twin = seen.setdefault((run.suite, run.candidate), run)
        if twin is not run:
            raise UserError(run.folder, f"{run.candidate} on {run.suite} is also in {twin.folder}", "leave one out")
