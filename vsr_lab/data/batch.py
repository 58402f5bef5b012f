"""Training pairs: what loaders yield, and how LR and target are made of HR, in the loader or on the device."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.data import default_collate

from vsr_lab.core.clip import to_frames
from vsr_lab.core.luma import quantise
from vsr_lab.degradations import Degradation, Params, apply_batch, target_batch


@dataclass  # not frozen: Lightning converts and moves tensors in place
class Batch:
    """A batch of clips of equal size.

    Args:
        hr: B T C H W; uint8 from the loader, later float in [0, 1] on the device.
        lr: B T C h w, converted in the same way; None if it is computed on the device.
        params: parameters of the degradation, one set per sample.
        numbers: number of each sample.
        clips: name of the clip that each sample is taken from.
        starts: first frame of each sample in its clip.
    """

    hr: Tensor
    lr: Tensor | None
    params: list[Params]
    numbers: list[int]
    clips: list[str]
    starts: list[int]

    def pin_memory(self) -> "Batch":
        """Itself in page-locked memory; DataLoader calls this for pin_memory=True."""
        return replace(self, hr=self.hr.pin_memory(), lr=None if self.lr is None else self.lr.pin_memory())

    @property
    def source(self) -> str:
        """The clips and frames that the samples are from."""
        return ", ".join(f"{clip}@{start}" for clip, start in zip(self.clips, self.starts, strict=True))


@dataclass(frozen=True)
class Sample:
    """hr: T C H W uint8; lr: T C h w uint8, or None where it is made on the device; params: of the degradation;
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
    """B T C H W, channels innermost in memory as in the store; in a worker straight into shared memory."""
    return default_collate([clip.permute(0, 2, 3, 1) for clip in clips]).permute(0, 1, 4, 2, 3)


def make_pair(degradation: Degradation, hr: Tensor, params: Sequence[Params]) -> tuple[Tensor, Tensor]:
    """LR and target of HR frames, both rounded to 8 bits as stored footage is.

    Args:
        degradation: what makes the LR.
        hr: B T C H W in [0, 1].
        params: sampled from the degradation, one set a sample.

    Returns:
        lr (B T C h w) and target (B T C H W), in [0, 1].
    """
    return quantise(apply_batch(degradation, hr, params)), quantise(target_batch(degradation, hr, params))


def pair_in_loader(degradation: Degradation, hr: Tensor, params: Params) -> tuple[Tensor, Tensor | None]:
    """Target and LR (uint8, T C H W) of a degradation that runs on the CPU; hr and None for any other.

    On one thread, as in any worker: several would sum in another order.
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


def pair_on_device(degradation: Degradation, batch: Batch, dtype: torch.dtype) -> Batch:
    """The batch with LR and target in [0, 1]; LR is made here where the loader has not."""
    hr = _to_float(batch.hr, dtype)
    if batch.lr is not None:
        return replace(batch, hr=hr, lr=_to_float(batch.lr, dtype))
    lr, target = make_pair(degradation, hr, batch.params)
    return replace(batch, hr=target, lr=lr)


def _to_float(frames: Tensor, dtype: torch.dtype) -> Tensor:
    """uint8, channels innermost as the store has them, to [0, 1], contiguous."""
    return frames.to(dtype, memory_format=torch.contiguous_format) / 255


def _to_bytes(frames: Tensor) -> Tensor:
    """[0, 1] to uint8, channels innermost in memory."""
    return torch.from_numpy(to_frames(frames)).permute(0, 3, 1, 2)
