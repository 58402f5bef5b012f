"""The game between a network and a discriminator: values by hand, what is seen, and whose gradients go where."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import Farneback, Motion
from vsr_lab.losses import Adversarial, Hinge, Objective, Relativistic, SpatioTemporal, Term


class _Mean(nn.Module):
    """A score that can be read off: the mean of each clip, times a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    def forward(self, clip: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        return self.weight * clip.mean((1, 2, 3, 4))


def _clips(*levels: float) -> Tensor:
    return torch.tensor(levels).view(-1, 1, 1, 1, 1).expand(-1, 3, 3, 8, 8)


def _motion(clip: Tensor) -> Motion:
    flow = torch.zeros(len(clip), clip.shape[1] - 1, 2, *clip.shape[-2:])
    return Motion(flow, flow, flow[:, :, :1] + 1)


SR, HR = _clips(-0.5, -2.0), _clips(0.5, 3.0)
LR = torch.zeros(2, 3, 3, 4, 4)


def test_hinge_by_hand() -> None:
    loss = Hinge(_Mean(), 1e-4)
    assert loss(SR, HR, LR, _motion(HR)).item() == pytest.approx(1.25)
    # max(0, 1 - 0.5), max(0, 1 - 3), max(0, 1 - 0.5), max(0, 1 - 2), each pair averaged
    assert loss.discriminator_loss(SR, HR, LR, _motion(HR)).item() == pytest.approx(0.5)


def test_relativistic_by_hand() -> None:
    def cost(*scores: float) -> float:
        """-log sigmoid, averaged."""
        return sum(math.log1p(math.exp(-score)) for score in scores) / len(scores)

    loss = Relativistic(_Mean(), 1e-4)
    network = cost(-0.5 - 1.75, -2 - 1.75) + cost(-1.25 - 0.5, -1.25 - 3)  # the means are 1.75 and -1.25
    discriminator_loss = cost(0.5 + 1.25, 3 + 1.25) + cost(1.75 + 0.5, 1.75 + 2)
    assert loss(SR, HR, LR, _motion(HR)).item() == pytest.approx(network)
    assert loss.discriminator_loss(SR, HR, LR, _motion(HR)).item() == pytest.approx(discriminator_loss)


@pytest.mark.parametrize("make", [Hinge, Relativistic])
def test_the_discriminator_learns_nothing_of_the_network(make: type[Adversarial]) -> None:
    loss = make(_Mean(), 1e-4)
    sr = SR.clone().requires_grad_()
    loss.discriminator_loss(sr, HR, LR, _motion(HR)).backward()
    assert sr.grad is None
    assert loss.discriminator.weight.grad.abs() > 0


def _seen(change: Callable[[Tensor], None], length: int = 5) -> Tensor:
    """Which triplets' scores a change of the clip alters."""
    torch.manual_seed(0)
    discriminator = SpatioTemporal(channels=4).eval()
    clip = torch.rand(1, length, 3, 32, 32)
    lr = torch.rand(1, length, 3, 8, 8)
    motion = _motion(clip)
    other = clip.clone()
    change(other)
    with torch.no_grad():
        return (discriminator(clip, lr, motion) - discriminator(other, lr, motion)).abs().amax((1, 2, 3)) > 0


def test_every_frame_is_judged_with_its_two_neighbours() -> None:
    assert _seen(lambda clip: clip[:, 0].zero_()).tolist() == [True, False, False]
    assert _seen(lambda clip: clip[:, 2].zero_()).tolist() == [True, True, True]
    assert _seen(lambda clip: clip[:, 4].zero_()).tolist() == [False, False, True]


def test_neighbours_are_moved_onto_the_middle_frame() -> None:
    """A texture that drifts looks still to the discriminator, apart from its borders."""
    texture = nn.functional.interpolate(
        torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0)), scale_factor=4, mode="bicubic"
    ).clamp(0, 1)
    clip = torch.stack([texture[..., 2 * t : 2 * t + 40] for t in range(3)], 1)
    discriminator = SpatioTemporal(channels=4)
    seen: list[Tensor] = []
    discriminator.layers.register_forward_pre_hook(lambda _, views: seen.append(views[0]))
    discriminator(clip, clip[..., ::2, ::2], Farneback()(clip))
    previous, middle, after, moved_previous, moved_after = (seen[0][:, 3 * i : 3 * i + 3] + 0.5 for i in range(5))
    inside = (..., slice(8, -8), slice(8, -8))
    for raw, moved in ((previous, moved_previous), (after, moved_after)):
        assert (moved - middle)[inside].abs().mean() < 0.3 * (raw - middle)[inside].abs().mean()
    assert seen[0].shape[1] == 24


def test_it_learns_to_tell_flicker_from_calm() -> None:
    torch.manual_seed(0)
    loss = Hinge(SpatioTemporal(channels=4), 1e-4)
    optimizer = torch.optim.Adam(loss.parameters(), 3e-3)
    frame = torch.rand(2, 1, 3, 32, 32)
    hr = frame.expand(-1, 3, -1, -1, -1)
    lr = hr[..., ::4, ::4]
    before = after = 0.0
    for step in range(30):
        optimizer.zero_grad()
        sr = hr + 0.1 * torch.tensor([1.0, -1.0, 1.0]).view(1, 3, 1, 1, 1)
        after = loss.discriminator_loss(sr, hr, lr, _motion(hr))
        before = before if step else after.item()
        after.backward()
        optimizer.step()
    assert float(after) < 0.6 * before


def test_a_clip_of_two_frames_has_nothing_to_judge() -> None:
    clip = torch.rand(1, 2, 3, 32, 32)
    with pytest.raises(UserError, match=r"data\.clip_frames"):
        SpatioTemporal(channels=4)(clip, clip[..., ::4, ::4], _motion(clip))


def test_a_second_discriminator_would_not_learn_and_is_refused() -> None:
    terms = {name: Term(Hinge(SpatioTemporal(4), 1e-4), 0.1) for name in ("one", "another")}
    with pytest.raises(UserError, match=r"loss\.terms: must not have two adversarial terms"):
        Objective(terms, Farneback()).check(())
