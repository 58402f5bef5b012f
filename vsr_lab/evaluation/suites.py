"""Suites: the clips of an evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from vsr_lab.core.clip import to_tensor
from vsr_lab.core.ranges import Name, PathText
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.footage.shots import Shot, ShotSelection, find_lr_shots, find_shots
from vsr_lab.footage.tables import TABLE_SUFFIXES
from vsr_lab.video import read_chunks


class Pair(NamedTuple):
    """One frame: lr (C, h, w) and hr (C, scale h, scale w), RGB in [0, 1]."""

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
        """The HR shots; prints the detected layout. Raises UserError if a clip is missing."""
        root = Path(self.root)
        is_table = root.suffix in TABLE_SUFFIXES
        # A folder has no content types, so all of its clips are used.
        return find_shots(root, self if is_table else replace(self, content=None), report=print)

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
