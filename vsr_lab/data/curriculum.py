"""Curriculum of clip lengths: short crops first, which are faster, and longer ones later."""

from itertools import pairwise
from typing import Any

from torch.utils.data import Dataset

from vsr_lab.core.errors import UserError
from vsr_lab.data.batch import Sample
from vsr_lab.data.dataset import Crops

_EXAMPLE = "set data.curriculum=[[0.0,5],[0.5,10]]"


class Curriculum:
    """Schedule of the number of frames of training crops: short crops at the beginning, longer ones later.

    Args:
        stages: [fraction of the training at which the stage begins, number of frames] for each stage; the fractions
            begin with 0 and ascend.
        longest: maximum number of frames (data.clip_frames).

    Raises:
        UserError: the stages do not begin at 0 or are not in ascending order, or a number of frames is below 1 or above
            `longest`.
    """

    def __init__(self, stages: list[list[float]], longest: int) -> None:
        asked = f"data.curriculum={stages}"
        if not isinstance(stages, list) or not stages or not all(map(_is_pair, stages)):
            raise UserError(asked, "is no list of pairs", _EXAMPLE)
        starts, lengths = zip(*stages, strict=True)
        if starts[0] != 0 or any(not a < b <= 1 for a, b in pairwise(starts)):
            raise UserError(asked, "has fractions that do not rise from 0 to at most 1", _EXAMPLE)
        if any(length != int(length) or not 1 <= length <= longest for length in lengths):
            raise UserError(asked, f"has clips of no 1 to {longest} frames", "mend it, or raise data.clip_frames")
        self._stages = [(float(start), int(length)) for start, length in stages]

    def frames_at(self, progress: float) -> int:
        """Number of frames of a crop at `progress`, the fraction of the training that is done."""
        return next(length for start, length in reversed(self._stages) if start <= progress)


def _is_pair(stage: Any) -> bool:
    return isinstance(stage, list) and len(stage) == 2 and all(isinstance(part, int | float) for part in stage)


class CurriculumCrops(Dataset[Sample]):
    """Dataset of training crops whose number of frames follows a curriculum.

    A shorter crop consists of the first frames of the crop with full length.

    Args:
        crops: dataset of crops with full length.
        curriculum: number of frames by progress.
        step_samples: number of samples per training step, summed over all processes.
        steps: number of steps of the whole training.
    """

    def __init__(self, crops: Crops, curriculum: Curriculum, step_samples: int, steps: int) -> None:
        self.crops = crops
        self.curriculum = curriculum
        self.step_samples = step_samples
        self.steps = steps

    def __getitem__(self, number: int) -> Sample:
        return self.crops.sample(number, self.curriculum.frames_at(number // self.step_samples / self.steps))
