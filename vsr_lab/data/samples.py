"""Training samples: each a pure function of (seed, sample number)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vsr_lab.core.batch import Batch
from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.data.store import StoredClip
from vsr_lab.degradations import Degradation, Params


@dataclass(frozen=True)
class Sample:
    """hr: T C H W uint8; lr: T C h w uint8 where the footage comes in pairs; params: for the degradation."""

    hr: Tensor
    lr: Tensor | None
    params: Params
    number: int
    clip: str
    start: int


def collate(samples: Sequence[Sample]) -> Batch:
    """Samples of one size to a batch."""
    lr = [sample.lr for sample in samples if sample.lr is not None]
    return Batch(
        hr=torch.stack([sample.hr for sample in samples]),
        lr=torch.stack(lr) if lr else None,
        params=[sample.params for sample in samples],
        numbers=[sample.number for sample in samples],
        clips=[sample.clip for sample in samples],
        starts=[sample.start for sample in samples],
    )


@dataclass(frozen=True)
class _Crop:
    clip: int
    t: int
    y: int
    x: int


class Crops(Dataset[Sample]):
    """Random crops of stored clips: T frames of size x size HR pixels, augmented.

    low: the LR twin of every clip, or None where LR is made by the degradation. tries: how many places are drawn, of
    which the one with most motion and detail is taken; 1 is a plain draw. flips: mirror, transpose and time reversal
    (off for text, which is never mirrored in life).
    """

    def __init__(
        self,
        clips: Sequence[StoredClip],
        low: Sequence[StoredClip] | None,
        degradation: Degradation,
        seed: int,
        frames: int,
        size: int,
        tries: int,
        flips: bool,
    ) -> None:
        scale = degradation.scale
        if size % scale:
            raise UserError(f"data.size={size}", f"is no multiple of the scale {scale}", "choose another size")
        for clip in clips:
            length, height, width, _ = clip.frames.shape
            if length < frames:
                raise UserError(clip.name, f"has {length} frames, the window {frames}", "lower data.clip_frames")
            if min(height, width) < size:
                raise UserError(clip.name, f"is {width}x{height}, the crop {size}", "lower data.size")
        self.clips = clips
        self.low = low
        self.degradation = degradation
        self.seed = seed
        self.frames = frames
        self.size = size
        self.tries = tries
        self.flips = flips
        windows = np.array([len(clip.frames) - frames + 1 for clip in clips], dtype=np.float64)
        self._chances = windows / windows.sum()

    def __getitem__(self, number: int) -> Sample:
        rng = np.random.default_rng((self.seed, number))
        drawn = [self._draw(rng) for _ in range(self.tries)]
        crop = max(drawn, key=self._interest) if self.tries > 1 else drawn[0]
        turns = rng.integers(0, 2, 4).astype(bool) if self.flips else np.zeros(4, dtype=bool)
        clip = self.clips[crop.clip]
        hr = _turned(self._cut(clip, crop, 1), turns)
        low = _turned(self._cut(self.low[crop.clip], crop, self.degradation.scale), turns) if self.low else None
        return Sample(hr, low, self.degradation.sample(rng), number, clip.name, crop.t)

    def _draw(self, rng: np.random.Generator) -> _Crop:
        index = int(rng.choice(len(self.clips), p=self._chances))
        length, height, width, _ = self.clips[index].frames.shape
        scale = self.degradation.scale
        return _Crop(
            clip=index,
            t=int(rng.integers(0, length - self.frames + 1)),
            y=int(rng.integers(0, (height - self.size) // scale + 1)) * scale,
            x=int(rng.integers(0, (width - self.size) // scale + 1)) * scale,
        )

    def _interest(self, crop: _Crop) -> float:
        """Mean change from first to last frame plus mean gradient, on every other pixel of green."""
        frames = self.clips[crop.clip].frames
        window = (slice(crop.y, crop.y + self.size, 2), slice(crop.x, crop.x + self.size, 2), 1)
        first = frames[crop.t][window].astype(np.int16)
        last = frames[crop.t + self.frames - 1][window].astype(np.int16)
        detail = np.abs(np.diff(last, axis=0)).mean() + np.abs(np.diff(last, axis=1)).mean()
        return float(np.abs(last - first).mean() + detail)

    def _cut(self, clip: StoredClip, crop: _Crop, scale: int) -> Frames:
        y, x, size = crop.y // scale, crop.x // scale, self.size // scale
        return clip.frames[crop.t : crop.t + self.frames, y : y + size, x : x + size]


def _turned(frames: Frames, turns: np.ndarray) -> Tensor:
    """T H W C, turned over in time, height, width and diagonally, as T C H W."""
    for axis in range(3):
        if turns[axis]:
            frames = np.flip(frames, axis)
    axes = (0, 3, 2, 1) if turns[3] else (0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(axes)))


class Windows(Dataset[Sample]):
    """One fixed window a clip, its middle frames and its centre crop of at most `size`: what validation sees."""

    def __init__(
        self,
        clips: Sequence[StoredClip],
        low: Sequence[StoredClip] | None,
        degradation: Degradation,
        seed: int,
        frames: int,
        size: int,
    ) -> None:
        self.clips = clips
        self.low = low
        self.degradation = degradation
        self.seed = seed
        self.frames = frames
        self.size = size

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, number: int) -> Sample:
        clip = self.clips[number]
        length, height, width, _ = clip.frames.shape
        scale = self.degradation.scale
        high, wide = min(height, self.size) // scale * scale, min(width, self.size) // scale * scale
        t = max(length - self.frames, 0) // 2
        y, x = (height - high) // 2 // scale * scale, (width - wide) // 2 // scale * scale
        still = np.zeros(4, dtype=bool)
        hr = _turned(clip.frames[t : t + self.frames, y : y + high, x : x + wide], still)
        low = None
        if self.low:
            y, x, high, wide = y // scale, x // scale, high // scale, wide // scale
            low = _turned(self.low[number].frames[t : t + self.frames, y : y + high, x : x + wide], still)
        params = self.degradation.sample(np.random.default_rng((self.seed, number)))
        return Sample(hr, low, params, number, clip.name, t)
