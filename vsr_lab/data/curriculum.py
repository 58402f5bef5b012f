"""Crops that grow longer during a training: motion is learnt cheaply on short ones first."""

from itertools import pairwise
from typing import Any

from torch.utils.data import Dataset

from vsr_lab.core.errors import UserError
from vsr_lab.data.batch import Sample
from vsr_lab.data.dataset import Crops

_EXAMPLE = "set data.curriculum=[[0.0,5],[0.5,10]]"


class Curriculum:
    """Frames of a crop by the fraction of the training done.

    Args:
        stages: (fraction of the training from which on, frames), ascending from 0.
        longest: data.clip_frames, which no stage may exceed.

    Raises:
        UserError: for stages that do not begin at 0, do not ascend, or have too few or too many frames.
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
        """Frames of a crop at `progress`, the fraction of the training done."""
        return next(length for start, length in reversed(self._stages) if start <= progress)


def _is_pair(stage: Any) -> bool:
    return isinstance(stage, list) and len(stage) == 2 and all(isinstance(part, int | float) for part in stage)


class CurriculumCrops(Dataset[Sample]):
    """Crops as long as the curriculum sets for their step. A shorter crop is the beginning of the longest.

    Args:
        crops: of the longest stage.
        curriculum: lengths.
        share: samples a step, of all processes: sample `number` belongs to step number // share.
        steps: of the whole training.
    """

    def __init__(self, crops: Crops, curriculum: Curriculum, share: int, steps: int) -> None:
        self.crops = crops
        self.curriculum = curriculum
        self.share = share
        self.steps = steps

    def __getitem__(self, number: int) -> Sample:
        return self.crops.sample(number, self.curriculum.frames_at(number // self.share / self.steps))
