"""Training samples: each a pure function of (seed, sample number)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.data.activity import motion_and_detail
from vsr_lab.data.batch import Batch
from vsr_lab.data.store import StoredClip
from vsr_lab.degradations import Degradation, Params

_ROUNDS = 8  # of `crop_candidates` draws, before a still place is taken after all
_MOTION_WEIGHT = 4.0  # a pixel changes by less from frame to frame than from place to place
# What is drawn for one sample: each from a stream of its own, so that one may change without the others.
_PLACE, _PARAMS, _VALIDATION = range(3)


@dataclass(frozen=True)
class Sample:
    """hr: T C H W uint8; lr: T C h w uint8, or None where it is made on the device; params: for the degradation.

    start, stride: the frames of the clip that were taken.
    """

    hr: Tensor
    lr: Tensor | None
    params: Params
    number: int
    clip: str
    start: int
    stride: int = 1


def collate(samples: Sequence[Sample]) -> Batch:
    """Samples of one size to a batch."""
    lr = [sample.lr for sample in samples if sample.lr is not None]
    return Batch(
        hr=_stacked([sample.hr for sample in samples]),
        lr=_stacked(lr) if lr else None,
        params=[sample.params for sample in samples],
        numbers=[sample.number for sample in samples],
        clips=[sample.clip for sample in samples],
        starts=[sample.start for sample in samples],
    )


def _stacked(clips: Sequence[Tensor]) -> Tensor:
    """B T C H W, colours innermost in memory as they lie in the store; in a worker straight into shared memory."""
    return default_collate([clip.permute(0, 2, 3, 1) for clip in clips]).permute(0, 1, 4, 2, 3)


def stream(seed: int, number: int, what: int) -> np.random.Generator:
    """Random numbers for one purpose of one sample, whoever asks, whenever."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(what, number)))


class Place(NamedTuple):
    """A window in the footage: the clip's number, first frame, every which frame, and the corner in HR pixels."""

    clip: int
    t: int
    stride: int
    y: int
    x: int


class _Starts:
    """Every place in time at which a window of `span` + 1 frames begins and crosses no cut, of all clips, numbered."""

    def __init__(self, clips: Sequence[StoredClip], span: int) -> None:
        self.scenes = [
            (index, first, last - span - first)
            for index, clip in enumerate(clips)
            for first, last in clip.scenes
            if last - first > span
        ]
        self.ends = np.cumsum([count for _, _, count in self.scenes], dtype=np.int64)

    def draw(self, rng: np.random.Generator) -> tuple[int, int]:
        """A clip and a frame of it; every place is as likely as any other."""
        place = int(rng.integers(self.ends[-1]))
        index, first, count = self.scenes[scene := int(np.searchsorted(self.ends, place, "right"))]
        return index, first + count - int(self.ends[scene] - place)


class Crops(Dataset[Sample]):
    """Random crops of stored clips: T frames of size x size HR pixels of one scene, augmented.

    low: the LR twin of every clip, or None where LR is made by the degradation. crop_candidates: how many positions
    are drawn, of which the one with most motion and detail is used; 1 is a plain draw. flips: mirror, transpose and
    time reversal (off for text, which is never mirrored in life). strides: probabilities of every frame, every second,
    every third: footage of other frame rates. min_motion: mean change between shown frames, in 8-bit levels, below
    which a position is skipped while a more active one can be found.
    Raises UserError for a clip without room for a window, and for a stride that no clip has room for.
    """

    def __init__(
        self,
        clips: Sequence[StoredClip],
        low: Sequence[StoredClip] | None,
        degradation: Degradation,
        seed: int,
        frames: int,
        size: int,
        crop_candidates: int,
        flips: bool,
        strides: Sequence[float] = (1.0,),
        min_motion: float = 0.0,
    ) -> None:
        scale = degradation.scale
        if size % scale:
            raise UserError(f"data.size={size}", f"is no multiple of the scale {scale}", "choose another size")
        self.sizes = [_checked(clip, frames, size) for clip in clips]
        self.clips = clips
        self.low = low
        self.degradation = degradation
        self.seed = seed
        self.frames = frames
        self.size = size
        self.crop_candidates = crop_candidates
        self.flips = flips
        self.min_motion = min_motion
        self._chances = np.cumsum(_chances(strides))
        self._starts = [_Starts(clips, (frames - 1) * stride) for stride in range(1, len(strides) + 1)]
        for stride, (chance, starts) in enumerate(zip(strides, self._starts, strict=True), 1):
            if chance and not starts.scenes:
                raise UserError(
                    "data.strides", f"no clip has room for stride {stride}", "use longer clips, or set it 0"
                )

    def __getitem__(self, number: int) -> Sample:
        return self.sample(number, self.frames)

    def sample(self, number: int, frames: int) -> Sample:
        """Sample `number`, the first `frames` of its frames."""
        crop, turns = self.place(number)
        clip = self.clips[crop.clip]
        hr = _turned(self._cut(clip, crop, frames, 1), turns)
        params = self.degradation.sample(stream(self.seed, number, _PARAMS))
        if self.low:
            lr = _turned(self._cut(self.low[crop.clip], crop, frames, self.degradation.scale), turns)
        else:
            hr, lr = _pair_here(self.degradation, hr, params)
        return Sample(hr, lr, params, number, clip.name, crop.t, crop.stride)

    def place(self, number: int) -> tuple[Place, npt.NDArray[np.bool_]]:
        """Where sample `number` is taken, and whether it is turned over in time, height, width and diagonally."""
        rng = stream(self.seed, number, _PLACE)
        turns = rng.integers(0, 2, 4).astype(bool) if self.flips else np.zeros(4, dtype=bool)
        stride = int(np.searchsorted(self._chances, rng.random(), "right")) + 1
        return self._choose(rng, stride), turns

    def _choose(self, rng: np.random.Generator, stride: int) -> Place:
        """The liveliest of `crop_candidates` places; of more where all stand still."""
        best, most = self._draw(rng, stride), -1.0
        if self.crop_candidates == 1 and not self.min_motion:
            return best
        for drawn in range(self.crop_candidates * (_ROUNDS if self.min_motion else 1)):
            if drawn and drawn % self.crop_candidates == 0 and most >= 0:
                break
            crop = self._draw(rng, stride) if drawn else best
            motion, detail = self.measure(crop)
            interest = _MOTION_WEIGHT * motion + detail
            # A still place counts for less than any that moves: it is taken only where nothing else was found.
            value = interest if motion >= self.min_motion else motion - self.min_motion - 1
            if drawn == 0 or value > most:
                best, most = crop, value
        return best

    def _draw(self, rng: np.random.Generator, stride: int) -> Place:
        clip, t = self._starts[stride - 1].draw(rng)
        height, width = self.sizes[clip]
        scale = self.degradation.scale
        y, x = (int(rng.integers((side - self.size) // scale + 1)) * scale for side in (height, width))
        return Place(clip, t, stride, y, x)

    def measure(self, crop: Place) -> tuple[float, float]:
        """Motion and detail of a place, from the maps beside the clips: no frame is read."""
        activity = self.clips[crop.clip].activity
        span = (self.frames - 1) * crop.stride
        return motion_and_detail(activity, crop.t, span, crop.y, crop.x, self.size, crop.stride)

    def _cut(self, clip: StoredClip, crop: Place, frames: int, scale: int) -> Frames:
        y, x, size = crop.y // scale, crop.x // scale, self.size // scale
        last = crop.t + (frames - 1) * crop.stride + 1
        return clip.frames[crop.t : last : crop.stride, y : y + size, x : x + size]


def _checked(clip: StoredClip, frames: int, size: int) -> tuple[int, int]:
    """Height and width of a clip that has room for a window."""
    length, height, width, _ = clip.frames.shape
    if length < frames:
        raise UserError(clip.name, f"has {length} frames, the window {frames}", "lower data.clip_frames")
    longest = max(last - first for first, last in clip.scenes)
    if longest < frames:
        raise UserError(
            clip.name, f"has no scene of {frames} frames (the longest: {longest})", "lower data.clip_frames, or drop it"
        )
    if min(height, width) < size:
        raise UserError(clip.name, f"is {width}x{height}, the crop {size}", "lower data.size")
    return height, width


def _chances(strides: Sequence[float]) -> np.ndarray:
    chances = np.array(strides, dtype=np.float64)
    if not len(chances) or chances.min() < 0 or not 0 < chances.sum() < np.inf:
        raise UserError(f"data.strides={list(strides)}", "are no chances", "say data.strides=[0.8,0.15,0.05]")
    return chances / chances.sum()


def _turned(frames: Frames, turns: npt.NDArray[np.bool_]) -> Tensor:
    """T H W C, turned over in time, height, width and diagonally, as T C H W, colours innermost in memory.

    The one copy out of the store. OpenCV's is six times as fast as numpy's or torch's, which go pixel by pixel.
    """
    in_time, down, across, diagonal = turns
    shown = frames[::-1] if in_time else frames
    if down and not across:
        shown = shown[:, ::-1]
    if not across and not diagonal:
        return torch.from_numpy(shown.copy()).permute(0, 3, 1, 2)
    length, height, width, colours = frames.shape
    made = np.empty((length, width, height, colours) if diagonal else frames.shape, np.uint8)
    for picture, place in zip(shown, made, strict=True):
        flipped = cv2.flip(picture, -1 if down else 1) if across else picture.copy()
        place[...] = cv2.transpose(flipped) if diagonal else flipped
    return torch.from_numpy(made).permute(0, 3, 1, 2)


def _pair_here(degradation: Degradation, hr: Tensor, params: Params) -> tuple[Tensor, Tensor | None]:
    """HR and LR, uint8, of a degradation that works on the CPU; for any other HR alone, and LR is left to the device.

    On one thread, as in any worker: more would add in another order.
    """
    if not degradation.on_cpu:
        return hr, None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        clip = to_tensor(hr.permute(0, 2, 3, 1).numpy())
        lr = to_frames(degradation.apply(clip, params))
        if degradation.modifies_target:
            hr = torch.from_numpy(to_frames(degradation.target(clip, params))).permute(0, 3, 1, 2)
    finally:
        torch.set_num_threads(threads)
    return hr, torch.from_numpy(lr).permute(0, 3, 1, 2)


class Windows(Dataset[Sample]):
    """One fixed window a clip, the middle of its longest scene and its centre crop: what validation sees."""

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
        _, height, width, _ = clip.frames.shape
        scale = self.degradation.scale
        high, wide = min(height, self.size) // scale * scale, min(width, self.size) // scale * scale
        first, last = max(clip.scenes, key=lambda scene: scene[1] - scene[0])
        t = first + max(last - first - self.frames, 0) // 2
        times = slice(t, min(t + self.frames, last))
        y, x = (height - high) // 2 // scale * scale, (width - wide) // 2 // scale * scale
        still = np.zeros(4, dtype=bool)
        hr = _turned(clip.frames[times, y : y + high, x : x + wide], still)
        params = self.degradation.sample(stream(self.seed, number, _VALIDATION))
        if self.low:
            y, x, high, wide = y // scale, x // scale, high // scale, wide // scale
            lr = _turned(self.low[number].frames[times, y : y + high, x : x + wide], still)
        else:
            hr, lr = _pair_here(self.degradation, hr, params)
        return Sample(hr, lr, params, number, clip.name, t)
