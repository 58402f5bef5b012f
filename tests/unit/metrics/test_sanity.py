"""Checks without weights: each finds its fault on a moving picture with detail, and nothing on a faithful output."""

import inspect
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import quantise, ycbcr_matrix
from vsr_lab.core.inputs import Inputs
from vsr_lab.core.resize import imresize
from vsr_lab.metrics import (
    Stream,
    cell_bias,
    color_bias,
    combing,
    frame_offset,
    ghosting,
    grid,
    lr_sharpness,
    orientation,
    registration,
)

SCALE = 4


@pytest.fixture(scope="module")
def hr() -> Tensor:
    """Six frames of a coloured texture that moves by 4 pixels a frame."""
    rng = np.random.default_rng(0)
    texture = sum(
        F.interpolate(torch.from_numpy(rng.uniform(-1, 1, (1, 3, n, n))).float(), (224, 224), mode="bicubic") * a
        for n, a in ((8, 0.25), (40, 0.12), (120, 0.08))
    )
    return quantise(
        torch.stack([0.5 + texture[0, :, 8:200, 4 * t : 4 * t + 192] for t in range(6)])[None].clamp(0.1, 0.9)
    )


def _measure(metric: Callable[..., Tensor], sr: Tensor, hr: Tensor) -> Tensor:
    sr = quantise(sr)
    known = {"sr": sr, "hr": hr, "lr": quantise(imresize(hr, 1 / SCALE)), "degraded": imresize(sr, 1 / SCALE)}
    known["stream"] = Stream(
        hr.shape[1], 25, iter([(Inputs(known, {}), slice(0, 2)), (Inputs(known, {}), slice(2, None))])
    )
    return metric(**{name: known[name] for name in inspect.signature(metric).parameters})[0]


def _blur(frames: Tensor, sigma: float) -> Tensor:
    offsets = torch.arange(-6, 7)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    flat = frames.flatten(0, 2).unsqueeze(1)
    return F.conv2d(F.conv2d(F.pad(flat, (6,) * 4, mode="replicate"), kernel), kernel.mT).view_as(frames)


def _shifted(frames: Tensor, pixels: float) -> Tensor:
    theta = torch.tensor([[1, 0, 2 * pixels / frames.shape[-1]], [0, 1, 0]]).expand(frames.shape[1], 2, 3)
    places = F.affine_grid(theta, list(frames[0].shape), align_corners=False)
    return F.grid_sample(frames[0], places, mode="bicubic", padding_mode="border", align_corners=False)[None]


def _other_matrix(frames: Tensor) -> Tensor:
    change = np.linalg.inv(ycbcr_matrix("bt709")) @ ycbcr_matrix("bt601")
    return torch.einsum("ij,btjhw->btihw", torch.from_numpy(change).float(), frames)


def _checked(frames: Tensor) -> Tensor:
    rows, columns = torch.meshgrid(*(torch.arange(n) for n in frames.shape[-2:]), indexing="ij")
    return frames + ((rows + columns) % 2 * 2 - 1) * 2 / 255


def _tile(frames: Tensor) -> Tensor:
    frames = frames.clone()
    frames[:, 3, :, 32:64, 32:64] = 0
    return frames


def _half(frames: Tensor) -> Tensor:
    return torch.cat([frames[..., :96], _blur(frames, 1.5)[..., 96:]], -1)


@pytest.mark.parametrize(
    ("metric", "worst"),
    [
        *((color_bias, 0.3), (cell_bias, 1.0), (registration, 0.05), (grid, 0.3), (frame_offset, 0)),
        *((orientation, 0), (ghosting, 0.05), (combing, 1.5)),
    ],
)
def test_a_faithful_output_has_no_fault(hr: Tensor, metric: Callable[..., Tensor], worst: float) -> None:
    assert float(_measure(metric, hr, hr).abs().nan_to_num().max()) <= worst
    assert float(_measure(metric, _blur(hr, 0.4), hr).abs().nan_to_num().max()) <= worst


def test_a_faithful_output_is_as_sharp_as_its_lr(hr: Tensor) -> None:
    assert _measure(lr_sharpness, hr, hr).min() > 0.98


@pytest.mark.parametrize(
    ("metric", "fault", "least"),
    [
        (color_bias, lambda x: x + torch.tensor([2.0, 0, -2.0]).view(3, 1, 1) / 255, 1.5),
        (color_bias, lambda x: x**1.05, 1.5),
        (cell_bias, _other_matrix, 2.5),
        (registration, lambda x: _shifted(x, 0.25), 0.2),
        (registration, lambda x: _shifted(x, 0.25) + 0.02, 0.2),
        (grid, _checked, 1.5),
        (grid, lambda x: x + torch.arange(x.shape[-2])[:, None] % 3 * 2 / 255, 1.4),
        (ghosting, lambda x: 0.9 * x + 0.1 * x.roll(1, 1), 0.08),
        (combing, lambda x: x.unflatten(-2, (-1, 2)).flip(-2).flatten(-3, -2), 2.5),
    ],
)
def test_a_fault_is_found_in_every_frame(
    hr: Tensor, metric: Callable[..., Tensor], fault: Callable[[Tensor], Tensor], least: float
) -> None:
    assert float(_measure(metric, fault(hr), hr).min()) > least


def test_a_black_tile_is_found_in_its_frame(hr: Tensor) -> None:
    values = _measure(cell_bias, _tile(hr), hr)
    assert int(values.argmax()) == 3
    assert values[3] > 12


def test_half_a_blurred_picture_is_less_sharp_than_its_lr(hr: Tensor) -> None:
    assert _measure(lr_sharpness, _half(hr), hr).max() < 0.92


def test_the_order_of_frames_is_found(hr: Tensor) -> None:
    late = _measure(frame_offset, torch.cat([hr[:, :1], hr[:, :-1]], 1), hr)
    early = _measure(frame_offset, torch.cat([hr[:, 1:], hr[:, -1:]], 1), hr)
    swapped = _measure(frame_offset, hr[:, [0, 1, 3, 2, 4, 5]], hr)
    assert _measure(frame_offset, hr.flip(1), hr).tolist() == [5, 3, 1, -1, -3, -5]
    assert late[1:].tolist() == [-1] * 5
    assert early[:-1].tolist() == [1] * 5
    assert swapped.tolist() == [0, 0, 1, -1, 0, 0]


def test_the_order_is_found_in_a_clip_of_any_length_by_frames_that_are_near(hr: Tensor) -> None:
    """The same as with all frames at once, but frames of more than 64 frames away are not found."""
    lr = torch.rand(1, 200, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    sr = lr.clone()
    sr[:, 150:] = lr[:, 149:-1]
    sr[:, 20], sr[:, 30], sr[:, 199] = lr[:, 84], lr[:, 95], lr[:, 120]
    known, expected = Inputs({"degraded": sr, "lr": lr}, {}), torch.zeros(1, 200)
    expected[:, 150:199], expected[:, 20] = -1, 64
    for size in (1, 8, 50, 64, 65, 200):
        windows = iter([(known, slice(first, first + size)) for first in range(0, 200, size)])
        assert torch.equal(frame_offset(Stream(200, 25, windows)), expected.double())


def test_mirrored_and_turned_frames_are_found(hr: Tensor) -> None:
    for number, sides in enumerate(((-1,), (-2,), (-2, -1)), 1):
        assert _measure(orientation, hr.flip(sides), hr).tolist() == [number] * 6


def test_a_still_clip_has_no_order_and_a_flat_one_no_detail(hr: Tensor) -> None:
    still = hr[:, :1].expand(-1, 4, -1, -1, -1)
    assert not _measure(frame_offset, still, still).any()
    assert _measure(ghosting, still, still).isnan().all()
    flat = torch.full_like(still, 0.5)
    assert _measure(lr_sharpness, flat, flat).isnan().all()
    assert _measure(registration, flat, flat).isnan().all()
