"""The training step for adversarial losses, with a discriminator."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from vsr_lab.core.errors import noted
from vsr_lab.training.module import VsrModule


class AdversarialModule(VsrModule):
    """Lightning module that trains a network and a discriminator, for objectives with an adversarial loss.

    Before the progress `start` of the adversarial loss, the loss affects neither network. One backward pass computes
    the gradients of both networks; the discriminator gets a detached copy of SR. One optimizer has separate parameter
    groups for the two networks, which is equivalent to two optimizers if the optimizer treats each parameter separately
    (Adam, SGD). So gradient accumulation, mixed precision and resuming work as in any other training.
    """

    def losses(
        self, sr: Tensor, hr: Tensor, lr: Tensor, *, progress: float, measured: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        name, term, loss = self.objective.adversarial_term()
        motion = cache(lambda: self.objective.estimator(hr))
        extra = {**self.extra_inputs(lr), "motion": motion}
        loss.requires_grad_(False)
        total, parts = self.objective(sr, hr, lr, progress=progress, measure_all=measured, extra=extra)
        loss.requires_grad_(True)
        if term.weight_at(progress):
            with noted(f"loss.terms.{name}"):
                discriminator_loss = loss.discriminator_loss(sr, hr, lr, motion())
            parts["discriminator"] = discriminator_loss.detach()
            total = total + discriminator_loss
        return total, parts

    def parameter_groups(self) -> list[dict[str, Any]]:
        *_, loss = self.objective.adversarial_term()
        return [*super().parameter_groups(), {"params": list(loss.parameters()), "lr": loss.learning_rate}]

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the gradients of each parameter group by their own norm; the two networks do not affect each other."""
        if gradient_clip_val is None or gradient_clip_algorithm == "value":
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
            return
        for group in optimizer.param_groups:
            nn.utils.clip_grad_norm_(group["params"], gradient_clip_val)
