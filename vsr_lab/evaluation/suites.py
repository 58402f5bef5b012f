"""Suites: the clips to judge on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from vsr_lab.core.clip import to_tensor
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.footage.layouts import AUTO
from vsr_lab.footage.shots import Shot, find_lr_shots, find_shots
from vsr_lab.video import ReadOptions, read_chunks


class Pair(NamedTuple):
    """One frame: lr C h w, hr C sh sw, RGB in [0, 1]."""

    lr: Tensor
    hr: Tensor


@dataclass(frozen=True)
class Suite:
    """Clips under root. clips: the names that make the suite (None: all there); frames: "60:84" narrows each.

    content: the content type it stands for; lr_root: recorded LR of the same names, or "auto" for that in the same
    tree, used in the place of the protocol's degradation; downscale: shrinks the HR of a lossy source first; layout:
    how the folder is laid out, one of `core.layouts`; deinterlace, tone_map, damaged: what to do with clips that cannot
    be read as they are (`ReadOptions`).
    """

    name: str
    root: str
    content: str | None = None
    clips: list[str] | None = None
    frames: str | None = None
    downscale: float = 1.0
    split: str | None = None
    lr_root: str | None = None
    layout: str = AUTO
    deinterlace: str | None = None
    tone_map: str | None = None
    damaged: str | None = None

    def shots(self) -> list[Shot]:
        """The HR shots; prints what was taken for what. Raises UserError where a clip is missing."""
        return find_shots(
            Path(self.root),
            self.clips,
            self.frames,
            self.downscale,
            self.split,
            self.content,
            self.layout,
            ReadOptions(self.deinterlace, self.tone_map, self.damaged),
            print,
        )

    def low_shots(self, high: list[Shot], scale: int) -> list[Shot] | None:
        """The LR twins of the HR shots, where the suite has its own. Raises UserError where one is missing."""
        return find_lr_shots(high, self.lr_root, scale, self.frames)


def read_pairs(high: Shot, low: Shot | None, protocol: Protocol, chunk: int) -> Iterator[Pair]:
    """LR and HR frames of a shot, one by one, LR made by the protocol where there is none."""
    lows = read_chunks(low, 0, low.frames, chunk) if low else None
    for clip in read_chunks(high, 0, high.frames, chunk):
        hr = protocol.whole(clip.tensor())
        lr = to_tensor(next(lows).frames) if lows else protocol.degrade(hr)
        yield from (Pair(*pair) for pair in zip(lr, hr, strict=True))
