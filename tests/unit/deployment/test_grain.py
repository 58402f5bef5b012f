"""Synthetic grain: as strong as that of the source in every band of luma, and the same in every run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.unit.conftest import WriteVideo
from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import FrameNetwork
from vsr_lab.deployment import Bundle, Encoding, upscale
from vsr_lab.deployment.pipeline.conversion import add_grain, measure_grain
from vsr_lab.video import VideoFile

EXACT = Encoding(codec="ffv1", pixel_format="bgr0")
SHADES = torch.linspace(0.05, 0.95, 512).expand(3, 128, 512)


@pytest.fixture
def grainy() -> Tensor:
    """Twelve frames of all shades, with grain of 6 levels in the dark and 2 in the bright half."""
    grain = torch.randn(12, 1, 128, 512, generator=torch.Generator().manual_seed(0))
    return SHADES + grain * torch.where(SHADES < 0.5, 6 / 255, 2 / 255)


def _levels(frames: Frames) -> list[float]:
    clip = to_tensor(frames)
    return [255 * level for level in measure_grain(torch.stack([clip[:-2], clip[2:]], 1))]


def test_the_strength_is_measured_in_bands_of_luma(grainy: Tensor) -> None:
    assert _levels(to_frames(grainy)) == pytest.approx([6] * 4 + [2] * 4, rel=0.1)


def test_texture_that_does_not_move_is_no_grain() -> None:
    text = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)).round()
    assert measure_grain(torch.stack([text, text])[None]) == [0.0] * 8


def test_black_and_white_stay_and_a_frame_has_its_own_grain() -> None:
    clipped = torch.tensor([0.0, 1.0]).repeat(3, 8, 8)
    assert torch.equal(add_grain(clipped, [0.1] * 8, 0), clipped)
    assert torch.equal(add_grain(SHADES, [0.1] * 8, 3), add_grain(SHADES, [0.1] * 8, 3))
    assert not torch.equal(add_grain(SHADES, [0.1] * 8, 3), add_grain(SHADES, [0.1] * 8, 4))


def test_the_output_has_the_grain_of_the_source(
    bundle: Bundle, write_video: WriteVideo, grainy: Tensor, tmp_path: Path
) -> None:
    source, smooth = write_video("in/grainy.mkv", to_frames(grainy)), tmp_path / "smooth.mkv"
    smoothed = replace(bundle, network=_Smooth())
    made = upscale(smoothed, source, smooth, encoding=replace(EXACT, grain=1.0))
    assert 255 * np.array(made.plan.grain) == pytest.approx([6] * 4 + [2] * 4, rel=0.1)
    assert any("was not recorded" in note for note in made.plan.converted)
    frames = np.asarray(VideoFile(smooth).read(0, 12).frames, np.uint8)
    measured = np.array(_levels(frames))[[1, 2, 5, 6]]  # apart from black, white and the step between the halves
    assert measured == pytest.approx([6, 6, 2, 2], rel=0.1)
    again = tmp_path / "again.mkv"
    upscale(smoothed, source, again, encoding=replace(EXACT, grain=1.0, segment=0.32))
    assert np.array_equal(VideoFile(again).read(0, 12).frames, frames)


class _Smooth(FrameNetwork):
    """x2 of the shades, without the grain."""

    scale = 2

    def frame(self, lr: Tensor) -> Tensor:
        return SHADES.repeat_interleave(2, 1).repeat_interleave(2, 2)[None]


def test_grain_is_no_evidence() -> None:
    with pytest.raises(UserError, match="grain: cannot be combined with evidence=true"):
        Encoding(evidence=True, grain=0.5)
