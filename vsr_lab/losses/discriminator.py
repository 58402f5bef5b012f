"""The discriminator of the adversarial losses. Its input consists of three motion-compensated frames and their LR."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import Motion, warp_clip
from vsr_lab.core.ranges import Channels
from vsr_lab.core.resize import imresize

_INPUTS = 24  # colours of three frames, of two warped onto the middle one, and of three of LR
_WIDTHS = (1, 1, 2, 4)  # TecoGAN's 64, 64, 128, 256


class SpatioTemporal(nn.Module):
    """Discriminator of TecoGAN for patches of clips (Chu et al. 2020, section 3.1), with spectral normalisation.

    The input for a frame also contains its two neighbours warped onto it, so that the discriminator can detect flicker.
    It also contains the LR frames, so that the discriminator can detect invented detail. Spectral normalisation: Miyato
    et al. 2018.

    Args:
        channels: number of channels of the first layer. Later layers have up to 4 times as many channels and 1/16 of
            the height and width.
    """

    def __init__(self, channels: Channels = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(_INPUTS, channels, 3, padding=1), nn.LeakyReLU(0.2)]
        before = channels
        for width in _WIDTHS:
            layers += [spectral_norm(nn.Conv2d(before, width * channels, 4, 2, 1)), nn.LeakyReLU(0.2)]
            before = width * channels
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(before, 1, 3, padding=1)))

    def forward(self, clip: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        """Compute scores for patches of every frame that has two neighbours; clips from HR should get high scores.

        Args:
            clip: (B, T, 3, H, W) in [0, 1], either hr or sr.
            lr: (B, T, 3, h, w) in [0, 1].
            motion: optical flow of hr, also if clip is sr.

        Returns:
            (B * (T - 2), 1, H / 16, W / 16).

        Raises:
            UserError: the clip has fewer than three frames.
        """
        if clip.shape[1] < 3:
            raise UserError(f"a clip of {clip.shape[1]}", "has no three frames to judge", "raise data.clip_frames")
        enlarged = imresize(lr, clip.shape[-1] // lr.shape[-1])
        views = [
            *_triplets(clip),
            warp_clip(clip[:, :-2], motion.backward[:, :-1]),
            warp_clip(clip[:, 2:], motion.forward[:, 1:]),
            *_triplets(enlarged),
        ]
        return self.layers(torch.cat(views, 2).flatten(0, 1) - 0.5)


def _triplets(clip: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Previous, middle and next frame of every three consecutive frames, each (B, T - 2, C, H, W)."""
    return clip[:, :-2], clip[:, 1:-1], clip[:, 2:]
