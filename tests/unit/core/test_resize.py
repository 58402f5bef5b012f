"""imresize and its polyphase twin: sizes, names and edges. That they are MATLAB's is shown in tests/parity."""

import pytest
import torch

from vsr_lab.core.resize import KERNELS, BicubicUpsample, imresize


@pytest.mark.parametrize("method", KERNELS)
def test_enlarging_twice_makes_twice_the_size(method: str) -> None:
    assert imresize(torch.rand(2, 3, 5, 7), 2, method).shape == (2, 3, 10, 14)


def test_a_size_that_does_not_divide_is_rounded_up() -> None:
    assert imresize(torch.rand(9, 10), 1 / 4).shape == (3, 3)


def test_a_size_that_comes_out_whole_stays_so_however_the_product_rounds() -> None:
    assert 50 * 1.1 > 55, "in floating point"
    assert imresize(torch.rand(50, 90), 1.1).shape == (55, 99)


def test_scale_one_changes_nothing() -> None:
    x = torch.rand(6, 9, dtype=torch.float64)
    assert torch.equal(imresize(x, 1), x)


def test_nearest_repeats_pixels() -> None:
    x = torch.rand(3, 4)
    assert torch.equal(imresize(x, 3, "nearest"), x.repeat_interleave(3, 0).repeat_interleave(3, 1))


def test_area_averages_blocks() -> None:
    x = torch.rand(6, 9)
    assert torch.allclose(imresize(x, 1 / 3, "area"), x.unflatten(0, (2, 3)).unflatten(2, (3, 3)).mean((1, 3)))


def test_a_misspelt_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="bicubic"):
        imresize(torch.rand(4, 4), 2, "bicubik")


@pytest.mark.parametrize("scale", [0, -2])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        imresize(torch.rand(4, 4), scale)


@pytest.mark.parametrize("size", [(1, 8), (8, 1), (1, 1)])
def test_a_single_row_or_column_can_be_enlarged(size: tuple[int, int]) -> None:
    """The last tile of a frame can be that narrow."""
    x = torch.rand(1, 3, *size)
    assert torch.allclose(BicubicUpsample(2)(x), imresize(x, 2), atol=1e-6)


def test_autocast_does_not_touch_the_picture_of_the_bicubic_skip() -> None:
    lr, enlarge = torch.rand(1, 3, 8, 9), BicubicUpsample(2)
    with torch.autocast("cpu", torch.bfloat16):
        half = enlarge(lr)
    assert torch.equal(half, enlarge(lr))
