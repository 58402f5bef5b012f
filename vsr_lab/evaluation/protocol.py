"""Protocols and suites: how candidates are judged, and on which clips."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vsr_lab.core.clip import to_tensor
from vsr_lab.core.cuts import CUT_RULE
from vsr_lab.core.errors import UserError
from vsr_lab.core.inputs import required_inputs
from vsr_lab.core.ranges import Name, PathText
from vsr_lab.core.spec import spec_of
from vsr_lab.degradations import Degradation, degrade
from vsr_lab.footage.shots import Shot, ShotSelection, find_lr_shots, find_shots
from vsr_lab.footage.tables import TABLE_SUFFIXES
from vsr_lab.metrics import flicker, lr_consistency, psnr, ssim
from vsr_lab.video import read_chunks

_NOT_HASHED = {"name", "description", "metrics"}


@dataclass(frozen=True)
class Protocol:
    """Rules of an evaluation: how LR is computed, and which frames, pixels and channels are measured by which metrics.

    The frames of a candidate are clamped and rounded to 8 bits first; HR of more than 8 bits is not rounded.

    Args:
        name: name of the protocol.
        description: the rules in one sentence.
        scale: ratio of HR size to LR size.
        degradation: computes LR from HR.
        colour: channels of psnr and ssim: "y" (luma) or "rgb".
        crop: number of pixels excluded at each border.
        crop_multiple: more pixels are excluded, equally at opposite borders, until the height and width are multiples
            of this number.
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
    crop_multiple: int = 1
    trim: int = 0
    centre_only: bool = False
    metrics: Mapping[str, Callable[..., Tensor]] = field(
        default_factory=lambda: {"psnr": psnr, "ssim": ssim, "flicker": flicker, "lr_consistency": lr_consistency}
    )

    def __post_init__(self) -> None:
        if self.degradation.temporal or self.degradation.modifies_target:
            raise UserError(
                f"protocol {self.name}",
                "cannot use a degradation that needs whole clips or changes HR",
                "write LR by vsr-lab footage degrade, and set suite.lr_root= to it",
            )

    @property
    def fingerprint(self) -> str:
        """Hash of all settings. Results under protocols with different hashes are not comparable.

        The settings of the scene cut detection are included; the metrics have separate hashes (`metric_fingerprints`).
        """
        return _digest({k: v for k, v in vars(self).items() if k not in _NOT_HASHED} | {"cuts": str(CUT_RULE)})

    @property
    def metric_fingerprints(self) -> dict[str, str]:
        """metric -> hash of its settings. Values of a metric are compared only if the hashes are equal."""
        return {name: _digest(metric) for name, metric in self.metrics.items()}

    def scored_frames(self, frames: int) -> range:
        """Numbers of the frames of a clip that are scored (see `trim`, `centre_only`); frames: length of the clip."""
        if self.centre_only:
            return range(frames // 2, frames // 2 + 1)
        return range(self.trim, frames - self.trim)

    @property
    def min_side(self) -> int:
        """Minimum height and width of HR in pixels: metrics with LPIPS features need 31 scored pixels, SSIM 11."""
        deep = any("lpips" in name for metric in self.metrics.values() for name in required_inputs(metric))
        return 2 * self.crop + -(-(31 if deep else 11) // self.crop_multiple) * self.crop_multiple

    def degrade(self, hr: Tensor) -> Tensor:
        """Compute LR from HR (..., T, C, H, W), with the parameters that the degradation draws with seed 0."""
        return degrade(hr, self.degradation)

    def cropped(self, frames: Tensor) -> Tensor:
        """Remove the border that is not scored from frames (..., H, W)."""
        for axis in (-2, -1):
            scored = self.scored_side(frames.shape[axis])
            frames = torch.narrow(frames, axis, (frames.shape[axis] - scored) // 2, scored)
        return frames

    def scored_side(self, side: int) -> int:
        """Number of pixels that are scored along a side of HR frames, see `crop` and `crop_multiple`."""
        return max(side - 2 * self.crop, 0) // self.crop_multiple * self.crop_multiple

    def whole(self, frames: Tensor) -> Tensor:
        """Crop frames (..., H, W) at the right and bottom, so that H and W are multiples of the scale."""
        height, width = (size // self.scale * self.scale for size in frames.shape[-2:])
        return torch.narrow(torch.narrow(frames, -2, 0, height), -1, 0, width)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(spec_of(value), sort_keys=True).encode()).hexdigest()[:12]


class Pair(NamedTuple):
    """One frame: lr (C, h, w) and hr (C, scale * h, scale * w), RGB in [0, 1]."""

    lr: Tensor
    hr: Tensor


@dataclass(frozen=True)
class Suite(ShotSelection):
    """The clips on which candidates are evaluated, for one content type.

    Args:
        name: name of the suite.
        root: folder of clips, or manifest.
        lr_root: folder of recorded LR clips with the same names; "auto": recorded LR in the same dataset folder; None:
            LR is computed by the degradation of the protocol.
    """

    name: Name
    root: PathText
    lr_root: str | None = None

    def shots(self) -> list[Shot]:
        """Find the HR clips, and print the detected layout of the folder. Raises UserError if a clip is missing."""
        root = Path(self.root)
        is_table = root.suffix in TABLE_SUFFIXES
        # A folder has no content types, so all of its clips are used.
        return find_shots(root, self if is_table else replace(self, content=None), report=print)

    def low_shots(self, high: list[Shot], scale: int) -> list[Shot] | None:
        """Recorded LR of each HR clip, in order; None if `lr_root` is None. Raises UserError if a clip has no LR."""
        return find_lr_shots(high, self.lr_root, scale, self.frames)


def read_pairs(high: Shot, low: Shot | None, protocol: Protocol, chunk: int) -> Iterator[Pair]:
    """Yield the frames of a clip as LR/HR pairs.

    Args:
        high: the HR clip.
        low: its recorded LR; None: LR is computed by the protocol.
        protocol: the protocol.
        chunk: number of frames that are read at a time.
    """
    lows = read_chunks(low, 0, low.frames, chunk) if low else None
    for clip in read_chunks(high, 0, high.frames, chunk):
        hr = protocol.whole(clip.tensor())
        lr = to_tensor(next(lows).frames) if lows else protocol.degrade(hr)
        yield from (Pair(*pair) for pair in zip(lr, hr, strict=True))
