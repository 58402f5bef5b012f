"""The training objective: named losses, their weights and when each begins."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import FlowEstimator
from vsr_lab.core.inputs import Inputs, required_inputs
from vsr_lab.losses.adversarial import Adversarial

_OWN = {"sr", "hr", "lr", "motion"}


class Term(nn.Module):
    """One loss in the objective: weight 0 is logged and never trained.

    start, ramp: fractions of the training; the weight is 0 before start and full after start + ramp.
    """

    def __init__(self, loss: nn.Module, weight: float, start: float = 0.0, ramp: float = 0.0) -> None:
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
    """Sum of weighted terms. A term's forward names what it needs: sr, hr, lr, motion (of hr, by `estimator`), and
    what else whoever trains has on offer.
    """

    def __init__(self, terms: Mapping[str, Term], estimator: FlowEstimator) -> None:
        super().__init__()
        self.terms = nn.ModuleDict(dict(terms))
        self.estimator = estimator

    @property
    def adversary(self) -> tuple[Term, Adversarial] | None:
        """The term that plays against a discriminator, and its loss; None where there is none."""
        return next(self._games(), None)

    def check(self, more: Collection[str]) -> None:
        """Raises UserError for a loss that needs what is neither ours nor among `more`, and for a second adversary."""
        if len(list(self._games())) > 1:
            raise UserError(
                "loss.terms", "two discriminators, of which one would not learn", "keep one adversarial term"
            )
        for name, term in self._named():
            missing = [need for need in required_inputs(term.loss.forward) if need not in _OWN | set(more)]
            if missing:
                offer = ", ".join(sorted(_OWN | set(more)))
                raise UserError(f"loss.terms.{name}", f"asks for {missing[0]}", f"this training has {offer}")

    def _named(self) -> Iterator[tuple[str, Term]]:
        for name, term in self.terms.items():
            assert isinstance(term, Term)
            yield name, term

    def _games(self) -> Iterator[tuple[Term, Adversarial]]:
        for _, term in self._named():
            if isinstance(term.loss, Adversarial):
                yield term, term.loss

    def forward(
        self,
        sr: Tensor,
        hr: Tensor,
        lr: Tensor,
        progress: float,
        measure_all: bool,
        more: Mapping[str, Callable[[], Any]] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """sr, hr: B T C H W; lr: B T C h w. Returns the total to minimise and each term's own value, unweighted.

        Terms of weight 0 are left out unless measure_all: optical flow is too dear to log every step.
        more: other inputs, or motion itself, each computed where a term asks for it.
        """
        lazy = {"motion": lambda: self.estimator(hr), **(more or {})}
        inputs = Inputs({"sr": sr, "hr": hr, "lr": lr}, lazy)
        total = sr.new_zeros(())
        parts: dict[str, Tensor] = {}
        weights = {name: term.weight_at(progress) for name, term in self._named()}
        for name, term in self._named():
            if weights[name]:
                value = inputs.call(term.loss.forward)
                total = total + weights[name] * value
                parts[name] = value.detach()
        for name, term in self._named():  # after them: inputs are shared, and these would make them without gradients
            if measure_all and not weights[name]:
                with torch.no_grad():
                    parts[name] = inputs.call(term.loss.forward)
        return total, parts
