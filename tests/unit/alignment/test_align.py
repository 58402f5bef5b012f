"""Two clips aligned in time, space and colour at once."""

from pathlib import Path

import numpy as np
import pytest

from tests.parity.planting import Movie, cubic_down, levels, shifted, textured, write
from vsr_lab.alignment import ALIGNED, UNRELATED, Alignment, align
from vsr_lab.footage.shots import Shot


def _aligned(folder: Path, low: Movie, high: Movie) -> Alignment:
    low_path, high_path = write(folder / "low.mkv", low), write(folder / "high.mkv", high)
    return align(Shot("low", low_path), Shot("high", high_path))


def test_a_smaller_clip_that_begins_later_is_moved_and_has_other_colours(tmp_path: Path) -> None:
    movie = textured(16, 160, 200)
    low = np.clip(cubic_down(shifted(movie, 1, -2), 2)[5:] * 0.9 + 8, 0, 255)
    found = _aligned(tmp_path, low, movie)
    assert found.timeline.match.tolist() == list(range(5, 16))
    assert found.spatial.correlation > ALIGNED
    assert found.spatial.displacement((2, 2)) == pytest.approx((0.5, -1), abs=0.05)
    assert found.spatial.nominal_scale == 2
    assert found.color.name is not None
    assert found.color.residual < 1


def test_two_clips_of_one_size(tmp_path: Path) -> None:
    movie = textured(16, 160, 200)
    found = _aligned(tmp_path, levels(shifted(movie, 0.4, 1.3)).astype(float)[:, :, ::-1], movie)
    assert found.timeline.orientation.name == "mirrored left to right"
    assert found.spatial.displacement((1, 1)) == pytest.approx((0.4, -1.3), abs=0.05)
    assert found.color.name is None


def test_clips_of_different_content_do_not_correlate(tmp_path: Path) -> None:
    found = _aligned(tmp_path, cubic_down(textured(12, 160, 200, seed=3), 2), textured(12, 160, 200))
    assert found.spatial.correlation < UNRELATED
