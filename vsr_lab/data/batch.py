"""What data hands to training."""

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass  # not frozen: Lightning converts and moves tensors in place
class Batch:
    """hr: B T C H W uint8; lr: B T C h w uint8, or None where the degradation makes it.

    params (of the degradation), numbers (of the samples), clips and starts: one a sample.
    """

    hr: Tensor
    lr: Tensor | None
    params: list[dict[str, float]]
    numbers: list[int]
    clips: list[str]
    starts: list[int]

    def pin_memory(self) -> "Batch":
        """Itself in memory that a GPU can copy from by itself; torch's loaders ask for it by this name."""
        return replace(self, hr=self.hr.pin_memory(), lr=None if self.lr is None else self.lr.pin_memory())
