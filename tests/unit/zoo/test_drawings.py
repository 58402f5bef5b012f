"""Manifests for trainings of the zoo: sharp crops of drawings, and several manifests joined."""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsr_lab.footage.shots import ShotSelection, find_shots
from vsr_lab.footage.tables import read_rows, write_rows

SCRIPTS = Path(__file__).parents[3] / "scripts/zoo"


def picture(side: int, interpolation: int = cv2.INTER_NEAREST) -> np.ndarray:
    """Random grays, 8x8 pixels each; interpolated, they are soft until they are reduced in size."""
    grays = np.random.default_rng(0).integers(0, 2, (side // 8, side // 8)).astype(np.uint8) * 255
    return cv2.cvtColor(cv2.resize(grays, (side, side), interpolation=interpolation), cv2.COLOR_GRAY2BGR)


def test_crops_are_sharp_and_each_package_has_its_clips(tmp_path: Path) -> None:
    drawings = runpy.run_path(str(SCRIPTS / "drawings.py"))
    for name in drawings["PACKAGES"]:
        (tmp_path / "in" / name / "usr").mkdir(parents=True)
    folder = tmp_path / "in/openclipart-png/usr"
    alpha = np.full((512, 512, 1), 255, np.uint8)
    cv2.imwrite(str(folder / "sharp.png"), np.concatenate([picture(512), alpha], axis=2))
    cv2.imwrite(str(folder / "soft.jpg"), picture(768, cv2.INTER_CUBIC))
    cv2.imwrite(str(folder / "small.png"), picture(128))
    cv2.imwrite(str(folder / "plain.png"), np.full((512, 512, 3), 200, np.uint8))
    drawings["main"](tmp_path / "in", tmp_path / "out")

    (shot,) = find_shots(tmp_path / "out/drawings.csv", ShotSelection(split="train"))
    crops = sorted(shot.path.iterdir())
    assert len(crops) == len(shot) == 2
    for path in crops:
        crop = cv2.imread(str(path))
        assert crop is not None
        assert crop.shape == (192, 192, 3)
        assert drawings["softness"](crop) <= drawings["SHARP"]


def test_joined_manifests_lead_to_the_same_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.mkv").touch()
    row = {"name": "x", "path": "x.mkv", "split": "train"}
    write_rows(tmp_path / "a/a.csv", [{**row, "content_type": "animation", "downscale": 2}])
    write_rows(tmp_path / "b/b.csv", [{**row, "content_type": content} for content in ("animation", "live_action")])
    out = tmp_path / "b/both.csv"
    runpy.run_path(str(SCRIPTS / "join.py"))["main"](out, "animation", tmp_path / "a/a.csv", tmp_path / "b/b.csv")
    rows = read_rows(out)
    assert [(row["path"], row["downscale"]) for row in rows] == [("../a/x.mkv", "2"), ("x.mkv", "")]
    assert capsys.readouterr().out == f"2 clips in {out}\n"
