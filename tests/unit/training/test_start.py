"""Weights that are below their start on most clips are never called best."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.models import Compact, load_network
from vsr_lab.training import RunFolder, StartReference, TrainerOptions, VsrModule, train

SPEC = {"_target_": "vsr_lab.models.Compact", "scale": 2, "channels": 4, "layers": 1}
OPTIONS = {"accelerator": "cpu", "enable_progress_bar": False}
Make = Callable[..., VsrModule]


class Spoil(pl.Callback):
    """Adds to the picture after the start was measured: less with each step."""

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object) -> None:
        with torch.no_grad():
            pl_module.network.head.bias.fill_(0.5 / trainer.global_step)


def _train(
    make_module: Make,
    data: pl.LightningDataModule,
    folder: Path,
    *callbacks: pl.Callback,
    score: dict[str, float] | None = None,
) -> Path:
    network = Compact(2, 4, 1)
    like = make_module(network)
    return train(
        data,
        network,
        like.objective,
        run=RunFolder(folder / "run", SPEC, save_every=1),
        recipe=like.recipe,
        validation=like.validation if score is None else replace(like.validation, score=score),
        options=TrainerOptions(
            max_steps=2, validate_every=1, lightning=OPTIONS, callbacks=[*callbacks, StartReference()]
        ),
    ).weights


def _logged(run_dir: Path, name: str) -> list[float]:
    rows = [row.split(",") for row in (run_dir / "metrics.csv").read_text().splitlines()]
    return [float(value) for _, key, value in rows[1:] if key == f"val/{name}"]


def test_start_and_bicubic_stand_beside_every_validation(
    make_module: Make, data: pl.LightningDataModule, tmp_path: Path
) -> None:
    _train(make_module, data, tmp_path)
    start, bicubic = _logged(tmp_path / "run", "start_psnr"), _logged(tmp_path / "run", "bicubic_psnr")
    assert start == pytest.approx(bicubic, abs=1e-4), "an untrained network is bicubic"
    assert len(_logged(tmp_path / "run", "above_start")) == 2
    assert len(set(_logged(tmp_path / "run", "start_score"))) == 1, "measured once"
    load_network(tmp_path / "run" / "network.safetensors")


def test_the_folder_of_a_new_run_must_not_exist(
    make_module: Make, data: pl.LightningDataModule, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(UserError, match="run: already exists; choose another folder"):
        _train(make_module, data, tmp_path)


def test_what_is_below_its_start_is_no_best(make_module: Make, data: pl.LightningDataModule, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="better than the start"):
        _train(make_module, data, tmp_path, Spoil())
    scores = _logged(tmp_path / "run", "score")
    assert scores[1] > scores[0], "the second would have been the best one"
    assert _logged(tmp_path / "run", "above_start") == [0, 0]


def test_the_score_decides_and_not_psnr(make_module: Make, data: pl.LightningDataModule, tmp_path: Path) -> None:
    _train(make_module, data, tmp_path, Spoil(), score={"psnr": -1.0})
    assert _logged(tmp_path / "run", "above_start") == [1, 1]
    assert _logged(tmp_path / "run", "psnr")[0] < _logged(tmp_path / "run", "start_psnr")[0] - 1
