"""Interlaced cameras, telecine, deinterlacers, and low or uneven frame rates.

All degradations of this module keep the number of frames.
"""

from abc import abstractmethod
from typing import Literal

import numpy as np
import torch
from pydantic import PositiveInt
from torch import Tensor

from vsr_lab.degradations.base import AppliedToTarget, Degradation, Params, Probability, Range


def weave(clip: Tensor, first: Tensor, second: Tensor, parity: int) -> Tensor:
    """Make interlaced frames: the even lines are from one frame of a clip, and the odd lines from another frame.

    Args:
        clip: (..., T, C, H, W).
        first: For each output frame, the index (in `clip`) of the frame from which its first field is taken, (T,).
        second: Index of the frame from which the second field is taken, (T,).
        parity: First line of the first field, 0 or 1; the second field consists of the other lines.
    """
    other = torch.arange(clip.shape[-2], device=clip.device) % 2 != parity
    return torch.where(other[:, None], clip[..., second, :, :, :], clip[..., first, :, :, :])


def deinterlace(frames: Tensor, method: str, parity: int) -> Tensor:
    """Deinterlace frames as a simple player does.

    Args:
        frames: (..., T, C, H, W).
        method: "weave": the frames are not changed; "blend": every line is averaged with its neighbours; "bob": one
            field per frame, alternately the first and the second, with the missing lines interpolated; "half": the
            first field, with every line repeated.
        parity: First line of the first field, 0 or 1.
    """
    if method == "weave":
        return frames
    above, below = _neighbours(frames)
    if method == "blend":
        return (above + 2 * frames + below) / 4
    kept = torch.full((frames.shape[-4],), parity, device=frames.device)
    if method == "bob":
        kept = (kept + torch.arange(len(kept), device=frames.device)) % 2
    mine = torch.arange(frames.shape[-2], device=frames.device) % 2 == kept[:, None]
    doubled = above if parity == 0 else below
    return torch.where(mine[:, None, :, None], frames, (above + below) / 2 if method == "bob" else doubled)


def _neighbours(frames: Tensor) -> tuple[Tensor, Tensor]:
    """The line above and the line below each line; at the border, the line on the other side is used twice."""
    above = torch.cat([frames[..., 1:2, :], frames[..., :-1, :]], -2)
    below = torch.cat([frames[..., 1:, :], frames[..., -2:-1, :]], -2)
    return above, below


class _Interlaced(Degradation, temporal=True):
    """Base class: frames made of two fields each, then deinterlaced.

    Args:
        method: "weave" leaves the fields interleaved, with combing on motion; "blend" averages every line with its
            neighbours (weights 1 2 1), which leaves ghosts; "bob" uses one field per frame, alternately the first and
            the second, and interpolates the other lines, which makes edges shimmer; "half" repeats every line of the
            first field.
        parity: 0 if the even lines are the first field, 1 if the odd ones are.
    """

    method: Literal["weave", "blend", "bob", "half"]
    parity: Range[Literal[0, 1]] = (0, 1)

    @abstractmethod
    def fields(self, frames: int, params: Params) -> tuple[Tensor, Tensor]:
        """For each output frame, the indices of the frames from which its first and its second field are taken."""

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        if clip.shape[-2] < 2:
            return clip
        last = clip.shape[-4] - 1
        first, second = (index.clamp(0, last).to(clip.device) for index in self.fields(last + 1, params))
        return deinterlace(weave(clip, first, second, params["parity"]), self.method, params["parity"])


class Interlace(_Interlaced):
    """Interlaced camera: the second field of each frame is from the next frame; the last frame is progressive.

    Real fields are half a frame period apart, but the clip has no frames at these times. So combing is twice as wide as
    in the video of a real interlaced camera with the same frame rate.

    Args:
        method: How frames are deinterlaced: "weave" (not at all), "blend", "bob" or "half", see `deinterlace`.
        parity: 0 if the even lines are the first field, 1 if the odd lines are.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.temporal = self.method != "half"  # which never uses the second field

    def fields(self, frames: int, params: Params) -> tuple[Tensor, Tensor]:
        now = torch.arange(frames)
        return now, now + 1


# Of five frames 0 1 2 3 4, film has four, A B C D, as near to their times (0, 1.25, 2.5, 3.75) as there are frames.
_FIRST = torch.tensor([0, 1, 1, 2, 4])  # A B B C D
_SECOND = torch.tensor([0, 1, 2, 4, 4])  # A B C D D


class Telecine(_Interlaced):
    """Film in interlaced video by 3:2 pulldown: film frames last 2, 3, 2, 3 fields; two of five video frames are mixed.

    Of every five frames of the clip, frames 0, 1, 2 and 4 are used as the four film frames. So the time of every field
    is wrong by at most one frame.

    Args:
        method, parity: As for `Interlace`.
        phase: Position in the cycle of five frames at which the clip starts, 0..4.
    """

    phase: Range[Literal[0, 1, 2, 3, 4]] = (0, 4)

    def fields(self, frames: int, params: Params) -> tuple[Tensor, Tensor]:
        position = torch.arange(frames) + params["phase"]
        start = position // 5 * 5 - params["phase"]
        return start + _FIRST[position % 5], start + _SECOND[position % 5]


class _RepeatedFrames(AppliedToTarget, temporal=True):
    """Base class: frames may be replaced by earlier ones, in LR and target alike."""

    @abstractmethod
    def order(self, frames: int, params: Params) -> list[int]:
        """For each position in the clip, the index of the frame that is shown there; it is never a later frame."""

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        shown = torch.tensor(self.order(hr.shape[-4], params), device=hr.device)
        return hr.index_select(hr.ndim - 4, shown)


class LowFrameRate(_RepeatedFrames):
    """Lower frame rate: the first of every `hold` frames is shown `hold` times. LR and target are changed alike.

    Args:
        hold: Number of consecutive frames that show the same picture.
    """

    hold: Range[PositiveInt] = (2, 4)

    def order(self, frames: int, params: Params) -> list[int]:
        return [t // params["hold"] * params["hold"] for t in range(frames)]


class DroppedFrames(_RepeatedFrames, seeded=True):
    """Frames that a recorder or a video call drops or repeats. LR and target are changed alike.

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
