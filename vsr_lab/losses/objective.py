"""The training objective: a weighted sum of losses, each with a name and a schedule of its weight."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vsr_lab.core.errors import UserError, noted
from vsr_lab.core.flow import Farneback, FlowEstimator
from vsr_lab.core.inputs import Inputs, required_inputs
from vsr_lab.core.ranges import Fraction, NonNegative
from vsr_lab.losses.adversarial import Adversarial

_OWN = {"sr", "hr", "lr", "motion"}


class Term(nn.Module):
    """One loss of an `Objective`, with its weight.

    Args:
        loss: module whose `forward` takes inputs by name (sr, hr, lr, motion, ...) and returns a scalar.
        weight: factor of the loss, >= 0; with 0, the loss is logged but has no effect on the training.
        start: fraction of the training, in [0, 1], after which the loss begins; before, its weight is 0.
        ramp: fraction of the training, in [0, 1], over which the weight then increases linearly from 0 to `weight`.

    Raises:
        ValueError: the weight is negative, or a fraction is outside [0, 1].
    """

    def __init__(self, loss: nn.Module, weight: NonNegative, start: Fraction = 0.0, *, ramp: Fraction = 0.0) -> None:
        super().__init__()
        if not (weight >= 0 and 0 <= start <= 1 and 0 <= ramp <= 1):  # NaN fits none
            raise ValueError(f"weight must be >= 0, start and ramp in [0, 1], not {weight}, {start} and {ramp}")
        self.loss = loss
        self.weight = weight
        self.start = start
        self.ramp = ramp

    def weight_at(self, progress: float) -> float:
        """Weight of the loss at `progress`, the fraction of the training that is done."""
        if progress < self.start:
            return 0.0
        return self.weight * min(1.0, (progress - self.start) / self.ramp) if self.ramp else self.weight


class Objective(nn.Module):
    """The training loss: a weighted sum of losses.

    A loss gets the inputs that its `forward` has as parameters: sr, hr, lr, motion (optical flow of hr), or one of
    `VsrModule.extra_inputs`.

    Args:
        terms: name -> loss with its weight. A term that is None is ignored: by this, a yaml file removes a loss that it
            inherits.
        estimator: optical flow estimator for losses with the parameter `motion`; Farneback by default.
    """

    def __init__(self, terms: Mapping[str, Term | None], estimator: FlowEstimator = Farneback()) -> None:  # noqa: B008
        super().__init__()
        self.terms = nn.ModuleDict({name: term for name, term in terms.items() if term})
        self.estimator = estimator

    @property
    def is_adversarial(self) -> bool:
        """Whether one of the losses is adversarial, that is, trains a discriminator."""
        return any(isinstance(term.loss, Adversarial) for _, term in self._named())

    def adversarial_term(self) -> tuple[str, Term, Adversarial]:
        """Name of the adversarial term, the term and its loss. Requires that `is_adversarial` is True."""
        return next((name, term, term.loss) for name, term in self._named() if isinstance(term.loss, Adversarial))

    def asks_for(self, name: str) -> bool:
        """Whether any loss needs the input `name`, such as "motion"."""
        return any(name in required_inputs(term.loss.forward) for _, term in self._named())

    def check(self, extra: Collection[str]) -> None:
        """Check the losses before a training.

        At least one loss must have a weight above 0 at the first step, all inputs that losses need must exist, and at
        most one loss may be adversarial.

        Args:
            extra: names of the inputs in `VsrModule.extra_inputs`.

        Raises:
            UserError: one of these conditions is not met.
        """
        if sum(isinstance(term.loss, Adversarial) for _, term in self._named()) > 1:
            problem = "must not have two adversarial terms, since only one discriminator is trained"
            raise UserError("loss.terms", problem, "remove one of these terms")
        if not any(term.weight_at(0.0) for _, term in self._named()):
            remedy = "add a term with weight > 0, start=0 and ramp=0, such as charbonnier"
            raise UserError("loss.terms", "must contain a loss with a weight > 0 at the first step", remedy)
        offered = _OWN | set(extra)
        for name, term in self._named():
            if missing := [need for need in required_inputs(term.loss.forward) if need not in offered]:
                others = f"choose a loss of {', '.join(sorted(offered))}, or remove it by ~loss.terms.{name}"
                offer = "set candidate@teacher=checkpoint teacher.path=FILE" if missing[0] == "teacher_sr" else others
                raise UserError(
                    f"loss.terms.{name}", f"needs {missing[0]}, an input that this training does not have", offer
                )

    def _named(self) -> Iterator[tuple[str, Term]]:
        for name, term in self.terms.items():
            assert isinstance(term, Term)
            yield name, term

    def forward(
        self,
        sr: Tensor,
        hr: Tensor,
        lr: Tensor,
        *,
        progress: float,
        measure_all: bool,
        extra: Mapping[str, Callable[[], Any]] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of a batch.

        Args:
            sr: network output, (B, T, C, H, W).
            hr: target, (B, T, C, H, W) in [0, 1].
            lr: network input, (B, T, C, h, w) in [0, 1].
            progress: fraction of the training that is done, in [0, 1].
            measure_all: whether the losses with weight 0, which are only logged, are computed too. Some need optical
                flow, which is too slow to be computed at every step.
            extra: name -> function that computes a further input; it is called only if a loss needs the input.

        Returns:
            The weighted sum, a scalar, and name -> value of each loss that was computed, without its weight, detached.

        Raises:
            UserError: a loss with a weight above 0 returns more than one value, or needs an input that does not exist.
        """
        lazy = {"motion": lambda: self.estimator(hr), **(extra or {})}
        inputs = Inputs({"sr": sr, "hr": hr, "lr": lr}, lazy)
        total = sr.new_zeros(())
        parts: dict[str, Tensor] = {}
        weights = {name: term.weight_at(progress) for name, term in self._named()}
        for name, term in self._named():
            if weights[name]:
                with noted(f"loss.terms.{name}"):
                    value = inputs.call(term.loss.forward)
                if value.numel() != 1:
                    shape = tuple(value.shape)
                    raise UserError(
                        f"loss.terms.{name}", f"returned a tensor of shape {shape}", "return the mean, a scalar"
                    )
                total = total + weights[name] * value
                parts[name] = value.detach()
        # After them: inputs are shared, and these would compute them without gradients.
        for name, term in self._named():
            if measure_all and not weights[name]:
                with torch.no_grad(), noted(f"loss.terms.{name}"):
                    parts[name] = inputs.call(term.loss.forward)
        return total, parts
