"""Lucas and Kanade's flow finds motions that are known, with nothing to learn."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.flow import backward_warp
from vsr_lab.models.flow import LucasKanade


def _texture(height: int, width: int) -> Tensor:
    noise = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(0))
    return F.interpolate(noise, (height, width), mode="bicubic").clamp(0, 1)


def _shifted(x: float, y: float, height: int = 61, width: int = 83) -> tuple[Tensor, Tensor, Tensor]:
    """A picture, the same moved, and the flow from the one to the other, all from a larger one."""
    large = _texture(height + 40, width + 40)
    flow = torch.tensor([x, y]).view(1, 2, 1, 1).expand(1, 2, *large.shape[-2:])
    moved = backward_warp(large, -flow)
    return tuple(part[..., 20:-20, 20:-20] for part in (large, moved, flow))  # pyright: ignore[reportReturnType]


def test_shifts_are_found_to_a_tenth_of_a_pixel() -> None:
    for x, y in ((0.3, -0.4), (2.25, 1.5), (-5.6, 3.1)):
        reference, other, known = _shifted(x, y)
        inner = (..., slice(8, -8), slice(8, -8))
        error = (LucasKanade()(reference, other) - known)[inner].norm(dim=1).mean()
        assert error < 0.1


def test_where_nothing_can_be_seen_nothing_moves() -> None:
    gray = torch.full((1, 3, 20, 30), 0.5)
    assert LucasKanade()(gray, gray + 0.1).abs().max() < 0.05
    picture = _texture(20, 30)
    assert LucasKanade()(picture, picture).abs().max() < 1e-5


def test_gradients_and_odd_sizes_pass() -> None:
    reference, other, _ = _shifted(1.0, 1.0, 13, 9)
    reference = reference.clone().requires_grad_()
    LucasKanade()(reference, other).square().sum().backward()
    assert reference.grad is not None
    assert reference.grad.isfinite().all()
    assert reference.grad.abs().max() > 0
