"""Backward warping against scipy's interpolation."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates

from vsr_lab.core.flow import backward_warp


@pytest.mark.parametrize("size", [(24, 36), (31, 17)])
def test_backward_warp_is_scipys_bilinear_interpolation(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((3, *size))
    flow = gaussian_filter(rng.normal(0, 12, (2, *size)), (0, 2, 2))
    y, x = np.mgrid[: size[0], : size[1]] + flow[::-1]
    inside = (y >= 0) & (y <= size[0] - 1) & (x >= 0) & (x <= size[1] - 1)
    assert inside.mean() > 0.5
    assert np.abs(flow).max() > 3
    expected = np.stack([map_coordinates(channel, [y, x], order=1) for channel in image])
    ours = backward_warp(torch.from_numpy(image)[None], torch.from_numpy(flow)[None])[0].numpy()
    assert np.abs(ours - expected)[:, inside].max() < 1e-9


def test_outside_the_picture_scipys_nearest_border_is_repeated() -> None:
    rng = np.random.default_rng(0)
    image, flow = rng.random((1, 20, 30)), rng.normal(0, 15, (2, 20, 30))
    y, x = np.mgrid[:20, :30] + flow[::-1]
    expected = map_coordinates(image[0], [y.clip(0, 19), x.clip(0, 29)], order=1)
    ours = backward_warp(torch.from_numpy(image)[None], torch.from_numpy(flow)[None])[0, 0].numpy()
    assert np.abs(ours - expected).max() < 1e-9
