"""BasicSR's training step, for `training_step.py` to be held against: its own classes, or the step written anew."""

import copy
import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Make = Callable[[], nn.Module]
_EMA = 0.999
_LR, _BETAS = 2e-4, (0.9, 0.99)  # as in its options/train/BasicVSR
_STEPS = 300_000


def import_basicsr(folder: Path | None) -> str | None:
    """Make BasicSR importable, from an unpacked source tree if one is given; says why where it cannot be."""
    import torchvision.transforms.functional as moved

    # BasicSR 1.4.2 imports a module that torchvision has since renamed.
    sys.modules.setdefault("torchvision.transforms.functional_tensor", moved)
    if folder:
        sys.path.insert(0, str(folder))
    try:
        importlib.import_module("basicsr.models.video_recurrent_model")
    except ImportError as error:
        return str(error)
    logging.getLogger("basicsr").setLevel(logging.ERROR)
    return None


def basicsr_step(make: Make | dict[str, Any], cuda: bool) -> Callable[[Tensor, Tensor], None]:
    """`optimize_parameters` of BasicSR's VideoRecurrentModel, as its train.py calls it, on lq and gt of its loader.

    make: the options of a network of BasicSR's own, or what makes another.
    """
    from basicsr.models.video_recurrent_model import VideoRecurrentModel
    from basicsr.utils.registry import ARCH_REGISTRY

    if not isinstance(make, dict):
        name = f"Network{id(make)}"
        ARCH_REGISTRY._do_register(name, make)
        make = {"type": name}
    options: dict[str, Any] = {
        "num_gpu": int(cuda),
        "is_train": True,
        "dist": False,
        "network_g": make,
        "path": {},
        "train": {
            "ema_decay": _EMA,
            "optim_g": {"type": "Adam", "lr": _LR, "weight_decay": 0, "betas": list(_BETAS)},
            "scheduler": {
                "type": "CosineAnnealingRestartLR",
                "periods": [_STEPS],
                "restart_weights": [1],
                "eta_min": 1e-7,
            },
            "pixel_opt": {"type": "CharbonnierLoss", "loss_weight": 1.0, "reduction": "mean"},
        },
    }
    model = VideoRecurrentModel(options)
    count = 0

    def step(lq: Tensor, gt: Tensor) -> None:
        nonlocal count
        count += 1
        model.update_learning_rate(count)
        model.feed_data({"lq": lq, "gt": gt})
        model.optimize_parameters(count)

    return step


def rewritten_step(make: Make, cuda: bool) -> Callable[[Tensor, Tensor], None]:
    """What `basicsr_step` does, line by line, where BasicSR is not at hand (basicsr/models/sr_model.py, 1.4.2)."""
    device = torch.device("cuda" if cuda else "cpu")
    network = make().to(device)
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.Adam(network.parameters(), _LR, weight_decay=0, betas=_BETAS)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS, 1e-7)

    def step(lq: Tensor, gt: Tensor) -> None:
        lq, gt = lq.to(device), gt.to(device)
        optimizer.zero_grad()
        loss = torch.sqrt((network(lq) - gt) ** 2 + 1e-12).mean()
        loss.backward()
        optimizer.step()
        scheduler.step()
        loss.mean().item()  # for its log
        ours = dict(network.named_parameters())
        for name, parameter in average.named_parameters():
            parameter.data.mul_(_EMA).add_(ours[name].data, alpha=1 - _EMA)

    return step
