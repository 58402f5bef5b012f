"""Clips that grow: lengths by the step, and samples that stay functions of seed and number."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.data import CropOptions, Crops, StoredClip
from vsr_lab.data.datamodule import Curriculum, LoaderOptions, StepSampler, train_loader
from vsr_lab.degradations import BlurDown

STAGES = [[0.0, 2], [0.3, 3], [0.6, 5]]
GROWING = LoaderOptions(workers=0, curriculum=Curriculum(STAGES, 5))


@pytest.fixture
def crops(tmp_path: Path) -> Crops:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 256, (12, 24, 32, 3), dtype=np.uint8))
    blur = BlurDown(2, (0.5, 2.0), 7, phase=0, border="reflect")
    return Crops([StoredClip("a", tmp_path / "a.npy")], blur, CropOptions(5, 12, 2, flips=False), seed=3)


def test_lengths_follow_the_stages() -> None:
    curriculum = Curriculum(STAGES, 5)
    assert [curriculum.frames_at(p) for p in (0, 0.29, 0.3, 0.59, 0.6, 1)] == [2, 2, 3, 3, 5, 5]


def test_every_batch_has_one_length_and_is_the_beginning_of_the_longest(crops: Crops) -> None:
    batches = list(train_loader(crops, StepSampler(0, 10, 3, rank=1, world=2), GROWING))
    assert [batch.hr.shape[1] for batch in batches] == [2, 2, 2, 3, 3, 3, 5, 5, 5, 5]
    for batch in batches:
        for number, hr, params in zip(batch.numbers, batch.hr, batch.params, strict=True):
            assert torch.equal(hr, crops[number].hr[: len(hr)])
            assert params == crops[number].params


def test_a_resumed_run_goes_on_with_the_same_batches(crops: Crops) -> None:
    whole, rest = (list(train_loader(crops, StepSampler(first, 10, 2), GROWING)) for first in (0, 4))
    assert len(rest) == 6
    assert all(torch.equal(a.hr, b.hr) and a.numbers == b.numbers for a, b in zip(whole[4:], rest, strict=True))


@pytest.mark.parametrize(
    "stages", [[], [[0.1, 2]], [[0, 2], [0, 3]], [[0, 2], [0.6, 3], [0.3, 4]], [[0, 2], [1.1, 3]], [[0, 6]], [[0, 0]],
               [[0, 2.5]], [[0.0]], [3, 4], [[0, "2"]], 5],
)  # fmt: skip
def test_a_schedule_that_makes_no_sense_is_refused(stages: Any) -> None:
    with pytest.raises(UserError, match=r"data\.curriculum="):
        Curriculum(stages, 5)
