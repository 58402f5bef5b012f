"""Two versions of one video: how they are aligned, what is measured, and what is refused."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.conftest import write_moving_clip
from vsr_lab.core.clip import quantise, to_frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.records.comparison import VideoComparison
from vsr_lab.core.resize import imresize
from vsr_lab.footage.shots import Shot
from vsr_lab.metrics import psnr
from vsr_lab.video import VideoWriter, open_footage
from vsr_lab.workflows.two_videos import FILES, compare_videos

Write = Callable[[str, Tensor], Path]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Tensor:
    path = write_moving_clip(tmp_path_factory.mktemp("truth") / "hr.mkv", 12, 96, 128)
    return Shot("hr", path).read(0, 12).tensor()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, frames: Tensor) -> Path:
        path = tmp_path / f"{name}.mkv"
        height, width = frames.shape[-2:]
        with VideoWriter(path, (height, width), Fraction(24)) as writer:
            writer.write(to_frames(frames), [t / 24 for t in range(len(frames))])
        return path

    return write


def _soft(frames: Tensor) -> Tensor:
    return quantise(imresize(imresize(frames, 0.5), 2))


def _numbers(found: VideoComparison) -> dict[str, tuple[float, float]]:
    """metric -> of a and b, NaN where there is none."""
    pairs = {metric.name: (metric.a, metric.b) for metric in found.metrics}
    return {name: (math.nan if a is None else a, math.nan if b is None else b) for name, (a, b) in pairs.items()}


def test_both_are_measured_against_the_truth(truth: Tensor, write: Write, tmp_path: Path) -> None:
    soft = _soft(truth)
    a, b, hr = (write(name, frames) for name, frames in (("soft", soft), ("same", truth), ("hr", truth)))
    found = compare_videos(a, b, tmp_path / "out", truth=hr)
    expected = float(psnr(soft[None], truth[None], "y").mean())
    assert _numbers(found)["psnr"] == (pytest.approx(expected), 100)
    assert _numbers(found)["flicker"][1] == 0
    assert [video.steps for video in found.videos] == [[], [], ["the others are aligned to it"]]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)


def test_without_the_truth_the_difference_is_measured_and_neither_is_called_better(
    truth: Tensor, write: Write, tmp_path: Path
) -> None:
    found = compare_videos(write("a", truth), write("b", _soft(truth)), tmp_path / "out")
    numbers = _numbers(found)
    assert math.isnan(numbers["psnr"][0])
    assert numbers["detail"][0] > numbers["detail"][1]
    assert {metric.better for metric in found.metrics} == {""}


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        (lambda x: x[[0, 0, *range(10)]], ["moved by 2 frames, earlier"]),
        (lambda x: x[[*range(4), *range(5, 12)]], ["does not show 1 frame of the reference, left out"]),
        (lambda x: imresize(x, 0.5), ["scaled by 2.000 in width and 2.000 in height (bicubic)"]),
        (
            lambda x: F.pad(x, (0, 3, 2, 0), mode="replicate")[..., :96, 3:],
            ["moved by +3.00 pixels to the right and -2.00 down"],
        ),
    ],
    ids=["late", "dropped", "half", "shifted"],
)
def test_what_was_done_to_align_is_said_and_undoes_the_change(
    truth: Tensor, write: Write, tmp_path: Path, change: Callable[[Tensor], Tensor], steps: list[str]
) -> None:
    changed = write("changed", change(truth))
    found = compare_videos(changed, write("same", truth), tmp_path / "out", truth=write("hr", truth))
    assert set(steps) <= set(found.videos[0].steps)
    assert not found.videos[1].steps
    least = psnr(_soft(truth)[None], truth[None], "y").mean() - 1  # of half the size; the others are undone exactly
    assert _numbers(found)["psnr"][0] > (least if "scaled" in steps[0] else 30)


def test_a_larger_one_is_what_the_other_is_aligned_to(truth: Tensor, write: Write, tmp_path: Path) -> None:
    found = compare_videos(write("small", imresize(truth, 0.5)), write("large", truth), tmp_path / "out")
    assert found.reference == "b"


@pytest.mark.parametrize(
    ("other", "message"),
    [(lambda x: x.flip(-1), "is mirrored left to right"), (lambda x: torch.rand(x.shape), "something else than")],
)
def test_what_cannot_be_aligned_is_refused_before_anything_is_written(
    truth: Tensor, write: Write, tmp_path: Path, other: Callable[[Tensor], Tensor], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        compare_videos(write("a", truth), write("b", other(truth)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_views_show_a_on_the_left_and_b_on_the_right(truth: Tensor, write: Write, tmp_path: Path) -> None:
    gain = 0.8
    compare_videos(write("a", truth), write("b", truth * gain), tmp_path / "out")
    side, wipe = (open_footage(tmp_path / "out" / name) for name in FILES[2:])
    assert (side.frames, side.size, wipe.frames, wipe.size) == (12, (96, 256), 12, (96, 128))
    luma = np.array([0.2126, 0.7152, 0.0722])  # chroma has half the size
    expected, first, wiped = (f @ luma for f in (to_frames(truth)[0], *(v.read(0, 1).frames[0] for v in (side, wipe))))
    assert np.abs(first[:, :128] - expected).mean() < 4
    assert np.abs(first[:, 128:] - gain * expected).mean() < 4
    assert np.abs(wiped[:, :60] - expected[:, :60]).mean() < 4
    assert np.abs(wiped[:, 68:] - gain * expected[:, 68:]).mean() < 4
