"""One step and one validation are tried before a training begins; afterwards nothing has changed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import FrameNetwork
from vsr_lab.core.resize import BicubicUpsample
from vsr_lab.data import CropOptions, WindowOptions
from vsr_lab.data.datamodule import Curriculum, LoaderOptions, VideoDataModule
from vsr_lab.degradations import Degradation, ResizeDown
from vsr_lab.losses import Hinge, SpatioTemporal, Term
from vsr_lab.metrics import psnr, ssim
from vsr_lab.models import Compact
from vsr_lab.training import TrainerOptions, Validation, VsrModule, train
from vsr_lab.training.adversarial import AdversarialModule
from vsr_lab.training.dry_run import dry_run

MakeModule = Callable[..., VsrModule]
QUIET: dict[str, Any] = {"accelerator": "cpu", "enable_progress_bar": False}


class WithState(FrameNetwork):
    """Bicubic, and what a forward pass changes: statistics, dropout, a count."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.calls = 0
        self.norm = nn.BatchNorm2d(3)
        self.skip = BicubicUpsample(scale)

    def frame(self, lr: Tensor) -> Tensor:
        self.calls += 1
        return self.skip(nn.functional.dropout(self.norm(lr), 0.1, self.training))


class Broken(nn.Module):
    def forward(self, sr: Tensor) -> Tensor:
        raise KeyError("weights")


class BrokenDown(Degradation):
    scale = 2

    def apply(self, clip: Tensor, params: dict[str, object]) -> Tensor:
        raise ValueError("no such frame")


@pytest.fixture
def make_data(tiny_footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., VideoDataModule]:
    """make_data(size, validation size, ...): samples of 3 frames of the tiny footage."""

    def make(
        size: int = 32, shown: int = 32, degradation: Degradation | None = None, curriculum: Curriculum | None = None
    ) -> VideoDataModule:
        return VideoDataModule.from_footage(
            tiny_footage,
            degradation or ResizeDown(2),
            tmp_path_factory.getbasetemp() / "dry_store",
            crops=CropOptions(frames=3, size=size),
            windows=WindowOptions(frames=3, size=shown, hold_out=0.3),
            loading=LoaderOptions(batch_size=2, workers=0, curriculum=curriculum),
        )

    return make


def _tried(module: VsrModule, data: VideoDataModule) -> None:
    dry_run(module, data, pl.Trainer(max_steps=1, logger=False, enable_checkpointing=False, **QUIET))


def _adversarial(make_module: MakeModule) -> AdversarialModule:
    """A module with a discriminator, whose loss starts after most of the training."""
    plain = make_module(Compact(2, 4, 1))
    plain.objective.terms["adversarial"] = Term(Hinge(SpatioTemporal(4), 1e-4), 1.0, 0.9)
    return AdversarialModule(plain.network, plain.objective, plain.recipe, validation=plain.validation)


def test_nothing_has_changed(make_module: MakeModule, make_data: Callable[..., VideoDataModule]) -> None:
    module = make_module(WithState(2))
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    randomness = torch.get_rng_state(), np.random.get_state()[1]  # pyright: ignore
    _tried(module, make_data())
    assert {*state} == {*module.state_dict()}
    assert all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert (module.network.calls, module.skipped, module.training) == (0, 0, True)
    assert not module._motions  # pyright: ignore
    assert torch.equal(torch.get_rng_state(), randomness[0])
    assert np.array_equal(np.random.get_state()[1], randomness[1])  # pyright: ignore


def test_a_metric_that_does_not_fit_is_named_and_no_folder_is_made(
    tmp_path: Path, make_data: Callable[..., VideoDataModule]
) -> None:
    validation = Validation({"psnr": psnr, "ssim": ssim}, {"psnr": 1.0})
    options = TrainerOptions(1, 1, QUIET, callbacks=[])
    expected = r"validation\.metrics\.ssim: fails on validation clips of 3 frames, 8x8 pixels .*validation\.size"
    with pytest.raises(UserError, match=expected):
        train(make_data(shown=8), Compact(2, 4, 1), run=tmp_path / "run", validation=validation, options=options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("returned", [lambda sr: sr.mean(), lambda sr: sr.mean((0, 2, 3, 4)), lambda sr: 1.0])
def test_a_metric_of_the_wrong_shape_is_named(
    make_module: MakeModule, make_data: Callable[..., VideoDataModule], returned: Callable[[Tensor], Tensor]
) -> None:
    module = make_module(Compact(2, 4, 1))
    module.validation = Validation({"mine": returned}, {"mine": 1.0})
    with pytest.raises(UserError, match=r"validation\.metrics\.mine: returned .*, expected a tensor of shape \(1, 3\)"):
        _tried(module, make_data())


def test_a_loss_that_raises_is_named_with_its_line(
    make_module: MakeModule, make_data: Callable[..., VideoDataModule]
) -> None:
    with pytest.raises(UserError, match=r"loss\.terms\.mine: .*\(KeyError: 'weights' in test_dry_run\.py:\d+\)"):
        _tried(make_module(Compact(2, 4, 1), mine=Broken()), make_data())


def test_a_degradation_that_raises_is_named(make_module: MakeModule, make_data: Callable[..., VideoDataModule]) -> None:
    with pytest.raises(UserError, match=r"degradation: fails on crops of 3 frames, 32x32 .*no such frame"):
        _tried(make_module(Compact(2, 4, 1)), make_data(degradation=BrokenDown()))


def test_a_network_that_raises_is_named(make_module: MakeModule, make_data: Callable[..., VideoDataModule]) -> None:
    module = make_module(Compact(2, 4, 1))
    module.network.frame = lambda lr: 1 / 0  # type: ignore[method-assign, assignment]
    with pytest.raises(UserError, match=r"model: fails on crops .*ZeroDivisionError"):
        _tried(module, make_data())


def test_a_discriminator_is_tried_although_it_starts_late(
    make_module: MakeModule, make_data: Callable[..., VideoDataModule]
) -> None:
    module = _adversarial(make_module)
    _tried(module, make_data())
    assert all(parameter.grad is None for parameter in module.parameters())
    with pytest.raises(UserError, match=r"loss\.terms\.adversarial: fails on crops of 3 frames, 8x8"):
        _tried(module, make_data(size=8))
    *_, loss = module.objective.adversarial_term()
    loss.discriminator_loss = lambda *inputs: 1 / 0  # type: ignore[method-assign, assignment]
    with pytest.raises(UserError, match=r"loss\.terms\.adversarial: fails on crops .*ZeroDivisionError"):
        _tried(module, make_data())


def test_every_length_of_a_curriculum_is_tried(
    make_module: MakeModule, make_data: Callable[..., VideoDataModule]
) -> None:
    short = make_data(curriculum=Curriculum([[0.0, 3], [0.5, 2]], 3))
    with pytest.raises(UserError, match=r"data\.curriculum: must be >= 3 for adversarial losses, got 2"):
        _tried(_adversarial(make_module), short)


def test_the_smallest_and_the_shortest_clip_are_tried(
    make_module: MakeModule, make_data: Callable[..., VideoDataModule]
) -> None:
    """Their metrics fail, and those of the other clips do not."""
    data = make_data()
    seen: list[tuple[int, ...]] = []
    shapes = [(3, 32, 32), (3, 16, 32), (2, 32, 32)]
    data.validation.shape = lambda number: shapes[number]  # type: ignore[method-assign]
    module = make_module(Compact(2, 4, 1))

    def mine(sr: Tensor) -> Tensor:
        seen.append((sr.shape[1], *sr.shape[3:]))
        return sr.mean((2, 3, 4))

    module.validation = replace(Validation(), metrics={"mine": mine}, score={"mine": 1.0})
    _tried(module, data)
    assert sorted(seen) == sorted(shapes[1:])
