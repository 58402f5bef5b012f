"""From clips and candidates to folders of results, and from those to a comparison."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation import Candidate, Protocol, Suite, check_clips, evaluate, read_run
from vsr_lab.evaluation.candidates import interpolation
from vsr_lab.metrics import flicker, psnr
from vsr_lab.reporting import Presentation, compare

WriteVideo = Callable[..., Path]
METRICS = {"psnr": psnr, "flicker": flicker}


def _protocol(**changes: Any) -> Protocol:
    values: dict[str, Any] = {"colour": "y", "crop": 0, "trim": 0, "centre_only": False, **changes}
    return Protocol(
        "base", "as it is", 2, ResizeDown(2), **values, metrics=METRICS, settings={"metrics": dict.fromkeys(METRICS)}
    )


def _evaluate(judged: Mapping[Path, Candidate], suite: Suite, protocol: Protocol) -> dict[Path, dict[str, Any]]:
    return evaluate(judged, suite, check_clips(list(judged.values()), suite, protocol), protocol)


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
        assert (run.candidate, run.suite, run.summary["clips"]) == (candidate.name, "film", 2)
        assert {clip: len(values) for clip, values in run.values["psnr"].items()} == {"city": 5, "walk": 8}
        assert {path.name for path in (folder / "pictures" / "walk").iterdir()} == {
            *("lr.png", "hr.png", "sr.png", "hr_xt.png", "sr_xt.png"),
        }
    bicubic, nearest = (summaries[tmp_path / name]["metrics"]["psnr"]["mean"] for name in ("bicubic", "nearest"))
    assert bicubic > nearest


def test_a_scale_that_is_not_the_protocols_is_refused(suite: Suite) -> None:
    with pytest.raises(UserError, match="bicubic: enlarges by 3, the protocol by 2"):
        check_clips([interpolation("bicubic", 3)], suite, _protocol())


def test_a_clip_too_short_for_the_trim_is_named(suite: Suite) -> None:
    with pytest.raises(UserError, match=r"city\.mkv: has 5 frames, too few for trim 3"):
        check_clips([interpolation("bicubic", 2)], suite, _protocol(trim=3))


def test_a_twin_that_does_not_fit_is_named(tmp_path: Path, suite: Suite) -> None:
    """The clips stand in for their own LR, at the same size."""
    with pytest.raises(UserError, match=r"city\.mkv: is 64x32; its HR over 2 is 32x16"):
        check_clips([interpolation("bicubic", 2)], replace(suite, lr_root=suite.root), _protocol())


def test_a_clip_of_a_single_frame_is_judged_for_what_it_has(
    tmp_path: Path, write_video: WriteVideo, frames: Frames
) -> None:
    write_video("one/still.mkv", frames[:1])
    folder = tmp_path / "a"
    one = Suite("one", str(tmp_path / "one"))
    summary = _evaluate({folder: interpolation("bicubic", 2)}, one, _protocol())[folder]
    assert (summary["frames"], set(summary["metrics"])) == (1, {"psnr"})


def test_the_fingerprint_of_a_suite_moves_with_its_clips_and_not_with_its_place(
    tmp_path: Path, write_video: WriteVideo, frames: Frames, suite: Suite
) -> None:
    def fingerprint(suite: Suite) -> str:
        folder = tmp_path / f"run{np.random.default_rng().integers(1 << 40)}"
        return _evaluate({folder: interpolation("nearest", 2)}, suite, _protocol())[folder]["suite_fingerprint"]

    write_video("elsewhere/city.mkv", frames[:5])
    write_video("elsewhere/walk.mkv", frames[::-1])
    here = fingerprint(suite)
    assert fingerprint(Suite("film", str(tmp_path / "elsewhere"))) == here
    assert fingerprint(Suite("film", str(tmp_path / "clips"), frames="1:4")) != here
    assert fingerprint(Suite("film", str(tmp_path / "clips"), clips=["walk"])) != here


# Side by side

SHOWN = {
    "psnr": Presentation("PSNR-Y", "dB", "higher", 2),
    "flicker": Presentation("Flicker", "levels", "lower", 2, note="Relative to the truth."),
    "lpips": Presentation("LPIPS", "", "lower", 3, note="Not measured here."),
}


def test_a_comparison_holds_every_candidate_with_its_distance_to_the_baseline(tmp_path: Path, suite: Suite) -> None:
    judged = {tmp_path / name: interpolation(name, 2) for name in ("bicubic", "nearest")}
    _evaluate(judged, suite, _protocol())
    runs = [read_run(folder) for folder in judged]
    found = compare(runs, "Kernels", "bicubic", SHOWN, tmp_path)
    assert [metric["name"] for metric in found["metrics"]] == ["psnr", "flicker"]
    assert found["notes"] == ["Flicker: Relative to the truth."]
    cells = {(cell["candidate"], cell["metric"]): cell for cell in found["cells"]}
    assert cells["bicubic", "psnr"]["difference"] is None
    gap = cells["nearest", "psnr"]["mean"] - cells["bicubic", "psnr"]["mean"]
    assert cells["nearest", "psnr"]["difference"]["mean"] == pytest.approx(gap)
    curves = {(c["candidate"], c["metric"], c["clip"]): c["values"] for c in found["curves"]}
    assert len(curves["nearest", "psnr", "walk"]) == len(curves["nearest", "flicker", "walk"]) == 8
    assert curves["nearest", "flicker", "walk"][0] is None
    for picture in found["pictures"]:
        paths = [picture[name] for name in ("lr", "hr", "hr_xt")]
        paths += [shown[name] for shown in picture["candidates"] for name in ("sr", "sr_xt")]
        assert all((tmp_path / path).is_file() for path in paths)
