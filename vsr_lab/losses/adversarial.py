"""Adversarial losses, and a discriminator, which is trained together with the network (training/adversarial.py)."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import Motion, warp_clip
from vsr_lab.core.ranges import Channels, Positive
from vsr_lab.core.resize import imresize


class Adversarial(nn.Module, ABC):
    """Base class of adversarial losses, which train a discriminator together with the network.

    Args:
        discriminator: network such as `SpatioTemporal`, which maps (clip, lr, motion) to scores. It is trained to give
            high scores to HR clips and low scores to SR clips.
        learning_rate: learning rate of the discriminator, > 0.
    """

    def __init__(self, discriminator: nn.Module, learning_rate: Positive) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.learning_rate = learning_rate

    @abstractmethod
    def forward(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        """Compute the adversarial loss of the super-resolution network, a scalar.

        Args:
            sr: output of the network, (B, T, C, H, W), not clamped.
            hr: target, (B, T, C, H, W) in [0, 1].
            lr: (B, T, C, h, w) in [0, 1].
            motion: optical flow of hr.
        """

    @abstractmethod
    def discriminator_loss(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        """Compute the loss of the discriminator, a scalar without gradients to sr. Arguments are as in `forward`."""


class Hinge(Adversarial):
    """Adversarial hinge loss (Lim and Ye 2017; Miyato et al. 2018, eq. 16 and 17).

    The loss of the discriminator D is the mean of max(0, 1 - D(hr)) + max(0, 1 + D(sr)). The loss of the network is the
    mean of -D(sr).
    """

    def forward(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        return -self.discriminator(sr, lr, motion).mean()

    def discriminator_loss(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        real = self.discriminator(hr, lr, motion)
        made = self.discriminator(sr.detach(), lr, motion)
        return F.relu(1 - real).mean() + F.relu(1 + made).mean()


class Relativistic(Adversarial):
    """Adversarial loss of relativistic average GANs (RaGAN, Jolicoeur-Martineau 2018).

    The discriminator is trained by binary cross entropy. Scores of HR clips should be higher than the mean score of the
    SR clips in the batch, and scores of SR clips lower than the mean score of the HR clips. The network is trained with
    the same loss in which SR and HR are exchanged.
    """

    def forward(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        real = self.discriminator(hr, lr, motion)
        made = self.discriminator(sr, lr, motion)
        return _more_real(made, real)

    def discriminator_loss(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        real = self.discriminator(hr, lr, motion)
        made = self.discriminator(sr.detach(), lr, motion)
        return _more_real(real, made)


def _more_real(these: Tensor, those: Tensor) -> Tensor:
    """Mean of -log sigmoid(these - mean(those)) - log(1 - sigmoid(those - mean(these)))."""
    return F.softplus(those.mean() - these).mean() + F.softplus(those - these.mean()).mean()


_INPUTS = 24  # colours of three frames, of two warped onto the middle one, and of three of LR
_WIDTHS = (1, 1, 2, 4)  # TecoGAN's 64, 64, 128, 256


class SpatioTemporal(nn.Module):
    """Discriminator of TecoGAN for patches of clips (Chu et al. 2020, section 3.1), with spectral normalisation.

    The input for a frame also contains the two neighbouring frames, warped onto the frame, so that the discriminator
    can detect flicker, and the LR frames, so that it can detect invented detail. Spectral normalisation (Miyato et al.
    2018) is used in all layers except the first.

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
            raise UserError("data.clip_frames", f"must be >= 3 for adversarial losses, got {clip.shape[1]}")
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
