"""Two moments in one frame: interlaced cameras, film on video, and players that undo either badly."""

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from vsr_lab.degradations.base import Degradation, Params

REPAIRS = ("weave", "blend", "bob", "half")


def woven(clip: Tensor, first: Tensor, second: Tensor, parity: int) -> Tensor:
    """Frames whose lines parity, parity + 2, ... are those of frames `first`, and the others those of `second`."""
    other = torch.arange(clip.shape[-2], device=clip.device) % 2 != parity
    return torch.where(other[:, None], clip[..., second, :, :, :], clip[..., first, :, :, :])


def repaired(frames: Tensor, repair: str, parity: int) -> Tensor:
    """Woven frames as a careless player shows them.

    "weave": as they are, combed where something moves; "blend": every line averaged with its neighbours (1 2 1), a
    ghost; "bob": one field a frame, the two in turn, the lines between interpolated, which makes edges shimmer;
    "half": the first field alone, every line twice, which makes stairs.
    """
    if repair == "weave":
        return frames
    above, below = _neighbours(frames)
    if repair == "blend":
        return (above + 2 * frames + below) / 4
    kept = torch.full((frames.shape[-4],), parity, device=frames.device)
    if repair == "bob":
        kept = (kept + torch.arange(len(kept), device=frames.device)) % 2
    mine = torch.arange(frames.shape[-2], device=frames.device) % 2 == kept[:, None]
    doubled = above if parity == 0 else below
    return torch.where(mine[:, None, :, None], frames, (above + below) / 2 if repair == "bob" else doubled)


def _neighbours(frames: Tensor) -> tuple[Tensor, Tensor]:
    """The line above and the line below each line; at the border the one that is there."""
    above = torch.cat([frames[..., 1:2, :], frames[..., :-1, :]], -2)
    below = torch.cat([frames[..., 1:, :], frames[..., -2:-1, :]], -2)
    return above, below


class _Fields(Degradation):
    """Frames made of two fields each, then shown by one of REPAIRS. params: parity, which lines come first."""

    temporal = True

    def __init__(self, repair: str) -> None:
        if repair not in REPAIRS:
            raise ValueError(f"repair must be one of {', '.join(REPAIRS)}, not {repair!r}")
        self.repair = repair

    def sample(self, rng: np.random.Generator) -> Params:
        return {"parity": int(rng.integers(0, 2))}

    @abstractmethod
    def moments(self, frames: int, params: Params) -> tuple[Tensor, Tensor]:
        """For each frame, the numbers of the frames whose lines make its first and its second field."""

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        if clip.shape[-2] < 2:
            return clip
        last = clip.shape[-4] - 1
        first, second = (index.clamp(0, last).to(clip.device) for index in self.moments(last + 1, params))
        return repaired(woven(clip, first, second, params["parity"]), self.repair, params["parity"])


class Interlace(_Fields):
    """An interlaced camera: the second field of frame t is seen when frame t + 1 is. The last frame has one moment.

    Real fields are half a frame apart. The half frame between is not in the footage, so motion combs twice as wide as
    that of a camera of the same frame rate, and like that of one of half the rate.
    """

    def __init__(self, repair: str) -> None:
        super().__init__(repair)
        self.temporal = repair != "half"  # which never sees the second field

    def moments(self, frames: int, params: Params) -> tuple[Tensor, Tensor]:
        now = torch.arange(frames)
        return now, now + 1


# Of five frames 0 1 2 3 4 film shows four, A B C D, as near to their times (0, 1.25, 2.5, 3.75) as there are frames.
_A, _B, _C, _D = 0, 1, 2, 4
_FIRST = torch.tensor([_A, _B, _B, _C, _D])
_SECOND = torch.tensor([_A, _B, _C, _D, _D])


class Telecine(_Fields):
    """Film on 60-field video by 3:2 pulldown: film frames last 2, 3, 2, 3 fields; two video frames of five are mixed.

    The film's four frames are frames 0, 1, 2, 4 of every five, so that no field is further than one frame from its
    time and sound would stay in step. params: phase, where in the cadence the clip begins.
    """

    def sample(self, rng: np.random.Generator) -> Params:
        return {**super().sample(rng), "phase": int(rng.integers(0, 5))}

    def moments(self, frames: int, params: Params) -> tuple[Tensor, Tensor]:
        shown = torch.arange(frames) + params["phase"]
        start = shown // 5 * 5 - params["phase"]
        return start + _FIRST[shown % 5], start + _SECOND[shown % 5]
