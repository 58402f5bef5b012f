"""Streaming: one frame in, one frame out, at any size."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import FrameNetwork, Network, enlarge, pad_to_multiple, stream


class Repeat(FrameNetwork):
    """Repeats pixels; refuses sizes that are no multiple of four."""

    scale = 2
    size_multiple = 4

    def frame(self, lr: Tensor) -> Tensor:
        assert lr.shape[-1] % 4 == lr.shape[-2] % 4 == 0
        return lr.repeat_interleave(2, -1).repeat_interleave(2, -2)


class Reversed(Network):
    """Needs the whole clip: plays it backwards."""

    scale = 1
    size_multiple = 4
    lookahead = None

    def forward(self, lr: Tensor) -> Tensor:
        assert lr.shape[-1] % 4 == lr.shape[-2] % 4 == 0
        return lr.flip(1)


@pytest.mark.parametrize("size", [(4, 8), (5, 7), (1, 1)])
def test_frames_are_padded_and_cropped_to_any_size(size: tuple[int, int]) -> None:
    frames = torch.rand(3, 3, *size)
    made = torch.stack(list(stream(Repeat(), frames)))
    assert torch.equal(made, frames.repeat_interleave(2, -1).repeat_interleave(2, -2))


def test_padding_repeats_the_last_row_and_column() -> None:
    lr = torch.rand(1, 3, 5, 7)
    padded = pad_to_multiple(lr, 4)
    assert padded.shape == (1, 3, 8, 8)
    assert torch.equal(padded[..., 5:, :7], lr[..., -1:, :].expand(-1, -1, 3, -1))
    assert torch.equal(padded[..., :5, 7:], lr[..., -1:])


def test_sizes_that_fit_are_left_alone() -> None:
    lr = torch.rand(1, 3, 8, 4)
    assert pad_to_multiple(lr, 4) is lr


def test_a_frame_comes_out_before_the_next_goes_in() -> None:
    taken: list[int] = []

    def source() -> Iterator[Tensor]:
        for t in range(5):
            taken.append(t)
            yield torch.rand(3, 4, 4)

    for t, _ in enumerate(stream(Repeat(), source())):
        assert taken == list(range(t + 1))


def test_a_network_that_needs_the_whole_clip_gets_it() -> None:
    frames = torch.rand(3, 3, 5, 7)
    assert torch.equal(torch.stack(list(stream(Reversed(), frames))), frames.flip(0))


def test_streaming_records_no_gradient() -> None:
    assert not next(stream(Repeat(), torch.rand(1, 3, 4, 4, requires_grad=True))).requires_grad


class _TooLarge(FrameNetwork):
    scale = 2

    def frame(self, lr: Tensor) -> Tensor:
        return lr.repeat_interleave(4, -1).repeat_interleave(4, -2)


def test_a_network_that_does_not_upscale_by_its_scale_is_refused() -> None:
    with pytest.raises(UserError, match=r"_TooLarge: returned frames of \(3, 20, 24\), expected \(3, 10, 12\)"):
        enlarge(_TooLarge(), torch.rand(1, 2, 3, 5, 6))
    with pytest.raises(UserError, match="for its scale 2"):
        list(stream(_TooLarge(), [torch.rand(3, 5, 6)]))
