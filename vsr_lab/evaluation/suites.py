"""Suites: the clips of an evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from vsr_lab.core.clip import to_tensor
from vsr_lab.core.ranges import Damaged, Deinterlace, Downscale, LayoutName, Name, Names, PathText, ToneMap, Window
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.footage.shots import Shot, find_lr_shots, find_shots
from vsr_lab.footage.tables import TABLE_SUFFIXES
from vsr_lab.video import ReadOptions, read_chunks


class Pair(NamedTuple):
    """One frame: lr (C, h, w) and hr (C, scale h, scale w), RGB in [0, 1]."""

    lr: Tensor
    hr: Tensor


@dataclass(frozen=True)
class Suite:
    """Clips in a folder.

    Args:
        name: name of the suite.
        root: folder, or manifest.
        content: content type of the suite.
        clips: names of its clips; None: all.
        frames: window of frames of each clip, such as "60:84".
        downscale: factor by which HR is downscaled first, for lossy sources.
        split: split of a manifest or layout.
        lr_root: folder of recorded LR with the same names, used instead of the protocol's degradation; "auto": LR in
            the same tree.
        layout: folder layout, one of `footage.layouts`.
        deinterlace, tone_map, damaged: how interlaced, HDR and damaged clips are read (`ReadOptions`).
    """

    name: Name
    root: PathText
    content: str | None = None
    clips: Names | None = None
    frames: Window | None = None
    downscale: Downscale = 1.0
    split: str | None = None
    lr_root: str | None = None
    layout: LayoutName = "auto"
    deinterlace: Deinterlace | None = None
    tone_map: ToneMap | None = None
    damaged: Damaged | None = None

    def shots(self) -> list[Shot]:
        """The HR shots; prints the detected layout. Raises UserError if a clip is missing."""
        return find_shots(
            Path(self.root),
            self.clips,
            self.frames,
            self.downscale,
            self.split,
            self.content if Path(self.root).suffix in TABLE_SUFFIXES else None,  # of a folder it says what all is
            self.layout,
            ReadOptions(self.deinterlace, self.tone_map, self.damaged),
            print,
        )

    def low_shots(self, high: list[Shot], scale: int) -> list[Shot] | None:
        """The recorded LR of every HR shot; None without lr_root. Raises UserError if one is missing."""
        return find_lr_shots(high, self.lr_root, scale, self.frames)


def read_pairs(high: Shot, low: Shot | None, protocol: Protocol, chunk: int) -> Iterator[Pair]:
    """Yield LR and HR frames of a shot; LR is computed by the protocol if none was recorded."""
    lows = read_chunks(low, 0, low.frames, chunk) if low else None
    for clip in read_chunks(high, 0, high.frames, chunk):
        hr = protocol.whole(clip.tensor())
        lr = to_tensor(next(lows).frames) if lows else protocol.degrade(hr)
        yield from (Pair(*pair) for pair in zip(lr, hr, strict=True))
