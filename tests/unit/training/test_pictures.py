"""Pictures of a validation: where they come from, and that loggers get them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
import wandb
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger

from vsr_lab.core.flow import Farneback, Motion
from vsr_lab.metrics import flicker
from vsr_lab.models import Compact
from vsr_lab.training import Pictures, VsrModule
from vsr_lab.training.pictures import clip_picture, flicker_map, flicker_picture


def test_the_map_of_flicker_has_the_metric_as_its_mean() -> None:
    torch.manual_seed(0)
    hr = torch.rand(3, 3, 32, 48)
    sr = hr + 0.1 * torch.rand(3, 3, 32, 48)
    motion = Farneback()(hr[None])
    drawn = flicker_map(sr, hr, Motion(*(part[0] for part in motion)))
    seen = motion.mask[0].sum((-3, -2, -1))
    assert drawn.sum((-2, -1)).div(seen).mul(255).tolist() == pytest.approx(
        flicker(sr[None], hr[None], motion)[0, 1:].tolist(), rel=1e-4
    )


def test_no_flicker_is_black_and_much_of_it_white() -> None:
    hr, still = torch.zeros(3, 3, 16, 16), torch.zeros(2, 2, 16, 16)
    motion = Motion(still, still, torch.ones(2, 1, 16, 16))
    sr = hr.clone()
    sr[1, :, 8:] = 0.5  # the lower half of the middle frame is wrong, and so comes and goes
    picture = flicker_picture(torch.zeros(3, 3, 8, 8), sr, hr, motion)
    bicubic, network = picture[:, 20:36, 2:18], picture[:, 38:54, 2:18]
    assert bicubic.max() == 0
    assert network[:, :8].max() == 0
    assert network[:, 8:].min() == 1


def test_a_clip_is_drawn_as_bicubic_sr_and_hr_in_rows() -> None:
    lr, sr, hr = torch.zeros(8, 3, 8, 8), torch.full((8, 3, 16, 16), 0.5), torch.ones(8, 3, 16, 16)
    picture = clip_picture(lr, sr, hr)
    assert picture.shape == (3, 3 * 18 + 2, 4 * 18 + 2)
    assert [picture[0, 2 + 18 * row : 18 + 18 * row, 2:18].mean().item() for row in range(3)] == [0, 0.5, 1]


def test_each_logger_that_takes_pictures_gets_them(
    make_module: Callable[..., VsrModule], data: pl.LightningDataModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setenv("WANDB_SILENT", "true")
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=1,
        val_check_interval=1,
        default_root_dir=tmp_path,
        num_sanity_val_steps=0,
        callbacks=[Pictures(3)],
        logger=[TensorBoardLogger(tmp_path, "board", ""), WandbLogger(save_dir=tmp_path, offline=True)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(make_module(Compact(2, 4, 1)), data)
    wandb.finish()
    board = events.EventAccumulator(str(tmp_path / "board")).Reload()
    assert board.Tags()["images"] == ["val/clip_0", "val/flicker_0"]  # there is one batch to show
    assert board.Images("val/clip_0")[0].width == 3 * 34 + 2
    files = [path.name for path in (tmp_path / "wandb").rglob("*.png")]
    assert sorted(name.rsplit("_", 2)[0] for name in files) == ["clip_0", "flicker_0"]
