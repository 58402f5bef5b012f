"""HR to LR. To add one: a file here with a `Degradation`, and a yaml in configs/degradation/."""

from vsr_lab.degradations.base import Degradation, Params, apply_batch, truth_batch
from vsr_lab.degradations.blur_down import BlurDown
from vsr_lab.degradations.chain import Chain, OneOf, Sometimes
from vsr_lab.degradations.resize_down import ResizeDown

__all__ = [
    "BlurDown",
    "Chain",
    "Degradation",
    "OneOf",
    "Params",
    "ResizeDown",
    "Sometimes",
    "apply_batch",
    "truth_batch",
]
