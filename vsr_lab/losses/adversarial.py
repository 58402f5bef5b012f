"""Adversarial losses, with a discriminator that is trained beside the network (training/adversarial.py)."""

from abc import ABC, abstractmethod

import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.ranges import Positive
from vsr_lab.core.warp import Motion


class Adversarial(nn.Module, ABC):
    """An adversarial loss.

    Args:
        discriminator: (clip, lr, motion) -> scores, high for real.
        learning_rate: of the discriminator.
    """

    def __init__(self, discriminator: nn.Module, learning_rate: Positive) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.learning_rate = learning_rate

    @abstractmethod
    def forward(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        """What the network minimises: sr, hr B T C H W, lr B T C h w, motion of hr."""

    @abstractmethod
    def discriminator_loss(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        """What the discriminator minimises. No gradient passes to sr."""


class Hinge(Adversarial):
    """max(0, 1 - D(hr)) + max(0, 1 + D(sr)) against -D(sr) (Lim and Ye 2017; Miyato et al. 2018, eq. 16 and 17)."""

    def forward(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        return -self.discriminator(sr, lr, motion).mean()

    def discriminator_loss(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        real = self.discriminator(hr, lr, motion)
        made = self.discriminator(sr.detach(), lr, motion)
        return F.relu(1 - real).mean() + F.relu(1 + made).mean()


class Relativistic(Adversarial):
    """Each side is judged against the mean of the other, by cross entropy (RaSGAN, Jolicoeur-Martineau 2018)."""

    def forward(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        real = self.discriminator(hr, lr, motion)
        made = self.discriminator(sr, lr, motion)
        return _more_real(made, real)

    def discriminator_loss(self, sr: Tensor, hr: Tensor, lr: Tensor, motion: Motion) -> Tensor:
        real = self.discriminator(hr, lr, motion)
        made = self.discriminator(sr.detach(), lr, motion)
        return _more_real(real, made)


def _more_real(these: Tensor, those: Tensor) -> Tensor:
    """-log sigmoid(these - mean those) - log(1 - sigmoid(those - mean these)), averaged."""
    return F.softplus(those.mean() - these).mean() + F.softplus(those - these.mean()).mean()
