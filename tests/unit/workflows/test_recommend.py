"""vsr-lab recommend: the bundle that upscale bundle=auto takes, and why."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

from tests.unit.workflows.test_auto_bundle import MODEL
from vsr_lab.core.clip import to_frames
from vsr_lab.curation import Scans
from vsr_lab.deployment import write_bundle
from vsr_lab.models import Interpolation
from vsr_lab.video import REFUSE
from vsr_lab.workflows.auto_bundle import AutoBundle
from vsr_lab.workflows.batch import find_sources
from vsr_lab.workflows.recommend import recommend, write_comparison

WriteVideo = Callable[..., Path]


@pytest.fixture
def auto(tmp_path: Path) -> AutoBundle:
    """Bright footage is animation, dark footage live action, for which there is no bundle."""
    write_bundle(tmp_path / "drawn", "drawn", Interpolation(2, "nearest"), about={}, exporters=[])
    return AutoBundle({"animation": tmp_path / "drawn"}, MODEL)


def test_the_choice_is_that_of_upscale(auto: AutoBundle, write_video: WriteVideo, tmp_path: Path) -> None:
    for name, level in {"bright": 230, "dark": 20}.items():
        write_video(f"in/{name}.mkv", np.full((12, 64, 64, 3), level, np.uint8))
    (tmp_path / "in" / "poisoned.mkv").write_text("no video")
    bright, dark, poisoned = recommend(find_sources(tmp_path / "in"), auto, Scans(tmp_path / "scans"))
    assert (bright.content, bright.bundle, bright.problem) == ("animation", tmp_path / "drawn", "")
    assert bright.bundle == auto.choose(bright.source.path, REFUSE)
    assert bright.confidence > 0.9 and "brightness" in bright.because
    assert (dark.content, dark.bundle) == ("live_action", None) and "no bundle was selected" in dark.problem
    assert (poisoned.content, poisoned.bundle) == ("", None) and "is not a video" in poisoned.problem


def test_every_bundle_is_compared_on_the_most_detailed_part(
    auto: AutoBundle, write_video: WriteVideo, moving: Callable[..., Tensor], tmp_path: Path
) -> None:
    clip = np.full((12, 240, 320, 3), 230, np.uint8)
    clip[:, 150:230, 200:300] = to_frames(moving(12, 80, 100, 0, 0))
    write_video("in/a.mkv", clip)
    found = recommend(find_sources(tmp_path / "in"), auto, Scans(tmp_path / "scans"))
    shots = write_comparison(tmp_path / "sheet.png", found, auto.bundles, n=3)
    assert [(shot.name, len(shot)) for shot in shots] == [("a", 12)]
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))
    assert sheet.shape[1] == 6 + 2 * (2 * 160 + 6)  # bicubic and one bundle, x2
    left, right = sheet[30:200, 6:326].astype(int), sheet[30:200, 332:652].astype(int)
    assert left.std() > 20 and 0 < np.abs(left - right).mean() < 20
