"""Frames that come twice and frames that never come. The number of frames stays."""

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from vsr_lab.degradations.base import Degradation, Params, draw_seed, uniform


class _Repeats(Degradation):
    """Every frame shows itself or an earlier one. So does the truth: a picture of another moment is no pair."""

    temporal = True
    modifies_target = True

    @abstractmethod
    def order(self, frames: int, params: Params) -> list[int]:
        """The number of the frame that is shown at each place, none later than the place."""

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        shown = torch.tensor(self.order(hr.shape[-4], params), device=hr.device)
        return hr.index_select(hr.ndim - 4, shown)


class LowFrameRate(_Repeats):
    """A camera that takes one frame in `hold`, each shown until the next. params: hold, drawn from a range."""

    def __init__(self, hold_min: int, hold_max: int) -> None:
        self.hold_min = hold_min
        self.hold_max = hold_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"hold": int(rng.integers(self.hold_min, self.hold_max + 1))}

    def order(self, frames: int, params: Params) -> list[int]:
        return [t // params["hold"] * params["hold"] for t in range(frames)]


class DroppedFrames(_Repeats):
    """A recorder or a call that cannot keep up.

    dropped: chance that a frame never comes, so that its predecessor stays; doubled: chance that a frame is sent twice,
    after which all are one frame late until the next that never comes.
    """

    def __init__(self, dropped_max: float, doubled_max: float) -> None:
        self.dropped_max = dropped_max
        self.doubled_max = doubled_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "dropped": uniform(rng, 0, self.dropped_max),
            "doubled": uniform(rng, 0, self.doubled_max),
            "seed": draw_seed(rng),
        }

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
