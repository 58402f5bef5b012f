"""Base class of degradations: parameters are declared as fields, drawn once per clip, and applied."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import dataclass_transform

import numpy as np
import torch
from torch import Tensor

from vsr_lab.degradations.parameters import Params, constructor, declared_fields, draw_seed


@dataclass_transform()
class Degradation(ABC):
    """Base class of degradations, which compute LR from HR with parameters that are drawn for each clip.

    A subclass declares its parameters as annotated class attributes, which become the arguments of its constructor and
    are validated by their types. For every clip, one value is drawn from each `Range`, `LogRange`, `Choice` or
    `Chance`. The attributes below are set in the class statement: `class FilmGrain(Degradation, temporal=True,
    seeded=True)`.

    Attributes:
        scale: Downscaling factor; 1 for a step that keeps the size (noise, a codec).
        on_cpu: The step works on NumPy frames (a codec, OpenCV), so it is applied by the data loader on the CPU.
        temporal: The result for a frame depends on its index or on its neighbours (noise that differs between frames, a
            codec), so `apply` must get the whole clip at once.
        modifies_target: The training target differs from HR, see `target`.
        seeded: `sample` also draws a `seed`, from which `apply` derives random values of pixels or frames.
    """

    scale = 1
    on_cpu = False
    temporal = False
    modifies_target = False
    seeded = False

    def __init_subclass__(
        cls, *, on_cpu: bool = False, temporal: bool = False, modifies_target: bool = False, seeded: bool = False
    ) -> None:
        cls.on_cpu, cls.temporal = cls.on_cpu or on_cpu, cls.temporal or temporal
        cls.modifies_target, cls.seeded = cls.modifies_target or modifies_target, cls.seeded or seeded
        if "__init__" not in vars(cls):
            cls.__init__ = constructor(cls, Degradation)

    def __post_init__(self) -> None:
        for name, field in declared_fields(type(self)).items():
            setattr(self, name, field.check(f"{type(self).__name__}.{name}", getattr(self, name)))

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in declared_fields(type(self)))
        return f"{type(self).__name__}({', '.join(fields)})"

    def sample(self, rng: np.random.Generator) -> Params:
        """Draw the parameters of one clip: values by field name, which can be stored as JSON."""
        fields = declared_fields(type(self)).items()
        params = {name: field.draw(getattr(self, name), rng) for name, field in fields if field.draw}
        return {**params, "seed": draw_seed(rng)} if self.seeded else params

    @abstractmethod
    def apply(self, clip: Tensor, params: Params) -> Tensor:
        """Compute LR from a clip; the same parameters give the same LR.

        Args:
            clip: (..., T, C, H, W) in [0, 1], H and W multiples of `scale`.
            params: Returned by `sample`.

        Returns:
            (..., T, C, H / scale, W / scale) in [0, 1].
        """

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        """Compute the target that a network should restore from the LR: usually the HR itself.

        A degradation that a network must not undo is applied to the target as well. For example, a network should keep
        a timestamp, should not invent colours for infrared video, and should not move objects in a repeated frame.

        Args:
            hr: (..., T, C, H, W) in [0, 1].
            params: Returned by `sample`.
            zoom: Ratio of the size of `hr` to the size of the clip that `apply` gets.
        """
        return hr

    def apply_each(self, hr: Tensor, params: Sequence[Params]) -> Tensor:
        """Compute the LR of a batch, each sample with its own parameters.

        By default `apply` is called for each sample; override it to process a batch at once.

        Args:
            hr: (B, T, C, H, W) in [0, 1].
            params: Parameters of each sample, as returned by `sample`.

        Returns:
            (B, T, C, h, w) in [0, 1].
        """
        return torch.stack([self.apply(clip, p) for clip, p in zip(hr, params, strict=True)])

    def _inherit(self, *steps: "Degradation") -> None:
        """Take the attributes of the steps inside, except for their scale."""
        for name in ("on_cpu", "temporal", "modifies_target"):
            setattr(self, name, any(getattr(step, name) for step in steps))


class AppliedToTarget(Degradation, modifies_target=True):
    """Base class of degradations that a network must not undo: LR and the target are degraded in the same way.

    Subclasses define only `target`, which `apply` calls.
    """

    @abstractmethod
    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor: ...

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)


def degrade(hr: Tensor, degradation: Degradation, *, seed: int = 0, params: Params | None = None) -> Tensor:
    """Compute LR from an HR clip.

    Args:
        hr: (..., T, C, H, W) in [0, 1], H and W multiples of the scale.
        degradation: degradation to apply, with parameters drawn once for the clip.
        seed: seed of the parameters; the same seed gives the same LR.
        params: parameters returned by `degradation.sample`; None: they are drawn.

    Returns:
        LR, (..., T, C, H / scale, W / scale) in [0, 1].

    Example:
        >>> from vsr_lab.degradations import Compose, GaussianNoise, ResizeDown
        >>> hr = vsr_lab.read_video("footage/a.mkv", 0, 4).tensor()
        >>> vsr_lab.degrade(hr, ResizeDown(2)).shape
        torch.Size([4, 3, 32, 40])
        >>> vsr_lab.degrade(hr, Compose([ResizeDown(4), GaussianNoise()]), seed=1).shape
        torch.Size([4, 3, 16, 20])
    """
    return degradation.apply(hr, degradation.sample(np.random.default_rng(seed)) if params is None else params)


def apply_batch(degradation: Degradation, hr: Tensor, params: Sequence[Params]) -> Tensor:
    """Compute the LR of a batch.

    The fastest of three methods is used (benchmarks/degradations.py). If all samples have the same parameters and
    frames are independent, the batch is processed as one long clip. Otherwise a GPU processes all samples together, and
    the CPU one sample after the other, because one sample fits into its cache.

    Args:
        degradation: Degradation of every sample.
        hr: (B, T, C, H, W) in [0, 1].
        params: Parameters of each sample, as returned by `sample`.

    Returns:
        (B, T, C, h, w) in [0, 1].
    """
    if not degradation.temporal and all(p == params[0] for p in params):
        return degradation.apply(hr, params[0])
    if hr.device.type == "cpu":
        return torch.stack([degradation.apply(clip, p) for clip, p in zip(hr, params, strict=True)])
    return degradation.apply_each(hr, params)


def target_batch(degradation: Degradation, hr: Tensor, params: Sequence[Params]) -> Tensor:
    """Compute the target of a batch, (B, T, C, H, W); arguments as in `apply_batch`."""
    if not degradation.modifies_target:
        return hr
    return torch.stack([degradation.target(clip, p) for clip, p in zip(hr, params, strict=True)])
