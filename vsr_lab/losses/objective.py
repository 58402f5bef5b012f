"""The training objective: named losses, their weights and when each begins."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import Farneback, FlowEstimator
from vsr_lab.core.inputs import Inputs, required_inputs
from vsr_lab.core.ranges import Fraction, NonNegative
from vsr_lab.losses.adversarial import Adversarial

_OWN = {"sr", "hr", "lr", "motion"}


class Term(nn.Module):
    """One loss in the objective.

    Args:
        loss: its forward names its inputs and returns a scalar.
        weight: 0 is logged and never trained.
        start: fraction of the training before which the weight is 0.
        ramp: fraction of the training over which the weight then rises.

    Raises:
        ValueError: for a negative weight, and a fraction outside [0, 1].
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
        """The weight at `progress`, the fraction of the training done."""
        if progress < self.start:
            return 0.0
        return self.weight * min(1.0, (progress - self.start) / self.ramp) if self.ramp else self.weight


class Objective(nn.Module):
    """Sum of weighted terms. A loss's forward names its inputs: sr, hr, lr, motion (of hr), and those of the module
    that trains, see `VsrModule.extra_inputs`.

    Args:
        terms: losses with their weights, by name.
        estimator: optical flow for the losses that ask for motion; Farneback's by default.
    """

    def __init__(self, terms: Mapping[str, Term], estimator: FlowEstimator | None = None) -> None:
        super().__init__()
        self.terms = nn.ModuleDict(dict(terms))
        self.estimator = estimator or Farneback()

    @property
    def is_adversarial(self) -> bool:
        """Whether a term trains a discriminator."""
        return any(isinstance(term.loss, Adversarial) for _, term in self._named())

    def adversarial_term(self) -> tuple[Term, Adversarial]:
        """The term that trains a discriminator, and its loss."""
        return next((term, term.loss) for _, term in self._named() if isinstance(term.loss, Adversarial))

    def asks_for(self, name: str) -> bool:
        """Whether a loss has an input of this name."""
        return any(name in required_inputs(term.loss.forward) for _, term in self._named())

    def check(self, extra: Collection[str]) -> None:
        """Check that every loss finds its inputs among its own and `extra`, and that one discriminator is trained.

        Raises:
            UserError: where that is not so.
        """
        if sum(isinstance(term.loss, Adversarial) for _, term in self._named()) > 1:
            problem = "two discriminators, of which one would not learn"
            raise UserError("loss.terms", problem, "keep one adversarial term")
        offered = _OWN | set(extra)
        for name, term in self._named():
            if missing := [need for need in required_inputs(term.loss.forward) if need not in offered]:
                offer = f"this training has {', '.join(sorted(offered))}"
                raise UserError(f"loss.terms.{name}", f"asks for {missing[0]}", offer)

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
        """The loss of a batch.

        Args:
            sr: B T C H W in [0, 1].
            hr: likewise.
            lr: B T C h w in [0, 1].
            progress: fraction of the training done.
            measure_all: compute terms of weight 0 too; optical flow costs too much to log at every step.
            extra: other inputs, or motion itself, each computed only where a term asks for it.

        Returns:
            The total to minimise, and each term's own value, unweighted and detached.
        """
        lazy = {"motion": lambda: self.estimator(hr), **(extra or {})}
        inputs = Inputs({"sr": sr, "hr": hr, "lr": lr}, lazy)
        total = sr.new_zeros(())
        parts: dict[str, Tensor] = {}
        weights = {name: term.weight_at(progress) for name, term in self._named()}
        for name, term in self._named():
            if weights[name]:
                value = inputs.call(term.loss.forward)
                if value.numel() != 1:
                    shape = tuple(value.shape)
                    raise UserError(f"loss.terms.{name}", f"returned a tensor of {shape}", "return the mean, a scalar")
                total = total + weights[name] * value
                parts[name] = value.detach()
        # After them: inputs are shared, and these would compute them without gradients.
        for name, term in self._named():
            if measure_all and not weights[name]:
                with torch.no_grad():
                    parts[name] = inputs.call(term.loss.forward)
        return total, parts
