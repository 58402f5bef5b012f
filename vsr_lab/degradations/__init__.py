"""HR to LR. To add one: a file here with a `Degradation`, and a yaml in configs/degradation/."""

from vsr_lab.degradations.base import Degradation, Params, apply_batch, truth_batch
from vsr_lab.degradations.blur_down import BlurDown
from vsr_lab.degradations.blurring import Defocus, GaussianBlur, GeneralisedBlur, MotionBlur, SincFilter
from vsr_lab.degradations.chain import Chain, OneOf, Sometimes
from vsr_lab.degradations.coding import Codec, Jpeg
from vsr_lab.degradations.colours import Banding, ChromaSubsampling, ExposureDrift, MatrixConfusion
from vsr_lab.degradations.film import DustAndScratches, FilmGrain
from vsr_lab.degradations.noise import GaussianNoise, PoissonNoise, SensorNoise
from vsr_lab.degradations.resizing import RandomResize, ResizeDown
from vsr_lab.degradations.sharpening import Sharpening

__all__ = [
    "Banding",
    "BlurDown",
    "Chain",
    "ChromaSubsampling",
    "Codec",
    "Defocus",
    "Degradation",
    "DustAndScratches",
    "ExposureDrift",
    "FilmGrain",
    "GaussianBlur",
    "GaussianNoise",
    "GeneralisedBlur",
    "Jpeg",
    "MatrixConfusion",
    "MotionBlur",
    "OneOf",
    "Params",
    "PoissonNoise",
    "RandomResize",
    "ResizeDown",
    "SensorNoise",
    "Sharpening",
    "SincFilter",
    "Sometimes",
    "apply_batch",
    "truth_batch",
]
