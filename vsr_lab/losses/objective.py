"""The training objective: named losses, their weights and when each begins."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vsr_lab.core.flow import FlowEstimator
from vsr_lab.core.inputs import Inputs


class Term(nn.Module):
    """One loss in the objective: weight 0 is logged and never trained; start is a fraction of the training."""

    def __init__(self, loss: nn.Module, weight: float, start: float = 0.0) -> None:
        super().__init__()
        if not weight >= 0 or not 0 <= start <= 1:  # NaN fits neither
            raise ValueError(f"weight must be >= 0 and start in [0, 1], not {weight} and {start}")
        self.loss = loss
        self.weight = weight
        self.start = start

    def weight_at(self, progress: float) -> float:
        """The weight at `progress`, the fraction of the training done."""
        return self.weight if progress >= self.start else 0.0


class Objective(nn.Module):
    """Sum of weighted terms. A term's forward names what it needs: sr, hr, lr, motion (of hr, by `estimator`)."""

    def __init__(self, terms: Mapping[str, Term], estimator: FlowEstimator) -> None:
        super().__init__()
        self.terms = nn.ModuleDict(dict(terms))
        self.estimator = estimator

    def forward(
        self, sr: Tensor, hr: Tensor, lr: Tensor, progress: float, measure_all: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """sr, hr: B T C H W; lr: B T C h w. Returns the total to minimise and each term's own value, unweighted.

        Terms of weight 0 are left out unless measure_all: optical flow is too dear to log every step.
        """
        inputs = Inputs({"sr": sr, "hr": hr, "lr": lr}, {"motion": lambda: self.estimator(hr)})
        total = sr.new_zeros(())
        parts: dict[str, Tensor] = {}
        for name, term in self.terms.items():
            assert isinstance(term, Term)
            weight = term.weight_at(progress)
            if weight:
                value = inputs.call(term.loss.forward)
                total = total + weight * value
                parts[name] = value.detach()
            elif measure_all:
                with torch.no_grad():
                    parts[name] = inputs.call(term.loss.forward)
        return total, parts
