"""Evaluations on disk, and which of them may stand side by side."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.evaluation import Estimate
from vsr_lab.evaluation.results import Run, check_comparable, read_run

MakeRun = Callable[..., Run]
VALUES = {"psnr": {"walk": [30.0, 31.5, 29.25], "city": [25.0, 26.0, 27.0]}, "flicker": {"walk": [1.5]}}


def test_values_come_back_as_they_were(make_run: MakeRun) -> None:
    values = make_run("ours", VALUES).values
    assert {m: {c: v.tolist() for c, v in clips.items()} for m, clips in values.items()} == VALUES


def test_the_summary_has_means_over_frames_then_clips(make_run: MakeRun) -> None:
    summary = make_run("ours", VALUES).summary
    assert summary.metrics["psnr"].mean == pytest.approx((30.25 + 26) / 2)
    assert summary.per_clip["walk"] == {"psnr": 30.25, "flicker": 1.5}
    assert (summary.clips, summary.frames) == (2, 6)
    assert summary.metrics["flicker"] == Estimate(mean=1.5)


def test_a_metric_that_a_clip_lacks_is_empty_there(make_run: MakeRun) -> None:
    run = make_run("ours", VALUES)
    assert run.summary.per_clip["city"]["flicker"] is None
    with (run.folder / "clips.csv").open(newline="") as file:
        rows = {row["clip"]: row for row in csv.DictReader(file)}
    assert (rows["walk"]["psnr"], rows["city"]["flicker"]) == ("30.25", "")


def test_the_summary_is_plain_json_with_versions(make_run: MakeRun) -> None:
    summary = json.loads((make_run("ours", VALUES).folder / "summary.json").read_text())
    assert (summary["record"], summary["schema_version"]) == ("summary", 1)
    assert {"python", "vsr-lab", "torch"} <= set(summary["versions"])


def test_a_curve_has_a_place_for_every_frame(make_run: MakeRun) -> None:
    run = make_run("ours", VALUES)
    assert run.curve("psnr", "walk") == [30.0, 31.5, 29.25]
    assert run.curve("flicker", "walk") == [1.5, None, None]


def test_a_folder_that_holds_no_evaluation_is_refused(tmp_path: Path, make_run: MakeRun) -> None:
    with pytest.raises(UserError, match=r"summary\.json: not found"):
        read_run(tmp_path / "nowhere")
    run = make_run("ours", VALUES)
    (run.folder / "frames.parquet").unlink()
    with pytest.raises(UserError, match=r"frames\.parquet: not found"):
        read_run(run.folder)
    (run.folder / "summary.json").write_text('{"schema": 1}')
    with pytest.raises(UserError, match="is not a summary record; give one written by vsr-lab evaluate"):
        read_run(run.folder)


def test_a_damaged_table_is_reported(make_run: MakeRun) -> None:
    run = make_run("ours", VALUES)
    table = run.folder / "frames.parquet"
    table.write_bytes(table.read_bytes()[:100])
    with pytest.raises(UserError, match=r"frames\.parquet: is not a table"):
        read_run(run.folder)


def test_a_frame_number_that_no_clip_has_is_refused(make_run: MakeRun) -> None:
    run = make_run("ours", VALUES)
    table = run.folder / "frames.parquet"
    rows = pl.read_parquet(table)
    last = pl.when(pl.col("frame") == pl.col("frame").max()).then(2**31 - 1).otherwise(pl.col("frame"))
    rows.with_columns(last.cast(rows.schema["frame"]).alias("frame")).write_parquet(table)
    with pytest.raises(UserError, match=r"frames\.parquet: has frame numbers that are not in \[0, 1000000\]"):
        read_run(run.folder)


def test_curves_of_a_few_far_frames_are_refused(make_run: MakeRun) -> None:
    """Each has a place for every frame, so a small table of 60 clips could need gigabytes."""
    run = make_run("ours", {"psnr": {f"clip{i}": [30.0] for i in range(60)}})
    table = run.folder / "frames.parquet"
    rows = pl.read_parquet(table)
    rows.with_columns(pl.lit(10**6).cast(rows.schema["frame"]).alias("frame")).write_parquet(table)
    with pytest.raises(UserError, match=r"frames\.parquet: has frame numbers that are too large"):
        read_run(run.folder)


def test_a_summary_and_a_table_that_disagree_are_refused(make_run: MakeRun) -> None:
    run = make_run("ours", VALUES)
    path = run.folder / "summary.json"
    told = json.loads(path.read_text())
    for change in (
        lambda said: said["metrics"]["psnr"].update(mean=99.0),
        lambda said: said["metrics"]["psnr"].update(low=said["metrics"]["psnr"]["low"] + 0.1),
        lambda said: said["metrics"]["psnr"].update(high=None),
        lambda said: said["metrics"]["psnr"].update(about="frames"),
        lambda said: said["metrics"]["flicker"].update(low=1.0, high=2.0, about="clips"),
        lambda said: said["metrics"].update(lpips=said["metrics"]["psnr"]),
        lambda said: said["per_clip"].popitem(),
        lambda said: said.update(frames=1),
    ):
        change(said := json.loads(json.dumps(told)))
        path.write_text(json.dumps(said))
        with pytest.raises(UserError, match=r"summary\.json: does not agree with frames\.parquet"):
            read_run(run.folder)


def test_a_table_with_empty_cells_is_refused(make_run: MakeRun) -> None:
    run = make_run("ours", VALUES)
    table = run.folder / "frames.parquet"
    rows = pl.read_parquet(table)
    first = pl.when(pl.int_range(pl.len()) == 0).then(None).otherwise(pl.col("value"))
    rows.with_columns(first.alias("value")).write_parquet(table)
    with pytest.raises(UserError, match=r"frames\.parquet: has empty cells"):
        read_run(run.folder)


# Side by side


def test_runs_under_one_protocol_are_comparable(make_run: MakeRun) -> None:
    check_comparable([make_run("a", VALUES), make_run("b", VALUES), make_run("a", VALUES, suite="screens")])


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": {"name": "vid4"}},
        {"protocol": {"fingerprint": "other settings"}},
        {"suite_fingerprint": "other clips"},
        {"metric_fingerprints": {"psnr": "otherwise", "flicker": "as it is"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_runs_measured_differently_are_refused_and_both_are_named(make_run: MakeRun, other: dict[str, object]) -> None:
    one, two = make_run("a", VALUES), make_run("b", VALUES, **other)
    with pytest.raises(UserError) as refused:
        check_comparable([one, two])
    assert str(one.folder) in str(refused.value)
    assert str(two.folder) in str(refused.value)


def test_protocols_that_differ_are_both_named(make_run: MakeRun) -> None:
    with pytest.raises(UserError, match=r"protocol vid4, but .* has base"):
        check_comparable([make_run("a", VALUES), make_run("b", VALUES, protocol={"name": "vid4"})])


def test_a_metric_that_the_first_run_lacks_is_checked_too(make_run: MakeRun) -> None:
    alone = make_run("a", {"psnr": VALUES["psnr"]})
    one, two = (make_run(n, VALUES, metric_fingerprints={"psnr": "as it is", "flicker": n}) for n in ("b", "c"))
    with pytest.raises(UserError, match="flicker"):
        check_comparable([alone, one, two])


def test_one_candidate_twice_on_a_suite_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(UserError, match="has candidate a on suite film, and so has"):
        check_comparable([make_run("a", VALUES), make_run("a", VALUES)])


def test_suites_of_other_clips_may_stand_side_by_side_under_other_names(make_run: MakeRun) -> None:
    check_comparable([make_run("a", VALUES, suite="film"), make_run("a", VALUES, suite="screens")])
