"""What a training is asked for and cannot give is told before it starts."""

import pytest
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import Farneback
from vsr_lab.degradations import ResizeDown
from vsr_lab.losses import L1, Objective, Term
from vsr_lab.metrics import lr_consistency
from vsr_lab.models import Compact
from vsr_lab.training import VsrModule


def test_a_metric_that_validation_cannot_measure_is_told() -> None:
    objective = Objective({"l1": Term(L1(), 1.0)}, Farneback())
    parts = (objective, ResizeDown(2), torch.optim.AdamW, torch.optim.lr_scheduler.LinearLR)
    with pytest.raises(UserError, match=r"validation\.metrics\.lr_consistency: asks for degraded"):
        VsrModule(Compact(2, 4, 1), *parts, {"lr_consistency": lr_consistency}, {}, 1)
