"""Datasets of training and validation samples; a sample depends only on the seed and on its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.data.activity import motion_and_detail
from vsr_lab.data.batch import Sample, pair_in_loader
from vsr_lab.data.holdout import check_size
from vsr_lab.data.store import StoredClip
from vsr_lab.degradations import Degradation

_ROUNDS = 8  # of `crop_candidates` draws, before a still position is accepted after all
_MOTION_WEIGHT = 4.0  # a pixel changes less from frame to frame than from position to position
# What is drawn for a sample, each from a random stream of its own, so that one may change without the others.
_PLACE, _PARAMS, _VALIDATION = range(3)
_UNTURNED = np.zeros(4, dtype=bool)


def stream(seed: int, number: int, purpose: int) -> np.random.Generator:
    """Random generator for one sample (by its number) and one purpose (a constant), such as the crop's position."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, number)))


class Place(NamedTuple):
    """Position of a crop: index of the clip, first frame, step between frames, and top left corner in HR pixels."""

    clip: int
    t: int
    stride: int
    y: int
    x: int


class _Starts:
    """All positions at which a window of `span` + 1 frames can begin without containing a scene cut."""

    def __init__(self, clips: Sequence[StoredClip], span: int) -> None:
        self.scenes = [
            (index, first, last - span - first)
            for index, clip in enumerate(clips)
            for first, last in clip.scenes
            if last - first > span
        ]
        self.ends = np.cumsum([count for _, _, count in self.scenes], dtype=np.int64)

    def draw(self, rng: np.random.Generator) -> tuple[int, int]:
        """Draw a position at random, uniformly: index of the clip, and number of the first frame."""
        place = int(rng.integers(self.ends[-1]))
        index, first, count = self.scenes[scene := int(np.searchsorted(self.ends, place, "right"))]
        return index, first + count - int(self.ends[scene] - place)


class _Clips(Dataset[Sample]):
    """Base class of datasets of HR clips, with a seed. Without recorded LR, LR is computed by the degradation."""

    def __init__(
        self, clips: Sequence[StoredClip], lr_clips: Sequence[StoredClip], degradation: Degradation, *, seed: int
    ) -> None:
        self.clips = clips
        self.lr_clips = lr_clips
        self.degradation = degradation
        self.seed = seed

    def _read(
        self, number: int, place: Place, shape: tuple[int, int, int], purpose: int, turns: npt.NDArray[np.bool_]
    ) -> Sample:
        """Read the sample of HR shape (T, H, W) at a position.

        purpose: selects the random stream from which the parameters of the degradation are drawn.
        """
        clip = self.clips[place.clip]
        hr = _turned(_window(clip, place, shape, 1), turns)
        params = self.degradation.sample(stream(self.seed, number, purpose))
        if self.lr_clips:
            lr = _turned(_window(self.lr_clips[place.clip], place, shape, self.degradation.scale), turns)
        else:
            hr, lr = pair_in_loader(self.degradation, hr, params)
        return Sample(hr, lr, params, number, clip.name, place.t, place.stride)


@dataclass(frozen=True)
class CropOptions:
    """Size, length, choice and augmentation of training crops.

    Args:
        frames: number of frames per crop.
        size: height and width in HR pixels, a multiple of the scale.
        crop_candidates: number of random positions from which the one with most motion and detail is chosen.
        flips: whether crops are mirrored, transposed and reversed in time at random.
        strides: relative probabilities that a crop uses every frame, every second frame, every third, and so on.
        min_motion: minimum mean absolute difference between the frames of a crop, in 8-bit levels (0..255). A crop with
            less motion is used only if all of 8 * `crop_candidates` random positions have less motion.
    """

    frames: int = 8
    size: int = 128
    crop_candidates: int = 4
    flips: bool = True
    strides: Sequence[float] = (1.0,)
    min_motion: float = 0.0


class Crops(_Clips):
    """Dataset of training samples: random, augmented crops of clips, each within one scene.

    Args:
        clips: HR footage.
        degradation: computes LR.
        options: size, length and augmentation.
        lr_clips: recorded LR of every clip; empty: LR is computed by the degradation.
        seed: seed of positions, augmentation and degradation.

    Raises:
        UserError: the size is not a multiple of the scale, strides are not probabilities, a clip is too short or too
            small for a crop, or no clip is long enough for a stride.
    """

    def __init__(
        self,
        clips: Sequence[StoredClip],
        degradation: Degradation,
        options: CropOptions,
        *,
        lr_clips: Sequence[StoredClip] = (),
        seed: int = 0,
    ) -> None:
        super().__init__(clips, lr_clips, degradation, seed=seed)
        if options.size % degradation.scale:
            near = max(1, round(options.size / degradation.scale)) * degradation.scale
            problem = f"is not a multiple of the scale {degradation.scale}"
            raise UserError(f"data.size={options.size}", problem, f"set data.size={near}")
        self.options = options
        self.sizes = [_checked(clip, options.frames, options.size) for clip in clips]
        self._stride_ends = np.cumsum(_probabilities(options.strides))
        self._starts = [_Starts(clips, (options.frames - 1) * n) for n in range(1, len(options.strides) + 1)]
        for stride, (probability, starts) in enumerate(zip(options.strides, self._starts, strict=True), 1):
            if probability and not starts.scenes:
                frames = (options.frames - 1) * stride + 1
                problem = f"no clip has a scene of {frames} frames, which stride {stride} needs"
                raise UserError("data.strides", problem, "use longer clips, or set the probability of this stride to 0")

    def __getitem__(self, number: int) -> Sample:
        return self.sample(number, self.options.frames)

    def sample(self, number: int, frames: int) -> Sample:
        """Read a sample by its number, with only the first `frames` frames of its crop."""
        place, turns = self.place(number)
        return self._read(number, place, (frames, self.options.size, self.options.size), _PARAMS, turns)

    def place(self, number: int) -> tuple[Place, npt.NDArray[np.bool_]]:
        """Choose the position and the augmentation of a sample.

        Args:
            number: number of the sample.

        Returns:
            The position of the crop (clip, first frame, stride, y, x), and four booleans: reversed in time, flipped
            along y, flipped along x, transposed.
        """
        rng = stream(self.seed, number, _PLACE)
        turns = rng.integers(0, 2, 4).astype(bool) if self.options.flips else _UNTURNED
        stride = int(np.searchsorted(self._stride_ends, rng.random(), "right")) + 1
        return self._choose(rng, stride), turns

    def _choose(self, rng: np.random.Generator, stride: int) -> Place:
        """Choose the position with most motion and detail from `crop_candidates` random ones.

        If none of them has the motion `min_motion`, more positions are drawn.
        """
        candidates, min_motion = self.options.crop_candidates, self.options.min_motion
        best, most = self._draw(rng, stride), -1.0
        if candidates == 1 and not min_motion:
            return best
        for drawn in range(candidates * (_ROUNDS if min_motion else 1)):
            if drawn and drawn % candidates == 0 and most >= 0:
                break
            place = self._draw(rng, stride) if drawn else best
            motion, detail = self.measure(place)
            interest = _MOTION_WEIGHT * motion + detail
            # A still position ranks below any that moves: it is used only where nothing else was found.
            value = interest if motion >= min_motion else motion - min_motion - 1
            if drawn == 0 or value > most:
                best, most = place, value
        return best

    def _draw(self, rng: np.random.Generator, stride: int) -> Place:
        clip, t = self._starts[stride - 1].draw(rng)
        scale = self.degradation.scale
        y, x = (int(rng.integers((side - self.options.size) // scale + 1)) * scale for side in self.sizes[clip])
        return Place(clip, t, stride, y, x)

    def measure(self, place: Place) -> tuple[float, float]:
        """Mean motion and detail of the crop at a position, in 8-bit levels.

        Both values are read from maps that are stored with the clip; no frame is read.
        """
        activity = self.clips[place.clip].activity
        span = (self.options.frames - 1) * place.stride
        return motion_and_detail(
            activity, place.t, span, y=place.y, x=place.x, size=self.options.size, stride=place.stride
        )


def _checked(clip: StoredClip, frames: int, size: int) -> tuple[int, int]:
    """Height and width of a clip. Raises UserError if it is too short or too small for a window."""
    length, height, width, _ = clip.frames.shape
    if length < frames:
        raise UserError(clip.name, f"has {length} frames, but crops have {frames}", "lower data.clip_frames")
    longest = max(last - first for first, last in clip.scenes)
    if longest < frames:
        problem = f"has no scene of {frames} frames (the longest has {longest})"
        raise UserError(clip.name, problem, "lower data.clip_frames, or remove the clip")
    check_size(clip.name, (height, width), size)
    return height, width


def _probabilities(strides: Sequence[float]) -> np.ndarray:
    weights = np.array(strides, dtype=np.float64)
    if not len(weights) or weights.min() < 0 or not 0 < weights.sum() < np.inf:
        problem, hint = "must be probabilities with a sum > 0", "set data.strides=[0.8,0.15,0.05]"
        raise UserError(f"data.strides={list(strides)}", problem, hint)
    return weights / weights.sum()


def _window(clip: StoredClip, place: Place, shape: tuple[int, int, int], scale: int) -> Frames:
    """Crop of a clip that is `scale` times smaller than HR. place, shape: position and (T, H, W) in HR pixels."""
    frames, height, width = shape
    rows, columns = (
        slice(place.y // scale, (place.y + height) // scale),
        slice(place.x // scale, (place.x + width) // scale),
    )
    return clip.frames[place.t : place.t + (frames - 1) * place.stride + 1 : place.stride, rows, columns]


def _turned(frames: Frames, turns: npt.NDArray[np.bool_]) -> Tensor:
    """Reverse in time, flip and transpose frames (T, H, W, C), and return (T, C, H, W) in channels-last memory format.

    This is the only copy of the frames. OpenCV copies them six times as fast as NumPy or PyTorch.
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


@dataclass(frozen=True)
class WindowOptions:
    """Size, length and number of validation clips.

    Args:
        frames: maximum number of frames per clip.
        size: maximum height and width in HR pixels.
        clips: maximum number of clips, which are evenly spaced in the list of all clips.
        hold_out: fraction at the end of every clip that is not used for training, in [0, 1).
    """

    frames: int = 12
    size: int = 256
    clips: int = 48
    hold_out: float = 0.1


class Windows(_Clips):
    """Dataset of validation clips: from each clip, the middle frames of its longest scene, cropped at the centre.

    Args:
        clips: HR footage.
        degradation: computes LR.
        options: maximum size and maximum number of frames of a validation clip.
        lr_clips: recorded LR of every clip; empty: LR is computed by the degradation.
        seed: seed of the degradation.
    """

    def __init__(
        self,
        clips: Sequence[StoredClip],
        degradation: Degradation,
        options: WindowOptions,
        *,
        lr_clips: Sequence[StoredClip] = (),
        seed: int = 0,
    ) -> None:
        super().__init__(clips, lr_clips, degradation, seed=seed)
        self.options = options

    def __len__(self) -> int:
        return len(self.clips)

    def shape(self, number: int) -> tuple[int, int, int]:
        """Shape (T, H, W) of a validation clip, by its number."""
        clip, scale = self.clips[number], self.degradation.scale
        height, width = (min(side, self.options.size) // scale * scale for side in clip.frames.shape[1:3])
        return min(self.options.frames, max(last - first for first, last in clip.scenes)), height, width

    def __getitem__(self, number: int) -> Sample:
        clip, scale = self.clips[number], self.degradation.scale
        shape = frames, *taken = self.shape(number)
        y, x = ((side - kept) // 2 // scale * scale for side, kept in zip(clip.frames.shape[1:3], taken, strict=True))
        first, last = max(clip.scenes, key=lambda scene: scene[1] - scene[0])
        place = Place(number, first + (last - first - frames) // 2, 1, y, x)
        return self._read(number, place, shape, _VALIDATION, _UNTURNED)
