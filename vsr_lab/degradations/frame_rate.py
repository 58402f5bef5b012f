"""Repeated and dropped frames. The number of frames stays the same."""

from abc import abstractmethod

import numpy as np
import torch
from pydantic import PositiveInt
from torch import Tensor

from vsr_lab.degradations.base import AppliedToTarget, Params, Probability, Range


class _RepeatedFrames(AppliedToTarget, temporal=True):
    """Base class: frames may be replaced by earlier ones, in LR and target alike."""

    @abstractmethod
    def order(self, frames: int, params: Params) -> list[int]:
        """Index of the frame shown at each position, none later than the position."""

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        shown = torch.tensor(self.order(hr.shape[-4], params), device=hr.device)
        return hr.index_select(hr.ndim - 4, shown)


class LowFrameRate(_RepeatedFrames):
    """Lower frame rate: one frame of every `hold` frames is kept and repeated, so the number of frames does not change.

    Args:
        hold: Number of consecutive frames that show the same picture.
    """

    hold: Range[PositiveInt] = (2, 4)

    def order(self, frames: int, params: Params) -> list[int]:
        return [t // params["hold"] * params["hold"] for t in range(frames)]


class DroppedFrames(_RepeatedFrames, seeded=True):
    """Frames that a recorder or a video call drops or repeats.

    Args:
        dropped: Probability that a frame is missing and the previous one is shown again.
        doubled: Probability that a frame is shown twice. The following frames are then one position late, until a frame
            is dropped.
    """

    dropped: Range[Probability] = (0.0, 0.25)
    doubled: Range[Probability] = (0.0, 0.1)

    def order(self, frames: int, params: Params) -> list[int]:
        rng = np.random.default_rng(params["seed"])
        shown = [0][:frames]
        late = 0
        for t in range(1, frames):
            dropped, doubled = rng.random(2) < (params["dropped"], params["doubled"])
            if doubled and not late:
                late = 1
                shown.append(shown[-1])
            elif dropped:
                shown.append(t if late else shown[-1])
                late = 0
            else:
                shown.append(t - late)
        return shown
