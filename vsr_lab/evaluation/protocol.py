"""Protocols: everything that a score depends on, except for the candidate and the clips."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vsr_lab.core.cuts import CUT_RULE
from vsr_lab.core.errors import UserError
from vsr_lab.core.inputs import required_inputs
from vsr_lab.core.spec import spec_of
from vsr_lab.degradations import Degradation, degrade
from vsr_lab.metrics import flicker, lr_consistency, psnr, ssim

_NOT_HASHED = {"name", "description", "metrics"}


@dataclass(frozen=True)
class Protocol:
    """Rules of an evaluation: how LR is computed, and which frames, pixels and channels are measured by which metrics.

    Frames are clamped and rounded to 8 bits first.

    Args:
        name: name of the protocol.
        description: one sentence.
        scale: ratio of HR size to LR size.
        degradation: computes LR from HR.
        colour: channels of psnr and ssim: "y" (luma) or "rgb".
        crop: number of pixels excluded at each border.
        trim: number of frames excluded at each end of a clip.
        centre_only: score the middle frame only (Vimeo-90K).
        metrics: name -> function, in the order in which reports list them.

    Raises:
        UserError: the degradation needs whole clips, or modifies the target (see `Degradation`).
    """

    name: str
    description: str
    scale: int
    degradation: Degradation
    colour: str = "y"
    crop: int = 0
    trim: int = 0
    centre_only: bool = False
    metrics: Mapping[str, Callable[..., Tensor]] = field(
        default_factory=lambda: {"psnr": psnr, "ssim": ssim, "flicker": flicker, "lr_consistency": lr_consistency}
    )

    def __post_init__(self) -> None:
        if self.degradation.temporal or self.degradation.modifies_target:
            raise UserError(
                f"protocol {self.name}",
                "its degradation needs whole clips or changes the target, a protocol degrades a few frames at a time",
                "write the LR first (vsr-lab footage degrade) and set suite.lr_root=",
            )

    @property
    def fingerprint(self) -> str:
        """Hash of all settings, to detect results that are not comparable.

        It covers the scene cut detection too, but not the metrics, which have separate hashes (`metric_fingerprints`).
        """
        return _digest({k: v for k, v in vars(self).items() if k not in _NOT_HASHED} | {"cuts": str(CUT_RULE)})

    @property
    def metric_fingerprints(self) -> dict[str, str]:
        """metric -> hash of its settings. Evaluations are compared only if these are equal."""
        return {name: _digest(metric) for name, metric in self.metrics.items()}

    def scored_frames(self, frames: int) -> range:
        """Numbers of the scored frames in a clip of `frames` frames."""
        if self.centre_only:
            return range(frames // 2, frames // 2 + 1)
        return range(self.trim, frames - self.trim)

    @property
    def min_side(self) -> int:
        """Minimum height and width that every metric needs after the crop, such as the window of SSIM."""
        deep = any("lpips" in name for metric in self.metrics.values() for name in required_inputs(metric))
        return 31 if deep else 11

    def degrade(self, hr: Tensor) -> Tensor:
        """Degrade HR (..., C, H, W) with the parameters of seed 0."""
        return degrade(hr, self.degradation)

    def cropped(self, frames: Tensor) -> Tensor:
        """Remove the border that is not scored from frames (..., H, W)."""
        return frames[..., self.crop : -self.crop, self.crop : -self.crop] if self.crop else frames

    def whole(self, frames: Tensor) -> Tensor:
        """Crop frames (..., H, W) at the right and bottom to multiples of the scale."""
        height, width = (size // self.scale * self.scale for size in frames.shape[-2:])
        return torch.narrow(torch.narrow(frames, -2, 0, height), -1, 0, width)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(spec_of(value), sort_keys=True).encode()).hexdigest()[:12]
