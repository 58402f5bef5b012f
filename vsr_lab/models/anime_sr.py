"""AnimeSR: a recurrent network for animation that needs one future frame."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.network import Network
from vsr_lab.core.ranges import Channels, Scale
from vsr_lab.models.blocks import ResidualBlock, leaky

_BLOCKS = (5, 3, 2)  # at full, half and quarter size


class AnimeSr(Network):
    """Recurrent network AnimeSR, which also uses the next frame.

    Wu et al., "AnimeSR: Learning real-world super-resolution models for animation videos", 2022. Inputs are the
    previous, current and next frame, the previous output and a hidden state, processed at three sizes. h and w must be
    multiples of 4. The output is added to bilinear upscaling, as in the original. `load_animesr` reads the published
    weights.

    Args:
        scale: upscaling factor.
        channels: channels of the convolutions.
    """

    size_multiple = 4
    lookahead = 1

    def __init__(self, scale: Scale = 4, channels: Channels = 64) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        picture = 3 * scale**2
        sides = ((9 + picture + channels, 1), (channels, 2), (channels, 2))
        self.entries = nn.ModuleList(nn.Conv2d(before, channels, 3, stride, 1) for before, stride in sides)
        self.bodies = nn.ModuleList(nn.ModuleList(ResidualBlock(channels) for _ in range(n)) for n in _BLOCKS)
        self.fusion = nn.ModuleList(
            [
                nn.Conv2d(3 * channels, 2 * (channels + picture), 3, padding=1),
                nn.Conv2d(2 * (channels + picture), channels + picture, 3, padding=1),
            ]
        )

    def forward(self, lr: Tensor) -> Tensor:
        before = torch.cat([lr[:, :1], lr[:, :-1]], 1)
        after = torch.cat([lr[:, 1:], lr[:, -1:]], 1)
        batch, _, _, height, width = lr.shape
        sr = lr.new_zeros(batch, 3, height * self.scale, width * self.scale)
        hidden = lr.new_zeros(batch, self.channels, height, width)
        frames: list[Tensor] = []
        for t in range(lr.shape[1]):
            three = torch.cat([before[:, t], lr[:, t], after[:, t]], 1)
            sr, hidden = self.per_frame(self._step, three, lr[:, t], sr, hidden)
            frames.append(sr)
        return torch.stack(frames, 1)

    def _step(self, three: Tensor, frame: Tensor, sr: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        made = self._cell(torch.cat([three, F.pixel_unshuffle(sr, self.scale), hidden], 1))
        picture, state = made[:, : -self.channels], made[:, -self.channels :]
        enlarged = F.interpolate(frame, scale_factor=self.scale, mode="bilinear")
        return enlarged + F.pixel_shuffle(picture, self.scale), leaky(state)

    def _cell(self, x: Tensor) -> Tensor:
        levels: list[Tensor] = []
        for entry in self.entries:
            x = leaky(entry(x))
            levels.append(x)
        for i in range(_BLOCKS[0]):
            # A smaller level joins in once it has had a block of its own, so that all end together.
            begun = [k for k, count in enumerate(_BLOCKS) if i > _BLOCKS[0] - count]
            for k, count in enumerate(_BLOCKS):
                j = i - _BLOCKS[0] + count
                if j >= 0:
                    extra = sum((_up(levels[m], 2 ** (m - k)) for m in begun if m > k), torch.zeros_like(levels[k]))
                    levels[k] = self.bodies[k][j](levels[k] + extra)  # pyright: ignore[reportIndexIssue]
        x = torch.cat([levels[0], _up(levels[1], 2), _up(levels[2], 4)], 1)
        return self.fusion[1](leaky(self.fusion[0](x)))


def _up(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="bilinear")
