"""Published SR frames of Vid4, under the protocol whose degradation made their LR. Skips where they are not there."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

import vsr_lab
from vsr_lab.cli.configuration.schema import check
from vsr_lab.cli.configuration.usage import config_dir
from vsr_lab.evaluation.candidates import frames
from vsr_lab.evaluation.protocol import Suite
from vsr_lab.metrics import psnr, ssim

CLIPS = ["calendar", "city", "foliage", "walk"]
FRAMES = {  # in clones of github.com/dariofuoli/RLSP and github.com/yhjo09/VSR-DUF
    "rlsp": "RLSP/frames/7-128/{}_rgb",
    "duf_16": "VSR-DUF/results/16L/G/{}",
    "duf_52": "VSR-DUF/results/52L/G/{}",
}


@pytest.fixture
def published(tmp_path: Path) -> dict[str, Path]:
    """Folders of SR frames whose subfolders have the names of the clips."""
    root = os.environ.get("VSR_LAB_PUBLISHED_FRAMES")
    if not root:
        pytest.skip("set VSR_LAB_PUBLISHED_FRAMES to a folder with clones of dariofuoli/RLSP and yhjo09/VSR-DUF")
    for name, pattern in FRAMES.items():
        (tmp_path / name).mkdir()
        for clip in CLIPS:
            (tmp_path / name / clip).symlink_to(Path(root, pattern.format(clip)).resolve(strict=True))
    return {name: tmp_path / name for name in FRAMES}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("trim", "expected"),
    [
        (0, {"rlsp": (27.4467, 0.8372), "duf_16": (26.8015, 0.8134), "duf_52": (27.3296, 0.8318)}),
        (2, {"rlsp": (27.5045, 0.8400), "duf_16": (26.8498, 0.8156), "duf_52": (27.3742, 0.8333)}),
    ],
)
def test_rlsp_and_duf(
    shared_footage: Path,
    published: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trim: int,
    expected: dict[str, tuple[float, float]],
) -> None:
    """Published: 27.45 dB (RLSP, Fuoli et al. 2019), 26.81 and 27.34 dB (DUF, Jo et al. 2018)."""
    monkeypatch.setenv("NODE_RANK", "0")
    suite = Suite("vid4", str(shared_footage / "eval" / "vid4"), clips=CLIPS)
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        options = ["candidate=bicubic", "suite=vid4", "suite.root=x", "protocol=vid4-bd-duf-y", f"protocol.trim={trim}"]
        protocol = check("evaluate", compose("evaluate", [*options, "run_dir=x"])).protocol.build()
    protocol = replace(protocol, metrics={"psnr": psnr, "ssim": ssim})  # the other metrics take minutes
    judged = {tmp_path / "runs" / name: frames(str(folder)) for name, folder in published.items()}
    for folder, summary in vsr_lab.evaluate(judged, suite, protocol, save_frames=0).items():
        means = tuple(summary.metrics[name].mean for name in ("psnr", "ssim"))
        print(f"{folder.name}, trim {trim}: {means[0]:.4f} dB, {means[1]:.4f}")
        assert means[0] == pytest.approx(expected[folder.name][0], abs=0.0005)
        assert means[1] == pytest.approx(expected[folder.name][1], abs=0.0001)
