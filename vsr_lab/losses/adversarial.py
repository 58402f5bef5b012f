"""Adversarial losses. The discriminator is trained together with the network, see training/adversarial.py."""

from abc import ABC, abstractmethod

import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.flow import Motion
from vsr_lab.core.ranges import Positive


class Adversarial(nn.Module, ABC):
    """Base class of adversarial losses, which train a discriminator together with the network.

    Args:
        discriminator: network that maps (clip, lr, motion) to scores, which should be high for HR clips, such as
            `SpatioTemporal`.
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
            sr, hr: output and target, (B, T, C, H, W) in [0, 1].
            lr: (B, T, C, h, w) in [0, 1].
            motion: optical flow of hr.
        """

    @abstractmethod
    def discriminator_loss(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        """Compute the loss of the discriminator, a scalar without gradients to sr. Arguments as in `forward`."""


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
