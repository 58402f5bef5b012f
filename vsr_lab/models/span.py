"""SPAN, a per-frame network with parameter-free attention, and a recurrent version of it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.flow import backward_warp
from vsr_lab.core.network import FrameNetwork, State, StreamingNetwork
from vsr_lab.core.ranges import Channels, Layers, Scale
from vsr_lab.models.blocks import zero_
from vsr_lab.models.flow import LucasKanade

_MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K, which the published weights expect, as they do pixels of 0 to 255


class Spab(nn.Module):
    """Swift parameter-free attention block: (t + x) (sigmoid(t) - 1/2), where t is three convolutions of x."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.c1_r = nn.Conv2d(channels, channels, 3, padding=1)
        self.c2_r = nn.Conv2d(channels, channels, 3, padding=1)
        self.c3_r = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (B, C, h, w) to two tensors of this shape: output of the block, and of its first activation."""
        first = F.silu(self.c1_r(x))
        t = self.c3_r(F.silu(self.c2_r(first)))
        return (t + x.to(t.dtype)) * (t.sigmoid() - 0.5), first  # x of the first block is float32 under autocast


class _Layers(StreamingNetwork):
    """The layers of SPAN, with their published names, in three parts.

    The first and the last layers do not run in half precision, because the image itself passes through them.
    """

    def __init__(self, scale: Scale, channels: Channels) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.conv_1 = nn.Conv2d(3, channels, 3, padding=1)
        self.block_1 = Spab(channels)
        self.block_2 = Spab(channels)
        self.block_3 = Spab(channels)
        self.block_4 = Spab(channels)
        self.block_5 = Spab(channels)
        self.block_6 = Spab(channels)
        self.conv_2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_cat = nn.Conv2d(4 * channels, channels, 1)
        self.upsampler = nn.Sequential(zero_(nn.Conv2d(channels, 3 * scale**2, 3, padding=1)), nn.PixelShuffle(scale))
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        nn.init.normal_(self.conv_1.weight, std=1 / 255)  # so that features begin at a scale of one

    def shallow(self, lr: Tensor) -> Tensor:
        """Compute the features of the first convolution, (B, C, h, w), from lr (B, 3, h, w) in [0, 1]."""
        with torch.autocast(lr.device.type, enabled=False):
            return self.conv_1((lr.to(self.conv_1.weight.dtype) - self.get_buffer("mean")) * 255)

    def deep(self, shallow: Tensor) -> Tensor:
        """Compute the input of the last convolution, (B, C, h, w), from the features of the first one."""
        one, first = self.block_1(shallow)
        y = one
        for block in (self.block_2, self.block_3, self.block_4, self.block_5, self.block_6):
            y, first = block(y)
        parts = [shallow, self.conv_2(y), one, first]
        with torch.autocast(shallow.device.type, enabled=False):
            return self.conv_cat(torch.cat([part.to(shallow.dtype) for part in parts], 1))

    def pixels(self, features: Tensor) -> Tensor:
        """Apply the last convolution: features (B, C, h, w) to the unshuffled output, (B, 3 scale^2, h, w)."""
        with torch.autocast(features.device.type, enabled=False):
            return self.upsampler[0](features)


class Span(_Layers, FrameNetwork):
    """SPAN, an efficient network that upscales every frame separately.

    Wan et al., "Swift parameter-free attention network for efficient super-resolution", 2024. The paper trains every
    3x3 convolution with parallel branches; here it has none unless `add_branches` adds them. The output is not added to
    an interpolation of the input.

    Args:
        scale: upscaling factor.
        channels: channels of the features.
    """

    def frame(self, lr: Tensor) -> Tensor:
        return F.pixel_shuffle(self.pixels(self.deep(self.shallow(lr))), self.scale)


class SpanStream(_Layers):
    """Recurrent version of SPAN, which also uses the features and the output of the previous frame.

    The previous LR frame, the hidden features and the previous output are warped to the current frame by Lucas-Kanade
    flow. The previous output is warped at high resolution, because interpolation at LR size would blur it. Features of
    the warped tensors are added to the first and to the last features of SPAN. They also determine, for every pixel,
    how much of the previous output is mixed with the output of SPAN. If the flow of a pixel leads out of the previous
    frame, the previous output is not mixed in there, and nothing is added to the last features. The layers by which the
    state acts on the output are initialised to zero, so the initial output equals that of SPAN.

    The state consists of

    - the previous lr, (B, 3, h, w), and sr, (B, 3, scale * h, scale * w);
    - hidden features, (B, memory, h, w);
    - a mask, (B, 1, h, w): 0 before the first frame, 1 later.

    Args:
        scale: upscaling factor.
        channels: channels of SPAN.
        memory: channels of the hidden features.
        flow_steps: number of refinements per level of the optical flow, see `LucasKanade`.
    """

    def __init__(self, scale: Scale, channels: Channels, memory: Channels = 16, *, flow_steps: Layers = 2) -> None:
        super().__init__(scale, channels)
        self.memory = memory
        self.flow_steps = flow_steps
        self.flow = LucasKanade(flow_steps)
        remembered = 3 + memory + 1 + 3 * scale**2
        self.early = zero_(nn.Conv2d(remembered, channels, 1, bias=False))
        self.recall = nn.Conv2d(remembered, memory, 1, bias=False)
        self.late = nn.Conv2d(channels, memory, 3, padding=1)
        self.correction = zero_(nn.Conv2d(memory, channels, 1))
        self.gate = zero_(nn.Conv2d(memory, scale**2, 1))

    def zero_state(self, lr: Tensor) -> State:
        batch, _, height, width = lr.shape
        sr = lr.new_zeros(batch, 3, self.scale * height, self.scale * width)
        hidden, known = (lr.new_zeros(batch, channels, height, width) for channels in (self.memory, 1))
        return torch.zeros_like(lr), sr, hidden, known

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        before, sr, hidden, known = state
        flow = self.flow(lr, before)
        before, hidden, known = backward_warp(torch.cat([before, hidden, known], 1), flow, "zeros").split(
            [3, self.memory, 1], 1
        )
        pixels = warp_unshuffled(sr, flow, self.scale)
        remembered = torch.cat([(lr - before) * known, hidden, known, pixels], 1)

        features = self.deep(self.shallow(lr) + self.early(remembered))
        hidden = F.silu(self.late(features) + self.recall(remembered))
        now = self.pixels(features + self.correction(hidden) * known)
        gate = self.gate(hidden).tanh() * known
        sr = F.pixel_shuffle(_mixed(now, pixels, gate.to(now.dtype)), self.scale)
        return sr, (lr, sr, hidden.to(lr.dtype), torch.ones_like(known))


def _mixed(now: Tensor, pixels: Tensor, gate: Tensor) -> Tensor:
    """Interpolate from now (gate 0) to pixels (gate 1), both (B, 3 scale^2, h, w); colours share a gate."""
    fresh, kept = (part.unflatten(1, (3, -1)) for part in (now, pixels))
    return torch.lerp(fresh, kept, gate.unsqueeze(1)).flatten(1, 2)


def warp_unshuffled(sr: Tensor, flow: Tensor, scale: int) -> Tensor:
    """Warp an SR frame by flow at LR size, and return it as channels at LR size (`pixel_unshuffle`), in one step.

    Pixels outside sr take the value of its border.

    Args:
        sr: (B, 3, scale * h, scale * w).
        flow: (B, 2, h, w) in LR pixels, used for all SR pixels of an LR pixel.
        scale: upscaling factor.

    Returns:
        (B, 3 scale^2, h, w).
    """
    height, width = flow.shape[-2:]
    steps = torch.arange(scale, device=flow.device, dtype=flow.dtype)
    # All that one axis needs is computed before the two, and the pixels of LR, are brought together: B s^2 h w.
    xs, ys = (scale * torch.arange(n, device=flow.device, dtype=flow.dtype) for n in (width, height))
    right, down = 2 / (scale * width - 1), 2 / (scale * height - 1)
    x = flow[:, :1] * (scale * right) + ((xs + steps.repeat(scale)[:, None, None]) * right - 1)
    y = flow[:, 1:] * (scale * down) + ((ys[:, None] + steps.repeat_interleave(scale)[:, None, None]) * down - 1)
    grid = torch.stack([x.flatten(1, 2), y.flatten(1, 2)], -1)
    found = F.grid_sample(sr.to(grid.dtype), grid, padding_mode="border", align_corners=True)
    return found.unflatten(2, (scale**2, height)).flatten(1, 2).to(sr.dtype)
