"""Everything the catalogue looks at in a source, gathered while it is decoded once."""

from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.core.clip import Frames
from vsr_lab.core.files import atomic_path
from vsr_lab.curation.bars import Bars
from vsr_lab.curation.cuts import Cuts
from vsr_lab.curation.features import FEATURES, measure
from vsr_lab.curation.softness import softness
from vsr_lab.video import Footage, ImageSequence, VideoFile
from vsr_lab.video.preview import PreviewFrame, preview_frames

VERSION = "1"  # of what is measured: raise it, and every source is measured anew
_SIDE = 160  # of the small frames
_PRINT_SIDE = 64
_PRINTS = 4  # a second
_STILL = 1.0  # levels: a frame this close to the one kept before needs no print of its own
_JUMP = 15.0  # levels: here a scene may begin, which deserves a look of its own
_LOOKS = 6  # that a short clip gets at least
_SOFT = 6  # frames on which softness is measured


@dataclass(frozen=True)
class Scan:
    """What was seen. Frames are counted from 0 of the file.

    cuts: first frames of new scenes. change: T, mean |frame - the one before|, levels. looks: R frame numbers at which
    two neighbours were measured in full; features: R x len(FEATURES). prints: P frame numbers, thumbs: P h w gray
    uint8, at most four a second and none where nothing moves. crop: (width, height, x, y) inside black bars, or empty.
    soft: dB of a x2 round trip, and the downscale it suggests.
    """

    cuts: npt.NDArray[np.int64]
    change: npt.NDArray[np.float32]
    looks: npt.NDArray[np.int64]
    features: npt.NDArray[np.float64]
    prints: npt.NDArray[np.int64]
    thumbs: npt.NDArray[np.uint8]
    crop: npt.NDArray[np.int64]
    soft: npt.NDArray[np.float64]

    @property
    def frames(self) -> int:
        return len(self.change)

    def save(self, path: Path) -> None:
        """Write all of it to an .npz."""
        with atomic_path(path) as temporary:
            np.savez_compressed(temporary, **{field.name: getattr(self, field.name) for field in fields(self)})


def load_scan(path: Path) -> Scan:
    """What `Scan.save` wrote."""
    with np.load(path) as held:
        return Scan(**{field.name: held[field.name] for field in fields(Scan)})


def rate_of(footage: Footage) -> float:
    """Frames a second."""
    if isinstance(footage, VideoFile):
        return float(footage.probe.rate)
    return float(footage.rate if isinstance(footage, ImageSequence) else Fraction(25))


class _Looks:
    """Pairs of frames measured in full: one a second, and one behind every jump."""

    def __init__(self, frames: int, rate: float) -> None:
        step = max(2, min(round(rate), frames // _LOOKS))
        self._due = set(range(min(step // 2, max(0, frames - 2)), max(1, frames - 1), step))
        self._soft = sorted(self._due)[:: max(1, len(self._due) // _SOFT)][:_SOFT]
        self._frames = frames
        self._open: tuple[int, Frames, Frames] | None = None
        self.numbers: list[int] = []
        self.features: list[npt.NDArray[np.float64]] = []
        self.kept: list[Frames] = []
        self.bars = Bars()

    def add(self, glance: PreviewFrame, jump: bool) -> None:
        if self._open and not jump:
            number, frame, small = self._open
            self.numbers.append(number)
            self.features.append(measure(frame, glance.full(), (small, glance.small)).array())
        self._open = None
        if jump and glance.number + 3 < self._frames:
            self._due.add(glance.number + 2)
        if glance.number in self._due:
            frame = glance.full()
            self._open = (glance.number, frame, glance.small)
            self.bars.add(frame)
            if glance.number in self._soft:
                self.kept.append(frame)

    def softness(self, crop: tuple[int, int, int, int] | None) -> tuple[float, float]:
        if not crop:
            return softness(self.kept)
        width, height, x, y = crop
        return softness([frame[y : y + height, x : x + width] for frame in self.kept])


def scan(footage: Footage) -> Scan:
    """Decode the source once and measure it. Raises UserError as `preview_frames` does."""
    rate = rate_of(footage)
    looks, cuts = _Looks(footage.frames, rate), Cuts()
    step = max(1, round(rate / _PRINTS))
    change: list[float] = []
    prints: list[int] = []
    thumbs: list[Frames] = []
    before: Frames | None = None
    for glance in preview_frames(footage, _SIDE):
        small = glance.small
        moved = 0.0 if before is None else float(np.abs(small.astype(np.int16) - before).mean())
        # Fast motion changes as much as a cut does, but goes on.
        jump = moved > _JUMP and moved > 2 * (change[-1] if change else 0.0)
        change.append(moved)
        cuts.add(glance.number, small)
        looks.add(glance, jump)
        if glance.number % step == 0 or jump:
            thumb = _thumb(small)
            if not thumbs or np.abs(thumb.astype(np.int16) - thumbs[-1]).mean() > _STILL:
                prints.append(glance.number)
                thumbs.append(thumb)
        before = small
    crop = looks.bars.crop()
    return Scan(
        cuts=np.array(cuts.found, np.int64),
        change=np.array(change, np.float32),
        looks=np.array(looks.numbers, np.int64),
        features=np.array(looks.features).reshape(-1, len(FEATURES)),
        prints=np.array(prints, np.int64),
        thumbs=np.stack(thumbs),
        crop=np.array(crop or (), np.int64),
        soft=np.array(looks.softness(crop)),
    )


def _thumb(small: Frames) -> Frames:
    height, width = small.shape[:2]
    factor = min(1.0, _PRINT_SIDE / max(height, width))
    size = (max(2, round(width * factor)), max(2, round(height * factor)))
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
