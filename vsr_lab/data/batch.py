"""Batches of LR/HR pairs, and the computation of LR and target from HR."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.data import default_collate

from vsr_lab.core.clip import quantise, to_frames
from vsr_lab.core.errors import noted
from vsr_lab.degradations import Degradation, Params, apply_batch, target_batch


@dataclass  # not frozen: Lightning converts and moves tensors in place
class Batch:
    """A batch of training or validation samples: LR/HR clips of equal size.

    Args:
        hr: (B, T, C, H, W); uint8 from the loader, later float in [0, 1] on the device.
        lr: (B, T, C, h, w), of the same type as hr; None if it is computed on the device.
        params: parameters of the degradation of each sample.
        numbers: number of each sample, counted from 0 over the whole training.
        clips: for each sample, the name of the clip it is taken from.
        starts: for each sample, the number of its first frame in the clip.
    """

    hr: Tensor
    lr: Tensor | None
    params: list[Params]
    numbers: list[int]
    clips: list[str]
    starts: list[int]

    def pin_memory(self) -> "Batch":
        """Copy the batch to page-locked memory; called by DataLoader if pin_memory=True."""
        return replace(self, hr=self.hr.pin_memory(), lr=None if self.lr is None else self.lr.pin_memory())

    @property
    def source(self) -> str:
        """Names and first frames of the clips that the samples are taken from, as text for messages."""
        return ", ".join(f"{clip}@{start}" for clip, start in zip(self.clips, self.starts, strict=True))


@dataclass(frozen=True)
class Sample:
    """One training or validation sample, before samples are collated to a batch.

    Args:
        hr: uint8 (T, C, H, W).
        lr: uint8 (T, C, h, w); None if LR is computed later on the device.
        params: parameters of the degradation.
        number: number of the sample, counted from 0 over the whole training.
        clip: name of the clip from which the sample is taken.
        start: number of the first frame of the sample in the clip.
        stride: every stride-th frame of the clip is used.
    """

    hr: Tensor
    lr: Tensor | None
    params: Params
    number: int
    clip: str
    start: int
    stride: int = 1


def collate(samples: Sequence[Sample]) -> Batch:
    """Collate samples of equal size to a batch."""
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
    """Stack clips to (B, T, C, H, W) in channels-last memory format; in a worker, directly into shared memory."""
    return default_collate([clip.permute(0, 2, 3, 1) for clip in clips]).permute(0, 1, 4, 2, 3)


def make_pair(degradation: Degradation, hr: Tensor, params: Sequence[Params]) -> tuple[Tensor, Tensor]:
    """Compute LR and target of HR frames, both rounded to 8 bits, as they would be in a file.

    Args:
        degradation: computes LR from HR.
        hr: (B, T, C, H, W) in [0, 1].
        params: parameters of each sample, drawn by `degradation.sample`.

    Returns:
        lr (B, T, C, h, w) and target (B, T, C, H, W), in [0, 1].
    """
    return quantise(apply_batch(degradation, hr, params)), quantise(target_batch(degradation, hr, params))


@noted("degradation")
def pair_in_loader(degradation: Degradation, hr: Tensor, params: Params) -> tuple[Tensor, Tensor | None]:
    """Compute target and LR in the data loader if the degradation requires the CPU (`Degradation.on_cpu`).

    One thread is used, as in a worker process: with several threads, sums are rounded differently.

    Args:
        degradation: computes LR from HR.
        hr: uint8 (T, C, H, W).
        params: parameters drawn by `degradation.sample`.

    Returns:
        Target (T, C, H, W) and LR (T, C, h, w), uint8. If the degradation does not require the CPU: hr and None, since
        target and LR are computed later on the device.
    """
    if not degradation.on_cpu:
        return hr, None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        lr, target = make_pair(degradation, _to_float(hr, torch.float32)[None], [params])
    finally:
        torch.set_num_threads(threads)
    return _to_bytes(target[0]) if degradation.modifies_target else hr, _to_bytes(lr[0])


@noted("degradation")
def pair_on_device(degradation: Degradation, batch: Batch, dtype: torch.dtype) -> Batch:
    """Convert a batch to float in [0, 1], and compute LR and target if the loader did not."""
    hr = _to_float(batch.hr, dtype)
    if batch.lr is not None:
        return replace(batch, hr=hr, lr=_to_float(batch.lr, dtype))
    lr, target = make_pair(degradation, hr, batch.params)
    return replace(batch, hr=target, lr=lr)


def _to_float(frames: Tensor, dtype: torch.dtype) -> Tensor:
    """Convert uint8 in channels-last memory format to contiguous float in [0, 1]."""
    return frames.to(dtype, memory_format=torch.contiguous_format) / 255


def _to_bytes(frames: Tensor) -> Tensor:
    """Convert [0, 1] to uint8 in channels-last memory format."""
    return torch.from_numpy(to_frames(frames)).permute(0, 3, 1, 2)
