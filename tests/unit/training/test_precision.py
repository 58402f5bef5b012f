"""Half precision is for the network: everything around it sees what it sees in float32."""

from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from vsr_lab.core.network import Network
from vsr_lab.core.resize import BicubicUpsample
from vsr_lab.models import RecurrentFlow
from vsr_lab.training import VsrModule


class Probe(nn.Module):
    """A loss of zero that keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, sr: Tensor, lr: Tensor, hr: Tensor, sr_backward: Tensor) -> Tensor:
        assert not torch.is_autocast_enabled("cpu")
        assert {x.dtype for x in (sr, lr, hr, sr_backward)} == {torch.float32}
        self.seen = [x.detach() for x in (sr, lr, hr, sr_backward)]
        return sr.new_zeros(())


class Watched(Network):
    """Bicubic, which says whether it was run in half precision."""

    scale = 2

    def __init__(self) -> None:
        super().__init__()
        self.skip = BicubicUpsample(2)
        self.gain = nn.Parameter(torch.ones(()))
        self.half: list[bool] = []

    def forward(self, lr: Tensor) -> Tensor:
        self.half.append(torch.is_autocast_enabled("cpu"))
        return self.skip(lr.flatten(0, 1)).unflatten(0, lr.shape[:2]) * self.gain


def trained(module: VsrModule, data: pl.LightningDataModule, precision: str, folder: Path) -> VsrModule:
    trainer = pl.Trainer(
        accelerator="cpu",
        precision=precision,  # type: ignore[arg-type]
        max_steps=1,
        val_check_interval=1,
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(module, data)
    return module


def test_the_network_alone_is_run_in_half_precision(
    make_module: Callable[..., VsrModule], data: pl.LightningDataModule, tmp_path: Path
) -> None:
    probes = {precision: Probe() for precision in ("32-true", "bf16-mixed")}
    networks = {precision: Watched() for precision in probes}
    scores = {}
    for precision, probe in probes.items():
        module = trained(make_module(networks[precision], probe=probe), data, precision, tmp_path)
        scores[precision] = {name: float(value) for name, value in module.trainer.callback_metrics.items()}
    assert set(networks["bf16-mixed"].half) == {True}
    assert set(networks["32-true"].half) == {False}
    for full, half in zip(probes["32-true"].seen, probes["bf16-mixed"].seen, strict=True):
        assert torch.equal(full, half)
    assert scores["bf16-mixed"] == pytest.approx(scores["32-true"], rel=1e-6)


def test_a_network_with_convolutions_and_flow_learns_in_half_precision(
    make_module: Callable[..., VsrModule], data: pl.LightningDataModule, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    before = RecurrentFlow(2, channels=4, blocks=1, flow_channels=4)
    weights = {name: tensor.clone() for name, tensor in before.state_dict().items()}
    module = trained(make_module(before, probe=Probe()), data, "bf16-mixed", tmp_path)
    after = module.network.state_dict()
    assert {tensor.dtype for tensor in after.values()} == {torch.float32}
    assert not torch.equal(after["head.weight"], weights["head.weight"])
