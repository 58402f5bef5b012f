"""Motion: what a known translation has to give."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vsr_lab.core.clip import to_gray
from vsr_lab.core.flow import Farneback, Motion, backward_warp, inside, visible, warp_previous

Moving = Callable[..., Tensor]
_INSIDE = (..., slice(8, -8), slice(8, -8))


def _flow(x: float, y: float, height: int = 24, width: int = 32) -> Tensor:
    return torch.tensor([float(x), float(y)]).view(1, 2, 1, 1).expand(1, 2, height, width).clone()


def test_no_motion_warps_to_the_same_picture() -> None:
    image = torch.rand(1, 3, 24, 32)
    assert torch.allclose(backward_warp(image, _flow(0, 0)), image, atol=1e-5)


def test_the_flow_points_to_where_a_pixel_comes_from() -> None:
    image = torch.rand(1, 3, 24, 32)
    warped = backward_warp(image, _flow(3, -2))
    assert torch.allclose(warped[..., 2:, :-3], image[..., :-2, 3:], atol=1e-5)


def test_half_precision_moves_no_pixel_to_another_place() -> None:
    """bf16 has 8 bits: coordinates near 400 would be off by a pixel."""
    ramp = (torch.arange(512.0) / 512).expand(1, 1, 4, 512)
    warped = backward_warp(ramp.bfloat16(), _flow(0.5, 0, 4, 512))
    assert warped.dtype == torch.bfloat16
    expected = backward_warp(ramp, _flow(0.5, 0, 4, 512))
    assert (warped.float() - expected).abs().max() <= 2 / 512  # what bf16 rounds the picture itself by


def test_beyond_the_border_the_border_is_repeated() -> None:
    image = torch.rand(1, 3, 24, 32)
    assert torch.allclose(backward_warp(image, _flow(100, 0)), image[..., -1:].expand_as(image), atol=1e-5)


def test_a_steady_translation_is_visible_everywhere() -> None:
    assert visible(_flow(3, -2), _flow(-3, 2)).min() == 1


def test_what_enters_the_picture_is_not_inside_the_one_before() -> None:
    flow = _flow(-3, 2)
    seen = inside(flow)[0, 0]
    assert seen[:-2, 3:].min() == 1
    assert seen.sum() == seen[:-2, 3:].numel()


def test_flows_that_disagree_are_occluded() -> None:
    assert visible(_flow(3, -2), _flow(3, -2)).max() == 0


def test_the_edge_of_a_moving_thing_is_not_visible() -> None:
    backward = _flow(0, 0)
    backward[..., 8:16, 8:16] = 1
    mask = visible(backward, -backward)[0, 0]
    assert [mask[12, x].item() for x in (2, 7, 12, 15, 20)] == [1, 0, 1, 0, 1]


def test_previous_frames_land_on_the_next(moving: Moving) -> None:
    clip = moving(3, 24, 32, y=1, x=2)[None]
    backward = _flow(-2, -1).expand(1, 2, 2, 24, 32)
    warped = warp_previous(clip, Motion(backward, -backward, torch.ones(1, 2, 1, 24, 32)))
    assert torch.allclose(warped[..., 1:, 2:], clip[:, 1:, :, 1:, 2:], atol=1e-5)


# Farneback


def test_farneback_finds_a_translation(moving: Moving) -> None:
    motion = Farneback()(moving(3, 64, 96, y=1, x=2)[None])
    backward, forward = (flow[_INSIDE].mean((0, 1, 3, 4)) for flow in (motion.backward, motion.forward))
    assert backward.tolist() == pytest.approx([-2, -1], abs=0.1)
    assert forward.tolist() == pytest.approx([2, 1], abs=0.1)


def test_farneback_sees_most_of_a_translation_and_little_of_noise(moving: Moving) -> None:
    assert Farneback()(moving(3, 64, 96)[None]).mask[_INSIDE].mean() > 0.9
    assert Farneback()(torch.rand(1, 3, 3, 64, 96)).mask.mean() < 0.5


def test_farneback_keeps_the_clips_of_a_batch_apart(moving: Moving) -> None:
    clips = torch.stack([moving(3, seed=0), moving(3, y=-1, x=0, seed=1)])
    together = Farneback()(clips)
    for b, clip in enumerate(clips):
        alone = Farneback()(clip[None])
        assert all(torch.equal(a[0], t[b]) for a, t in zip(alone, together, strict=True))


def test_flow_estimated_at_half_the_size_is_in_pixels_of_the_whole(moving: Moving) -> None:
    clip = moving(3, 64, 96, y=2, x=4)[None, ..., :63, :95]
    motion = Farneback(shrink=2)(clip)
    assert motion.backward.shape == (1, 2, 2, 63, 95)
    backward, forward = (flow[_INSIDE].mean((0, 1, 3, 4)) for flow in (motion.backward, motion.forward))
    assert backward.tolist() == pytest.approx([-4, -2], abs=0.2)
    assert forward.tolist() == pytest.approx([4, 2], abs=0.2)


def test_a_single_frame_has_no_motion() -> None:
    motion = Farneback()(torch.rand(2, 1, 3, 24, 32))
    assert [tuple(part.shape) for part in motion] == [(2, 0, 2, 24, 32), (2, 0, 2, 24, 32), (2, 0, 1, 24, 32)]


def test_no_gradient_passes_through_flow(moving: Moving) -> None:
    assert not any(part.requires_grad for part in Farneback()(moving(2)[None].requires_grad_()))


def test_gray_is_rounded_to_bytes() -> None:
    gray = to_gray(torch.ones(2, 3, 3, 4, 5) / 2)
    assert gray.shape == (6, 4, 5)
    assert set(gray.flatten().tolist()) == {128}
