"""From clips and candidates to folders of results, and from those to a comparison."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.core.records.evaluation import Summary
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.candidates import Candidate, checkpoint, interpolation
from vsr_lab.evaluation.candidates import frames as frames_of
from vsr_lab.evaluation.evaluator import check_clips, evaluate
from vsr_lab.evaluation.protocol import Protocol, Suite
from vsr_lab.evaluation.ranking import front_of
from vsr_lab.evaluation.results import read_run
from vsr_lab.evaluation.scoring import ClipFacts, score_clip
from vsr_lab.fleet import Local, Outcome
from vsr_lab.metrics import flicker, psnr
from vsr_lab.models import Compact, save_network
from vsr_lab.reporting import compare
from vsr_lab.video import read_video

WriteVideo = Callable[..., Path]
METRICS = {"psnr": psnr, "flicker": flicker}


def _protocol(**changes: Any) -> Protocol:
    values: dict[str, Any] = {"colour": "y", "crop": 0, "trim": 0, "centre_only": False, **changes}
    return Protocol("base", "as it is", 2, ResizeDown(2), **values, metrics=METRICS)


def _evaluate(judged: Mapping[Path, Candidate], suite: Suite, protocol: Protocol) -> dict[Path, Summary]:
    return evaluate(judged, suite, protocol)


@pytest.fixture
def suite(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> Suite:
    """Two clips of different lengths."""
    write_video("clips/city.mkv", frames[:5])
    write_video("clips/walk.mkv", frames[::-1])
    return Suite("film", str(tmp_path / "clips"), content="live_action")


def test_every_candidate_gets_a_folder_of_its_own_results(tmp_path: Path, suite: Suite) -> None:
    judged = {tmp_path / name: interpolation(name, 2) for name in ("nearest", "bicubic")}
    summaries = _evaluate(judged, suite, _protocol())
    for folder, candidate in judged.items():
        run = read_run(folder)
        assert run.summary == summaries[folder]
        assert (run.candidate, run.suite, run.summary.clips) == (candidate.name, "film", 2)
        assert {clip: len(values) for clip, values in run.values["psnr"].items()} == {"city": 5, "walk": 8}
        assert {"lr.mkv", "hr.mkv", "sr.mkv"} <= {path.name for path in (folder / "pictures" / "walk").iterdir()}
    bicubic, nearest = (summaries[tmp_path / name].metrics["psnr"].mean for name in ("bicubic", "nearest"))
    assert bicubic > nearest


def test_a_scale_that_is_not_the_protocols_is_refused(suite: Suite) -> None:
    with pytest.raises(
        UserError, match=r"candidate bicubic: interpolation Interpolation upscales x3, protocol base is x2"
    ):
        check_clips([interpolation("bicubic", 3)], suite, _protocol())


def test_a_wrong_scale_names_the_file_and_its_network(tmp_path: Path, suite: Suite) -> None:
    path = tmp_path / "weights" / "animator.safetensors"
    save_network(Compact(4, 4, 1), {"content": "animation"}, path)
    with pytest.raises(UserError) as refused:
        check_clips([checkpoint(str(path))], suite, _protocol())
    assert f"{path} (checkpoint Compact animation) upscales x4, protocol base is x2" in str(refused.value)


def test_missing_output_of_another_tool_is_reported_with_the_layout_before_anything_is_scored(
    tmp_path: Path, suite: Suite, write_video: WriteVideo, frames: Frames
) -> None:
    write_video("theirs/city.mkv", frames[:5])
    with pytest.raises(
        UserError, match=r"has no clip walk \(it has city\); add .*/walk/ with one image for each frame"
    ):
        check_clips([frames_of(str(tmp_path / "theirs"))], suite, _protocol())


def test_a_clip_too_short_for_the_trim_is_named(suite: Suite) -> None:
    with pytest.raises(UserError, match=r"city\.mkv: has 5 frames, but protocol.trim=3 needs 7"):
        check_clips([interpolation("bicubic", 2)], suite, _protocol(trim=3))


def test_a_file_name_that_is_not_unicode_is_refused(tmp_path: Path, suite: Suite) -> None:
    (tmp_path / "clips" / "city.mkv").rename(tmp_path / "clips" / "caf\udce9.mkv")
    with pytest.raises(UserError, match="is not a valid Unicode file name; rename the file"):
        check_clips([interpolation("bicubic", 2)], suite, _protocol())


def test_a_twin_that_does_not_fit_is_named(tmp_path: Path, suite: Suite) -> None:
    """The clips stand in for their own LR, at the same size."""
    with pytest.raises(UserError, match=r"city\.mkv: is 64x32, but its HR size divided by scale 2 is 32x16"):
        check_clips([interpolation("bicubic", 2)], replace(suite, lr_root=suite.root), _protocol())


def test_as_many_frames_are_saved_as_are_asked_for(tmp_path: Path, suite: Suite) -> None:
    judged = {tmp_path / name: interpolation(name, 2) for name in ("nearest", "bicubic")}
    few = evaluate(judged, suite, _protocol(), save_frames=3)[tmp_path / "bicubic"]
    assert [(shown.first, shown.saved) for shown in few.pictures] == [(1, 3), (2, 3)]
    saved = read_video(tmp_path / "bicubic" / "pictures" / "walk" / "hr.mkv").frames
    assert np.array_equal(saved, read_video(tmp_path / "clips" / "walk.mkv").frames[2:5])
    none = evaluate({tmp_path / "none": interpolation("nearest", 2)}, suite, _protocol(), save_frames=0)
    assert not (tmp_path / "none" / "pictures").exists()
    assert [shown.saved for shown in none[tmp_path / "none"].pictures] == [0, 0]


def test_a_clip_of_a_single_frame_is_judged_for_what_it_has(
    tmp_path: Path, write_video: WriteVideo, frames: Frames
) -> None:
    write_video("one/still.mkv", frames[:1])
    folder = tmp_path / "a"
    one = Suite("one", str(tmp_path / "one"))
    summary = _evaluate({folder: interpolation("bicubic", 2)}, one, _protocol())[folder]
    assert (summary.frames, set(summary.metrics)) == (1, {"psnr"})


def test_the_fingerprint_of_a_suite_moves_with_its_clips_and_not_with_its_place(
    tmp_path: Path, write_video: WriteVideo, frames: Frames, suite: Suite
) -> None:
    def fingerprint(suite: Suite) -> str:
        folder = tmp_path / f"run{np.random.default_rng().integers(1 << 40)}"
        return _evaluate({folder: interpolation("nearest", 2)}, suite, _protocol())[folder].suite_fingerprint

    write_video("elsewhere/city.mkv", frames[:5])
    write_video("elsewhere/walk.mkv", frames[::-1])
    here = fingerprint(suite)
    assert fingerprint(Suite("film", str(tmp_path / "elsewhere"))) == here
    assert fingerprint(Suite("film", str(tmp_path / "clips"), frames="1:4")) != here
    assert fingerprint(Suite("film", str(tmp_path / "clips"), clips=["walk"])) != here


# Side by side

SHOWN = [
    MetricFacts(name="psnr", label="PSNR-Y", unit="dB", better="higher", digits=2),
    MetricFacts(name="flicker", label="Flicker", unit="levels", better="lower", digits=2, note="Relative to HR."),
    MetricFacts(name="lpips", label="LPIPS", unit="", better="lower", digits=3, note="Not measured here."),
]


def test_a_comparison_holds_every_candidate_with_its_difference_to_the_baseline(tmp_path: Path, suite: Suite) -> None:
    judged = {tmp_path / name: interpolation(name, 2) for name in ("bicubic", "nearest")}
    _evaluate(judged, suite, _protocol())
    runs = [read_run(folder) for folder in judged]
    axes = ("psnr", "flicker", "lr_consistency")
    found = compare(runs, tmp_path, SHOWN, title="Kernels", baseline="bicubic", front=axes)
    assert [metric.name for metric in found.metrics] == ["psnr", "flicker"]
    assert found.notes == ["Flicker: Relative to HR."]
    cells = {(cell.candidate, cell.metric): cell for cell in found.cells}
    assert cells["bicubic", "psnr"].difference is None
    gap = cells["nearest", "psnr"].mean - cells["bicubic", "psnr"].mean
    difference = cells["nearest", "psnr"].difference
    assert difference and difference.mean == pytest.approx(gap)
    curves = {(c.candidate, c.metric, c.clip): c.values for c in found.curves}
    assert len(curves["nearest", "psnr", "walk"]) == len(curves["nearest", "flicker", "walk"]) == 8
    assert curves["nearest", "flicker", "walk"][0] is None
    for clip in found.pictures:
        assert (clip.first, clip.saved) == (0, {"city": 5, "walk": 8}[clip.clip])
        hr = read_video(tmp_path / clip.hr).eight_bit()
        assert np.array_equal(hr, read_video(tmp_path / "clips" / f"{clip.clip}.mkv").eight_bit())
        assert read_video(tmp_path / clip.lr).frames.shape[1:3] == tuple(side // 2 for side in hr.shape[1:3])
        assert all(read_video(tmp_path / shown.sr).frames.shape == hr.shape for shown in clip.candidates)
    assert found.front == {"psnr": 1, "flicker": -1}, "what no run measured is no axis"
    assert found.pareto == {"film": front_of({run.candidate: run for run in runs}, found.metrics)}, (
        "as `select` finds it"
    )


def test_an_evaluation_that_was_stopped_goes_on_with_the_clips_left(
    tmp_path: Path, suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A candidate from a file whose file did not change, or an interpolation, is not scored again."""
    save_network(Compact(2, 4, 1), {}, weights := tmp_path / "weights.safetensors")
    judged = {tmp_path / name: interpolation(name, 2) for name in ("nearest", "bicubic")}
    judged[tmp_path / "file"] = checkpoint(str(weights))
    whole = _evaluate({Path(f"{folder}-whole"): candidate for folder, candidate in judged.items()}, suite, _protocol())
    scored: list[tuple[str, list[str]]] = []

    def score(candidates: list[Candidate], clip: ClipFacts, *rest: Any, **more: Any) -> Any:
        if scored == [("city", ["nearest", "bicubic", "weights"])]:
            scored.clear()
            raise KeyboardInterrupt
        scored.append((clip.name, [candidate.name for candidate in candidates]))
        return score_clip(candidates, clip, *rest, **more)

    monkeypatch.setattr("vsr_lab.evaluation.evaluator.score_clip", score)
    with pytest.raises(KeyboardInterrupt):
        _evaluate(judged, suite, _protocol())
    os.utime(weights, (1, 1))
    summaries = _evaluate(judged, suite, _protocol())
    assert scored == [("city", ["weights"]), ("walk", ["nearest", "bicubic", "weights"])]
    for folder, summary in summaries.items():
        twin = read_run(Path(f"{folder}-whole"))
        assert summary.metrics == whole[twin.folder].metrics
        assert summary.pictures == whole[twin.folder].pictures
        assert (folder / "frames.parquet").read_bytes() == (twin.folder / "frames.parquet").read_bytes()
        assert not (folder / ".clips").exists()


# Executors


@dataclass(frozen=True)
class Fatal:
    """Makes bicubic. The first worker that does so is killed, and removes the mark."""

    mark: Path
    here: int

    def __call__(self) -> Candidate:
        if os.getpid() != self.here and self.mark.exists():
            self.mark.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return interpolation("bicubic", 2)


class InTurn:
    """As an executor of many workers, in this process."""

    workers = 5

    def run(self, work: Callable[[Any], Any], tasks: Mapping[str, Any]) -> Iterator[Outcome[Any]]:
        return Local().run(work, dict(reversed(tasks.items())))


def _tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("frames.parquet", "clips.csv")]


def test_a_worker_that_is_killed_changes_no_table(tmp_path: Path, suite: Suite) -> None:
    save_network(Compact(2, 4, 1), {}, weights := tmp_path / "weights.safetensors")
    fatal = Fatal(tmp_path / "mark", os.getpid())
    fatal.mark.touch()
    serial = evaluate({tmp_path / "serial/bicubic": fatal, tmp_path / "serial/file": weights}, suite, _protocol())
    judged = {tmp_path / "parallel/bicubic": fatal, tmp_path / "parallel/file": weights}
    with pytest.raises(UserError, match=r"1 of 2 tasks failed .*the process that ran it ended.*; run the same command"):
        evaluate(judged, suite, _protocol(), executor=Local(2))
    assert len(list(tmp_path.glob("parallel/*/.clips/*.json"))) == 2
    evaluate(judged, suite, _protocol(), executor=InTurn())
    for folder, summary in serial.items():
        twin = tmp_path / "parallel" / folder.name
        assert _tables(twin) == _tables(folder)
        assert read_run(twin).summary.pictures == summary.pictures
        assert (twin / "pictures/walk/hr.mkv").is_file()
    assert not list(tmp_path.rglob(".clips"))


def test_few_clips_are_divided_by_candidates(tmp_path: Path, suite: Suite) -> None:
    judged = {tmp_path / name: interpolation(name, 2) for name in ("nearest", "bicubic")}
    expected = {name: _tables(folder) for folder in _evaluate(judged, suite, _protocol()) if (name := folder.name)}
    executor, seen = InTurn(), list[str]()
    executor.run = lambda work, tasks: (seen.append(o.key) or o for o in InTurn.run(executor, work, tasks))  # type: ignore[method-assign]
    evaluate(judged, suite, _protocol(), executor=executor)
    assert seen == ["bicubic on walk", "nearest on walk", "bicubic on city", "nearest on city"]
    assert {name: _tables(tmp_path / name) for name in expected} == expected


@pytest.mark.parametrize("name", ["summary.json", "frames.parquet", "clips.csv"])
def test_files_that_no_evaluation_wrote_are_not_replaced(tmp_path: Path, suite: Suite, name: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("of the user")
    with pytest.raises(UserError, match=f"{name}: was not written by an evaluation"):
        _evaluate({tmp_path / "mine": interpolation("bicubic", 2)}, suite, _protocol())
    assert (tmp_path / "mine" / name).read_text() == "of the user"


def test_an_evaluation_is_replaced_by_the_same_one_alone(tmp_path: Path, suite: Suite) -> None:
    for _ in range(2):
        _evaluate({tmp_path / "ours": interpolation("bicubic", 2)}, suite, _protocol())
    with pytest.raises(UserError, match="contains the evaluation of bicubic"):
        _evaluate({tmp_path / "ours": interpolation("bicubic", 2)}, suite, _protocol(crop=2))
    for name in ("report.html", "crops.png", "comparison.json"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("of the user")
        with pytest.raises(UserError, match="was not written by a comparison"):
            compare([tmp_path / "ours"], tmp_path / name)
        assert (tmp_path / name / name).read_text() == "of the user"
