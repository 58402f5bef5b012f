"""BasicVSR and BasicVSR++, which propagate features forward and backward through the whole clip.

In BasicVSR features are propagated once per direction and aligned by optical flow. In BasicVSR++ they are propagated
twice per direction, and the features of two frames are aligned by deformable convolution.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.flow import backward_warp
from vsr_lab.core.network import Network
from vsr_lab.core.ranges import Channels, Layers, Scale
from vsr_lab.models.blocks import Enlarger, Trunk, leaky, zero_
from vsr_lab.models.flow import SpyNet


class _WholeClip(Network):
    """A network that propagates features through the whole clip, along the optical flow of SPyNet."""

    lookahead = None

    def __init__(self, scale: Scale, channels: Channels, blocks: Layers, *, width: Channels) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.blocks = blocks
        self.width = width
        self.flow = SpyNet()


class BasicVsr(_WholeClip):
    """BasicVSR (Chan et al., "BasicVSR: The search for essential components in video super-resolution", 2021).

    Every output frame depends on the whole clip. The default size is the paper's, 6.3 million parameters. The output is
    added to bilinear upscaling, as in the paper. `load_basicvsr` reads the published weights.

    Args:
        scale: upscaling factor, 2, 3 or 4.
        channels: channels of the features at LR size.
        blocks: residual blocks per direction.
        width: channels of the features during upsampling to SR size.
    """

    def __init__(self, scale: Scale = 4, channels: Channels = 64, blocks: Layers = 30, *, width: Channels = 64) -> None:
        super().__init__(scale, channels, blocks, width=width)
        self.backward_trunk = Trunk(channels + 3, channels, blocks)
        self.forward_trunk = Trunk(channels + 3, channels, blocks)
        self.fusion = nn.Conv2d(2 * channels, channels, 1)
        self.enlarger = Enlarger(channels, width, scale)

    def forward(self, lr: Tensor) -> Tensor:
        frames = lr.unbind(1)
        to_earlier, to_later = self.per_frame(self.flow.both_ways, lr)
        later = self._carried(self.backward_trunk, frames[::-1], to_later[::-1])[::-1]
        earlier = self._carried(self.forward_trunk, frames, to_earlier)
        three = zip(frames, later, earlier, strict=True)
        return torch.stack([self.per_frame(self._enlarged, *parts) for parts in three], 1)

    def _carried(self, trunk: Trunk, frames: Sequence[Tensor], flows: Sequence[Tensor]) -> list[Tensor]:
        """Propagate features through frames, in the order given.

        Args:
            trunk: network that computes the features of a frame.
            frames: LR frames.
            flows: flow from each frame to the preceding frame in that order.
        """
        batch, _, height, width = frames[0].shape
        features = frames[0].new_zeros(batch, self.channels, height, width)
        carried: list[Tensor] = []
        for t, frame in enumerate(frames):
            features = self.per_frame(self._carry, trunk, frame, features, flows[t - 1] if t else None)
            carried.append(features)
        return carried

    def _carry(self, trunk: Trunk, frame: Tensor, features: Tensor, flow: Tensor | None) -> Tensor:
        if flow is not None:
            features = backward_warp(features, flow, "zeros")
        return trunk(torch.cat([frame, features], 1))

    def _enlarged(self, frame: Tensor, later: Tensor, earlier: Tensor) -> Tensor:
        features = leaky(self.fusion(torch.cat([later, earlier], 1)))
        return F.interpolate(frame, scale_factor=self.scale, mode="bilinear") + self.enlarger(features)


_GROUPS = 16
_REACH = 10.0  # pixels that an offset may add to the flow


class BasicVsrPp(_WholeClip):
    """BasicVSR++ with second-order grid propagation and flow-guided deformable alignment.

    Chan et al., "BasicVSR++: Improving video super-resolution with enhanced propagation and alignment", 2022. Every
    output frame depends on the whole clip. The default size is the paper's, 7.3 million parameters. The output is added
    to bilinear upscaling, as in the paper.

    Args:
        scale: upscaling factor, 2, 3 or 4.
        channels: channels of the features at LR size.
        blocks: residual blocks per propagation branch.
        width: channels of the features during upsampling to SR size.
    """

    def __init__(self, scale: Scale = 4, channels: Channels = 64, blocks: Layers = 7, *, width: Channels = 64) -> None:
        super().__init__(scale, channels, blocks, width=width)
        self.extract = Trunk(3, channels, 5)
        self.align = nn.ModuleList(Alignment(channels) for _ in range(4))
        self.trunks = nn.ModuleList(Trunk((2 + i) * channels, channels, blocks) for i in range(4))
        self.reconstruct = Trunk(5 * channels, channels, 5)
        self.enlarger = Enlarger(channels, width, scale)

    def forward(self, lr: Tensor) -> Tensor:
        frames = lr.unbind(1)
        features = [[self.per_frame(self.extract, frame)] for frame in frames]
        to_earlier, to_later = self.per_frame(self.flow.both_ways, lr)
        for branch in range(4):
            order = list(range(len(frames)))[:: 1 if branch % 2 else -1]
            flows = to_earlier if branch % 2 else to_later[::-1]
            carried = self._carried(branch, [features[t] for t in order], flows)
            for t, made in zip(order, carried, strict=True):
                features[t].append(made)
        pairs = zip(frames, features, strict=True)
        return torch.stack([self.per_frame(self._enlarged, frame, *own) for frame, own in pairs], 1)

    def _carried(self, branch: int, features: Sequence[Sequence[Tensor]], flows: Sequence[Tensor]) -> list[Tensor]:
        """Propagate features once, in the order given.

        Args:
            branch: index of the branch.
            features: features of every frame from the earlier branches.
            flows: flow from each frame to the preceding frame in that order.
        """
        carried: list[Tensor] = []
        for t, own in enumerate(features):
            near = (carried[t - 1], flows[t - 1]) if t else (None, None)
            far = (carried[t - 2], flows[t - 2]) if t > 1 else (None, None)
            carried.append(self.per_frame(self._carry, branch, *near, *far, *own))
        return carried

    def _carry(
        self,
        branch: int,
        near: Tensor | None,
        flow: Tensor | None,
        far: Tensor | None,
        last: Tensor | None,
        *own: Tensor,
    ) -> Tensor:
        """Compute the features of one frame in a propagation branch.

        Args:
            branch: index of the branch.
            near, far: features of the preceding frame, and of the frame that precedes that one.
            flow: flow from this frame to the preceding one.
            last: flow from the preceding frame to the frame that precedes it.
            own: features of this frame from the earlier branches.
        """
        here = torch.zeros_like(own[0])
        if near is not None and flow is not None:
            further = torch.zeros_like(flow) if last is None else flow + backward_warp(last, flow)
            here = self.align[branch](own[0], near, torch.zeros_like(near) if far is None else far, flow, further)
        return here + self.trunks[branch](torch.cat([*own, here], 1))

    def _enlarged(self, frame: Tensor, *features: Tensor) -> Tensor:
        enlarged = self.enlarger(self.reconstruct(torch.cat(features, 1)))
        return F.interpolate(frame, scale_factor=self.scale, mode="bilinear") + enlarged


class Alignment(nn.Module):
    """Flow-guided deformable alignment: offsets are optical flow plus a learned residual (BasicVSR++, 3.2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers = [nn.Conv2d(3 * channels + 4, channels, 3, padding=1)]
        layers += [nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2)]
        self.offsets = nn.ModuleList(layers)
        self.head = zero_(nn.Conv2d(channels, 27 * _GROUPS, 3, padding=1))
        self.filter = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, here: Tensor, near: Tensor, far: Tensor, flow: Tensor, further: Tensor) -> Tensor:
        """Align the propagated features of two neighbouring frames to the current frame.

        Args:
            here: features of the current frame, (B, C, h, w).
            near, far: features of the frame before the current one in the order of propagation, and of the frame before
                that one, (B, C, h, w). In a backward branch both are later in time.
            flow, further: optical flow from the current frame to `near` and to `far`, in pixels, (B, 2, h, w).

        Returns:
            Aligned features, (B, C, h, w).
        """
        guesses = [backward_warp(near, flow), backward_warp(far, further)]
        x = torch.cat([guesses[0], here, guesses[1], flow.to(here.dtype), further.to(here.dtype)], 1)
        for layer in self.offsets:
            x = leaky(layer(x))
        first, second, mask = self.head(x).float().chunk(3, 1)
        from torchvision.ops import deform_conv2d  # which other networks of this package can do without

        # torchvision wants (y, x) for each of the nine taps of each group; the first half of the groups reads `near`.
        guides = torch.cat([g.flip(1).repeat(1, 9 * _GROUPS // 2, 1, 1) for g in (flow, further)], 1)
        offset = _REACH * torch.cat([first, second], 1).tanh() + guides
        both = torch.cat([near, far], 1).float()
        weight, bias = self.filter.weight.float(), self.filter.bias
        with torch.autocast(here.device.type, enabled=False):
            return deform_conv2d(both, offset, weight, bias, padding=(1, 1), mask=mask.sigmoid()).to(here.dtype)
