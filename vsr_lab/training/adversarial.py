"""The training step with a discriminator that is trained beside the network."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from vsr_lab.training.module import VsrModule


class AdversarialModule(VsrModule):
    """`VsrModule` for an objective with an adversarial term. Until the term's start neither side takes part.

    Both sides get their gradients from one backward pass, each detached from the other's: the discriminator judges
    what was made before the network's step, as it does where two optimizers step in turn. One optimizer with two
    parameter groups does what two would do, as long as it treats each parameter by itself (Adam, SGD), and leaves
    accumulation, precision, resuming and the count of steps to Lightning's usual path.
    """

    def losses(
        self, sr: Tensor, hr: Tensor, lr: Tensor, *, progress: float, measured: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        term, loss = self.objective.adversarial_term()
        motion = cache(lambda: self.objective.estimator(hr))
        extra = {**self.extra_inputs(lr), "motion": motion}
        loss.requires_grad_(False)
        total, parts = self.objective(sr, hr, lr, progress=progress, measure_all=measured, extra=extra)
        loss.requires_grad_(True)
        if term.weight_at(progress):
            discriminator_loss = loss.discriminator_loss(sr, hr, lr, motion())
            parts["discriminator"] = discriminator_loss.detach()
            total = total + discriminator_loss
        return total, parts

    def parameter_groups(self) -> list[dict[str, Any]]:
        _, loss = self.objective.adversarial_term()
        return [*super().parameter_groups(), {"params": list(loss.parameters()), "lr": loss.learning_rate}]

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Each side by its own norm, so that neither limits the other."""
        if gradient_clip_val is None or gradient_clip_algorithm == "value":
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
            return
        for group in optimizer.param_groups:
            nn.utils.clip_grad_norm_(group["params"], gradient_clip_val)
