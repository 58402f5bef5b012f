"""Quantisation and the channels that are judged."""

import numpy as np
import pytest
import torch

from vsr_lab.core.clip import judged_channels, luma, quantise, to_frames, to_tensor


def test_every_level_survives_the_way_there_and_back() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(to_frames(to_tensor(levels)), levels)
    assert torch.equal(quantise(to_tensor(levels)), to_tensor(levels))


def test_quantising_gives_what_a_written_file_would() -> None:
    x = torch.rand(3, 8, 8) * 1.4 - 0.2
    assert torch.equal(quantise(x), to_tensor(to_frames(x)))


def test_what_is_out_of_range_is_clamped() -> None:
    assert quantise(torch.tensor([-0.5, 1.5])).tolist() == [0, 1]
    assert to_frames(torch.tensor([-0.5, 1.5]).expand(3, 1, 2))[0, :, 0].tolist() == [0, 255]


def test_luma_reaches_from_16_to_235() -> None:
    black, white = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    assert luma(black).item() == 16
    assert luma(white).item() == pytest.approx(235, abs=1e-9)


def test_rgb_is_judged_in_eight_bit_levels() -> None:
    assert judged_channels(torch.ones(3, 2, 2), "rgb").unique().tolist() == [255]


def test_a_colour_nobody_scores_is_refused() -> None:
    with pytest.raises(ValueError, match="yuv"):
        judged_channels(torch.ones(3, 2, 2), "yuv")
