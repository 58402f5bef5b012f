"""The files of an evaluation: frames.parquet, clips.csv, summary.json."""

import math
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import atomic_path, check_file, read_parquet
from vsr_lab.core.records import read_record, record_of_files, write_record
from vsr_lab.core.records.evaluation import Estimate, Evaluated, Summary
from vsr_lab.evaluation.statistics import Values, estimate

_COLUMNS = {
    "candidate": pl.String,
    "suite": pl.String,
    "clip": pl.String,
    "frame": pl.Int32,
    "metric": pl.String,
    "value": pl.Float64,
}
_AGAIN = "run vsr-lab evaluate again"
_LAST_FRAME = 1_000_000  # curves have a value for every frame up to the last scored one
_UNSCORED = 1_000_000  # frames without a value in all curves
_VERSIONED = ("vsr-lab", "torch", "piq", "opencv-python-headless", "decord", "numpy")


def write_results(folder: Path, evaluated: Evaluated, scores: Mapping[str, Mapping[str, Values]]) -> Summary:
    """Write frames.parquet, clips.csv and summary.json into a folder, and return the summary.

    Args:
        folder: folder of the evaluation.
        evaluated: candidate, suite and protocol.
        scores: clip -> metric -> one value per frame, NaN for frames without a value.
    """
    # Not by grouping a data frame, which takes ten times the memory of the values.
    places = {
        (clip, metric): np.flatnonzero(~np.isnan(row)) for clip, rows in scores.items() for metric, row in rows.items()
    }
    values: dict[str, dict[str, Values]] = {}
    for (clip, metric), own in places.items():
        if len(own):
            values.setdefault(metric, {})[clip] = scores[clip][metric][own]
    clips = [clip for clip in scores if any(clip in own for own in values.values())]
    per_clip = {
        clip: {metric: float(own[clip].mean()) if clip in own else None for metric, own in values.items()}
        for clip in clips
    }
    known = {"candidate": evaluated.candidate, "suite": evaluated.suite}
    with atomic_path(folder / "frames.parquet") as temporary:
        pl.concat(
            pl.DataFrame({"frame": own, "value": scores[clip][metric][own]})
            .with_columns(pl.lit(text).alias(key) for key, text in {**known, "clip": clip, "metric": metric}.items())
            .select(pl.col(name).cast(kind) for name, kind in _COLUMNS.items())
            for (clip, metric), own in places.items()
        ).write_parquet(temporary)
    with atomic_path(folder / "clips.csv") as temporary:
        pl.DataFrame([{"clip": clip, **means} for clip, means in per_clip.items()]).write_csv(temporary)
    summary = Summary(
        **dict(evaluated),
        clips=len(clips),
        frames=sum(len({t for metric in scores[clip] for t in places[clip, metric].tolist()}) for clip in clips),
        metrics={name: estimate(own) for name, own in values.items()},
        per_clip=per_clip,
        versions={"python": platform.python_version(), **{name: version(name) for name in _VERSIONED}},
        machine=describe_machine(),
    )
    write_record(folder / "summary.json", summary)
    return summary


def _by_metric(frames: pl.DataFrame) -> dict[str, dict[str, Values]]:
    parts = frames.sort("frame").partition_by("metric", "clip", as_dict=True, maintain_order=True)
    values: dict[str, dict[str, Values]] = {}
    for (metric, clip), part in parts.items():
        values.setdefault(str(metric), {})[str(clip)] = part["value"].to_numpy().astype(np.float64)
    return values


@dataclass(frozen=True)
class Run:
    """An evaluation read from its folder."""

    folder: Path
    summary: Summary

    @property
    def candidate(self) -> str:
        return self.summary.candidate

    @property
    def suite(self) -> str:
        return self.summary.suite

    @cached_property
    def values(self) -> dict[str, dict[str, Values]]:
        """metric -> clip -> values of the scored frames, in frame order."""
        return _by_metric(self._rows)

    @cached_property
    def _rows(self) -> pl.DataFrame:
        path = self.folder / "frames.parquet"
        with reported(UserError, path, "is not a table of an evaluation", _AGAIN):
            rows = read_parquet(path, list(_COLUMNS))
        wrong = [name for name, kind in _COLUMNS.items() if rows.schema[name] != kind]
        if wrong:
            raise UserError(
                path, f"has the type {rows.schema[wrong[0]]} in column {wrong[0]}, not {_COLUMNS[wrong[0]]}", _AGAIN
            )
        if any(any(counts) for counts in rows.null_count().iter_rows()):
            raise UserError(path, "has empty cells", _AGAIN)
        if len(rows.filter(~pl.col("frame").is_between(0, _LAST_FRAME))):
            raise UserError(path, f"has frame numbers that are not in [0, {_LAST_FRAME}]", _AGAIN)
        lengths = rows.group_by("clip", "metric").agg(pl.col("frame").max() + 1)
        if int(lengths["frame"].sum()) > 4 * len(rows) + _UNSCORED:
            raise UserError(path, "has frame numbers that are too large for its number of rows", _AGAIN)
        return rows

    def check(self) -> None:
        """Raise UserError unless summary.json and frames.parquet of the evaluation agree."""
        means = self._rows.group_by("clip", "metric").agg(pl.col("value").mean())
        found = {(clip, metric): value for clip, metric, value in means.iter_rows()}
        said = {(clip, m): value for clip, row in self.summary.per_clip.items() for m, value in row.items()}
        agree = all(_same(found.get(key), said.get(key)) for key in {*found, *said})
        agree = agree and not self._rows.select("clip", "frame", "metric").is_duplicated().any()
        agree = agree and _agree({m: estimate(values) for m, values in self.values.items()}, self.summary.metrics)
        if not agree or self._rows.select("clip", "frame").n_unique() != self.summary.frames:
            raise UserError(self.folder / "summary.json", "does not agree with frames.parquet", _AGAIN)

    def curve(self, metric: str, clip: str) -> list[float | None]:
        """Values of a metric for a clip, from frame 0 to the last scored frame; None for frames without a value."""
        rows = self._rows.filter(pl.col("clip") == clip)
        known = dict(rows.filter(pl.col("metric") == metric).select("frame", "value").iter_rows())
        last = rows["frame"].max()
        assert isinstance(last, int)
        return [known.get(frame) for frame in range(last + 1)]


def _same(a: Any, b: Any) -> bool:
    return a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9))


def _agree(found: Mapping[str, Estimate], said: Mapping[str, Estimate]) -> bool:
    """Whether the means and intervals of all metrics are the same."""
    return found.keys() == said.keys() and all(
        own.about == said[name].about
        and all(_same(getattr(own, key), getattr(said[name], key)) for key in ("mean", "low", "high"))
        for name, own in found.items()
    )


def read_run(folder: Path) -> Run:
    """Read the evaluation in folder.

    Raises UserError if summary.json or frames.parquet is missing or damaged, or if the two do not agree.
    """
    summary = read_record(folder / "summary.json", Summary)
    check_file(folder / "frames.parquet", _AGAIN)
    run = Run(folder, summary)
    run.check()
    return run


def check_results(folder: Path, candidate: str, suite: str, protocol: str) -> None:
    """Raise UserError if writing results to a folder would replace other files than results of the same evaluation.

    Args:
        folder: the folder.
        candidate, suite: names of the candidate and of the suite of the evaluation.
        protocol: fingerprint of its protocol.
    """
    summary = record_of_files(folder, ("summary.json", "frames.parquet", "clips.csv"), Summary, "an evaluation")
    if summary and (summary.candidate, summary.suite, summary.protocol.fingerprint) != (candidate, suite, protocol):
        raise UserError(folder, f"contains the evaluation of {summary.candidate}", "choose another folder")


def read_runs(runs: Iterable[Run | Path | str]) -> list[Run]:
    """Read evaluations from their folders. Raises UserError if `runs` is empty, or a folder contains no evaluation."""
    found = [run if isinstance(run, Run) else read_run(Path(run)) for run in runs]
    if not found:
        raise UserError("runs=[]", "is empty", "set runs=[<evaluation folder>,...]")
    return found


def by_suite(runs: Iterable[Run]) -> dict[str, dict[str, Run]]:
    """Group evaluations by suite and candidate: suite -> candidate -> evaluation."""
    suites: dict[str, dict[str, Run]] = {}
    for run in runs:
        suites.setdefault(run.suite, {})[run.candidate] = run
    return suites


def check_comparable(runs: list[Run]) -> None:
    """Raise UserError unless all evaluations can be compared. The message names two that cannot.

    All must have the same protocol and metric settings. Evaluations on one suite must have the same clips and different
    candidates.
    """
    first = runs[0].summary.protocol
    for run in runs[1:]:
        own = run.summary.protocol
        for key, what in (("name", "protocol"), ("fingerprint", "protocol settings")):
            if (found := getattr(own, key)) != (wanted := getattr(first, key)):
                hint = "evaluate both with the same protocol and settings"
                raise UserError(run.folder, f"has {what} {found}, but {runs[0].folder} has {wanted}", hint)
    measured: dict[str, Run] = {}
    suites: dict[str, Run] = {}
    seen: dict[tuple[str, str], Run] = {}
    for run in runs:
        for name, fingerprint in run.summary.metric_fingerprints.items():
            other = measured.setdefault(name, run)
            if other.summary.metric_fingerprints[name] != fingerprint:
                raise UserError(run.folder, f"computed {name} differently from {other.folder}", _AGAIN)
        other = suites.setdefault(run.suite, run)
        if run.summary.suite_fingerprint != other.summary.suite_fingerprint:
            raise UserError(run.folder, f"suite {run.suite} has other clips than in {other.folder}", _AGAIN)
        twin = seen.setdefault((run.suite, run.candidate), run)
        if twin is not run:
            hint = "leave one out, or evaluate one again under another candidate.name="
            problem = f"has candidate {run.candidate} on suite {run.suite}, and so has {twin.folder}"
            raise UserError(run.folder, problem, hint)


_LINUX = Path("/proc/cpuinfo")


def describe_machine() -> str:
    """Description of this machine: processor, number of cores, number of threads in use, and GPU if there is one."""
    import torch  # reading results does without it

    lines = _LINUX.read_text("utf-8").splitlines() if _LINUX.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    parts = [processor, f"{os.cpu_count()} cores", f"{torch.get_num_threads()} threads"]
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    return ", ".join(parts)
