"""Reading of the frames that `evaluate` saved of a clip, and writing of crops.png, a picture of a comparison."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_lab.core.crops import cut, square_at
from vsr_lab.core.errors import UserError
from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.core.records.comparison import ClipFrames, Comparison
from vsr_lab.reporting.lookup import Lookup

if TYPE_CHECKING:  # a comparison without saved frames needs neither torch nor the video reader
    from vsr_lab.core.clip import Frames
    from vsr_lab.video import Footage

LOW, TRUTH = "low resolution", "ground truth"


@dataclass(frozen=True)
class SavedClip:
    """Frames that `evaluate` saved of a clip: LR, HR and the output of each candidate. They are read on use.

    Args:
        facts: paths and numbers of the saved frames.
        root: folder that the paths are relative to.
    """

    facts: ClipFrames
    root: Path

    @cached_property
    def videos(self) -> "dict[str, Footage]":
        """Name of the view (LR, ground truth, candidates) -> video.

        Raises UserError if a video is missing, or its size or length differs from that of the saved frames.
        """
        from vsr_lab.video import open_footage

        facts = self.facts
        paths = {LOW: facts.lr, TRUTH: facts.hr, **{c.candidate: c.sr for c in facts.candidates}}
        videos = {view: open_footage(Path(os.path.normpath(self.root / path))) for view, path in paths.items()}
        for view, video in videos.items():
            if video.frames != facts.saved or (view != LOW and video.size != videos[TRUTH].size):
                raise UserError(
                    self.root / paths[view],
                    "has another size or length than evaluate saved",
                    "run vsr-lab evaluate again",
                )
        return videos

    @property
    def candidates(self) -> list[str]:
        return [candidate.candidate for candidate in self.facts.candidates]

    def folder(self, candidate: str) -> Path:
        """Folder in which `evaluate` saved the pictures of this clip for a candidate."""
        (sr,) = (own.sr for own in self.facts.candidates if own.candidate == candidate)
        return Path(os.path.normpath(self.root / sr)).parent

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of HR."""
        return self.videos[TRUTH].size

    @property
    def scale(self) -> int:
        return self.size[0] // self.videos[LOW].size[0]

    def frame(self, view: str, t: int) -> "Frames":
        """Saved frame t of a view (a name in `videos`), (H, W, 3); t is counted from the first saved frame."""
        return self.videos[view].read(t, t + 1).eight_bit()[0]

    def frames(self, view: str) -> "Iterator[Frames]":
        """Iterate over all saved frames of a view, a name in `videos`."""
        from vsr_lab.video import read_chunks

        for clip in read_chunks(self.videos[view], 0, self.facts.saved, 8):
            yield from clip.eight_bit()

    def crop(self, view: str, side: int) -> "Frames":
        """Cut a square out of the middle frame of a video, where there is most motion and detail.

        Args:
            view: name of the video: LR, HR or a candidate, see `videos`. A crop of LR has side / scale pixels.
            side: side of the square in HR pixels; it is reduced if the frame is smaller.
        """
        facts = self.facts
        frame = self.frame(view, facts.frame - facts.first)
        square = square_at(facts.row, facts.column, self.size, self.scale, side=side)
        return cut(frame, square, self.scale if view == LOW else 1)


_SIDE = 208  # pixels


def write_sheet(comparison: Comparison, root: Path, path: Path) -> None:
    """Write the contact sheet of a comparison: one row per suite, with a frame of the first clip of the suite.

    Each row shows LR, the output of every candidate, and HR, with the means of PSNR and flicker over the suite below.
    Nothing is written if no frames were saved.

    Args:
        comparison: comparison whose images are shown.
        root: folder to which the image paths in `comparison` are relative.
        path: the PNG file, written atomically.
    """
    lookup = Lookup(comparison)
    firsts = {clip.suite: clip for clip in reversed(comparison.pictures)}
    rows = [_row(lookup, root, firsts[suite.name]) for suite in comparison.suites if suite.name in firsts]
    if rows:
        write_contact_sheet(path, rows, (_SIDE, _SIDE))


def _row(lookup: Lookup, root: Path, facts: ClipFrames) -> SheetRow:
    clip = SavedClip(facts, root)
    names = [candidate.name for candidate in lookup.comparison.candidates]
    images = [clip.crop(view, _SIDE) if view in clip.videos else None for view in (LOW, *names, TRUTH)]
    captions = ["low resolution", *(f"{name}\n{_numbers(lookup, name, facts.suite)}" for name in names), "ground truth"]
    return SheetRow(images, captions, facts.suite)


def _numbers(lookup: Lookup, candidate: str, suite: str) -> str:
    cells = {metric: lookup.cell(candidate, suite, metric) for metric in ("psnr", "flicker")}
    return ", ".join(f"{metric} {cell.mean:.2f}" for metric, cell in cells.items() if cell)
