"""HR to LR. To add one: a file here with a `Degradation`, and a yaml in configs/degradation/."""

from vsr_lab.degradations.base import Degradation, Params, apply_batch, target_batch
from vsr_lab.degradations.blur_down import BlurDown
from vsr_lab.degradations.blurring import Defocus, GaussianBlur, GeneralisedBlur, MotionBlur, SincFilter
from vsr_lab.degradations.camera import DenoiseSmear, DomeHaze, Infrared, LensDistortion, RollingShutter, Underexposure
from vsr_lab.degradations.coding import Codec, Jpeg
from vsr_lab.degradations.colours import Banding, ChromaSubsampling, ExposureDrift, MatrixConfusion
from vsr_lab.degradations.compose import Compose, RandomApply, RandomChoice
from vsr_lab.degradations.composite import ChromaBleed, Composite
from vsr_lab.degradations.film import DustAndScratches, FilmGrain
from vsr_lab.degradations.interlacing import Interlace, Telecine
from vsr_lab.degradations.noise import GaussianNoise, PoissonNoise, SensorNoise
from vsr_lab.degradations.overlays import CursorOverlay, TimestampOverlay
from vsr_lab.degradations.projection import ExposureFlicker, Fading, GateWeave, Vignette
from vsr_lab.degradations.repeats import DroppedFrames, LowFrameRate
from vsr_lab.degradations.rescale import AdaptiveResolution, RescaleRoundTrip
from vsr_lab.degradations.resizing import RandomResize, ResizeDown
from vsr_lab.degradations.sharpening import Sharpening
from vsr_lab.degradations.subpixel import SubpixelDown
from vsr_lab.degradations.tape import Dropouts, HeadSwitching, LineJitter, LumaBandwidth, TapeNoise

__all__ = [
    "AdaptiveResolution",
    "Banding",
    "BlurDown",
    "ChromaBleed",
    "ChromaSubsampling",
    "Codec",
    "Compose",
    "Composite",
    "CursorOverlay",
    "Defocus",
    "Degradation",
    "DenoiseSmear",
    "DomeHaze",
    "Dropouts",
    "DroppedFrames",
    "DustAndScratches",
    "ExposureDrift",
    "ExposureFlicker",
    "Fading",
    "FilmGrain",
    "GateWeave",
    "GaussianBlur",
    "GaussianNoise",
    "GeneralisedBlur",
    "HeadSwitching",
    "Infrared",
    "Interlace",
    "Jpeg",
    "LensDistortion",
    "LineJitter",
    "LowFrameRate",
    "LumaBandwidth",
    "MatrixConfusion",
    "MotionBlur",
    "Params",
    "PoissonNoise",
    "RandomApply",
    "RandomChoice",
    "RandomResize",
    "RescaleRoundTrip",
    "ResizeDown",
    "RollingShutter",
    "SensorNoise",
    "Sharpening",
    "SincFilter",
    "SubpixelDown",
    "TapeNoise",
    "Telecine",
    "TimestampOverlay",
    "Underexposure",
    "Vignette",
    "apply_batch",
    "target_batch",
]
