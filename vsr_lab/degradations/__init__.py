"""Degradations, which compute LR from HR.

A new degradation needs a subclass of `Degradation` in a module of this folder, and a yaml in configs/degradation.
"""

from vsr_lab.degradations.analog import (
    ChromaBleed,
    Composite,
    Dropouts,
    HeadSwitching,
    LineJitter,
    LumaBandwidth,
    TapeNoise,
)
from vsr_lab.degradations.base import Degradation, Params, apply_batch, degrade, target_batch
from vsr_lab.degradations.blur import Defocus, GaussianBlur, GeneralizedBlur, MotionBlur, Sharpening, SincFilter
from vsr_lab.degradations.camera import DenoiseSmear, DomeHaze, Infrared, LensDistortion, RollingShutter, Underexposure
from vsr_lab.degradations.color import Banding, ChromaSubsampling, ExposureDrift, MatrixConfusion
from vsr_lab.degradations.compose import Compose, RandomApply, RandomChoice
from vsr_lab.degradations.compression import Codec, Jpeg
from vsr_lab.degradations.film import DustAndScratches, ExposureFlicker, Fading, FilmGrain, GateWeave, Vignette
from vsr_lab.degradations.frame_rate import DroppedFrames, Interlace, LowFrameRate, Telecine
from vsr_lab.degradations.noise import GaussianNoise, PoissonNoise, SensorNoise
from vsr_lab.degradations.overlays import CursorOverlay, TimestampOverlay
from vsr_lab.degradations.resizing import (
    AdaptiveResolution,
    BlurDown,
    RandomResize,
    RescaleRoundTrip,
    ResizeDown,
    SubpixelDown,
)
