"""Splitting of footage into training and validation; the end of every clip is used for validation."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from vsr_lab.core.errors import UserError
from vsr_lab.footage.shots import Shot

T = TypeVar("T")


class Span(NamedTuple):
    """Frames first..last-1 of the clip with index `clip`."""

    clip: int
    first: int
    last: int


def hold_out(clips: Sequence[Shot], share: float, window: int) -> tuple[list[Span], list[Span]]:
    """Split each clip in time into a part for training, a gap that is not used, and a part for validation at the end.

    Clips that are too short to be split are not split: a fraction `share` of these clips is used for validation (at
    least one clip, if no clip can be split), the other clips for training.

    Args:
        clips: clips to split; only their lengths are used.
        share: fraction of the frames for validation, in [0, 1).
        window: minimum number of frames of each part, and number of frames of the gap. The gap is shorter if fewer than
            3 * window frames are left for training and the gap.

    Returns:
        The parts for training, and the parts for validation: at most one of each per clip.

    Raises:
        UserError: a clip is shorter than a window, or there is a single clip that is too short to be split.
    """
    held = [max(window, round(len(clip) * share)) for clip in clips]
    short = [index for index, clip in enumerate(clips) if len(clip) - held[index] < window]
    lone = len(short) == len(clips) == 1
    for index in short:
        if lone or len(clips[index]) < window:
            problem = f"has {len(clips[index])} frames, but training and validation together need {2 * window}"
            raise UserError(clips[index].path, problem, "use longer clips, or lower data.clip_frames")
    # At least one of the short ones, unless longer clips validate; evenly spread, since neighbours are alike.
    whole = set(spread(short, max(round(len(short) * share), int(len(short) == len(clips)))))
    train: list[Span] = []
    validation: list[Span] = []
    for index, clip in enumerate(clips):
        length = len(clip)
        kept = length - held[index]
        if kept < window:
            (validation if index in whole else train).append(Span(index, 0, length))
            continue
        train.append(Span(index, 0, kept - min(window, max(kept - 2 * window, 0))))
        validation.append(Span(index, kept, length))
    return train, validation


def check_size(name: str, shape: tuple[int, int], size: int) -> None:
    """Raise UserError if frames of a shape (H, W) are smaller than a crop."""
    if min(shape) < size:
        raise UserError(
            name,
            f"is {shape[1]}x{shape[0]}, smaller than the crops of {size}x{size}",
            f"set data.size= to at most {min(shape)}",
        )


def spread(items: Sequence[T], most: int) -> list[T]:
    """Choose at most `most` of the items, evenly spaced."""
    if len(items) <= most:
        return list(items)
    return [items[(2 * i + 1) * len(items) // (2 * most)] for i in range(most)]
