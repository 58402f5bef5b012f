"""Base class of degradations; declaration, validation and random drawing of their parameters."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, make_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, dataclass_transform, get_type_hints

import numpy as np
import torch
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from torch import Tensor

Params = dict[str, Any]
Draw = Callable[[Any, np.random.Generator], Any]
T = TypeVar("T")


def uniform(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """Draw a uniform random number between two ends; if they are integers, an integer, both ends included."""
    low, high = ends
    return int(rng.integers(int(low), high + 1)) if isinstance(high, int) else float(rng.uniform(low, high))


def log_uniform(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """Draw a random number between two positive ends, uniformly on a logarithmic scale."""
    return float(np.exp(rng.uniform(*np.log(ends))))


def one_of(values: Sequence[Any], rng: np.random.Generator) -> Any:
    """Draw one of the values, all equally likely."""
    return values[int(rng.integers(len(values)))]


def bernoulli(probability: float, rng: np.random.Generator) -> bool:
    """Draw True with a probability in [0, 1], else False."""
    return bool(rng.random() < probability)


_DRAWS: tuple[Draw, ...] = (uniform, log_uniform, one_of, bernoulli)


def _as_tuple(value: Any, count: int) -> Any:
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,) * count


def _ordered(ends: tuple[Any, Any]) -> tuple[Any, Any]:
    if ends[0] > ends[1]:
        raise ValueError("must not end below its start")
    return ends


# A range is given as (low, high) or one fixed number, a choice as a sequence or one fixed value.
_ENDS = (BeforeValidator(lambda value: _as_tuple(value, 2)), AfterValidator(_ordered))
_VALUES = (BeforeValidator(lambda value: _as_tuple(value, 1)), Field(min_length=1))
Range = Annotated[tuple[T, T], *_ENDS, uniform]
LogRange = Annotated[tuple[T, T], *_ENDS, log_uniform]
Choice = Annotated[tuple[T, ...], *_VALUES, one_of]
Probability = Annotated[float, Field(ge=0, le=1)]
Chance = Annotated[Probability, bernoulli]  # drawn as True or False
Signed = Annotated[float, Field(ge=-1, le=1)]


@dataclass(frozen=True)
class DeclaredField:
    """A parameter that a subclass of `Degradation` declares as an annotated class attribute.

    Attributes:
        adapter: validator of the parameter's type.
        draw: function (value, random generator) -> value for one clip, such as a number drawn from a `Range`; None if
            the value is the same for all clips.
    """

    adapter: TypeAdapter[Any]
    draw: Draw | None

    def check(self, name: str, value: Any) -> Any:
        """Convert a value to the parameter's type. Raises ValueError, with the name, if it is invalid."""
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            problem = first["msg"].replace("Input should", "must").replace("Value error, ", "")
            raise ValueError(f"{name} {problem}, got {first['input']!r}") from None


@cache
def declared_fields(kind: type) -> dict[str, DeclaredField]:
    """Declared parameters of a class by name, in the order in which they are drawn."""
    fields: dict[str, DeclaredField] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        draws = [part for part in getattr(hint, "__metadata__", ()) if part in _DRAWS]
        adapter = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
        fields[name] = DeclaredField(adapter, draws[0] if draws else None)
    return fields


def constructor(kind: type, root: type) -> Callable[..., None]:
    """Make the `__init__` of a class of degradations; its parameters are the annotated attributes of the class.

    Parameters after the third are keyword-only. Like that of a dataclass, this `__init__` calls `__post_init__`.
    Degradations are not dataclasses, because OmegaConf would convert them to configurations.

    Args:
        kind: The class.
        root: Base class; its own attributes are not parameters.
    """
    own = kind.__mro__[: kind.__mro__.index(root)]
    members: list[tuple[str, Any, Any]] = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        default = next((vars(parent)[name] for parent in own if name in vars(parent)), MISSING)
        members.append((name, hint, field(default=default, kw_only=len(members) >= 3)))
    return make_dataclass(kind.__name__, members, namespace={"__post_init__": None}).__init__


def draw_seed(rng: np.random.Generator) -> int:
    """Draw a random seed, which is stored among the parameters of a clip."""
    return int(rng.integers(0, 2**31))


def generator(seed: int) -> torch.Generator:
    """Random generator with a seed, on the CPU, so that a seed gives the same LR on every device."""
    return torch.Generator().manual_seed(seed)


@dataclass_transform()
class Degradation(ABC):
    """Base class of degradations, which compute LR from HR with parameters that are drawn for each clip.

    A subclass declares its parameters as annotated class attributes, which become the arguments of its constructor and
    are validated by their types. For every clip, one value is drawn from each `Range`, `LogRange`, `Choice` or
    `Chance`. The attributes `on_cpu`, `temporal`, `modifies_target` and `seeded` are set in the class statement:
    `class FilmGrain(Degradation, temporal=True, seeded=True)`.

    Attributes:
        scale: Downscaling factor; 1 if the size does not change (noise, a codec).
        on_cpu: Whether the degradation works on NumPy frames (a codec, OpenCV), so that the data loader applies it on
            the CPU.
        temporal: Whether the result for a frame depends on its index or on its neighbours (noise that differs between
            frames, a codec), so that `apply` must get the whole clip at once.
        modifies_target: Whether the training target differs from HR, see `target`.
        seeded: Whether `sample` also draws a `seed`, from which `apply` derives random values of pixels or frames.
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
        for name, own in declared_fields(type(self)).items():
            setattr(self, name, own.check(f"{type(self).__name__}.{name}", getattr(self, name)))

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in declared_fields(type(self)))
        return f"{type(self).__name__}({', '.join(fields)})"

    def sample(self, rng: np.random.Generator) -> Params:
        """Draw the parameters of one clip: parameter name -> value. They can be stored as JSON."""
        fields = declared_fields(type(self)).items()
        params = {name: field.draw(getattr(self, name), rng) for name, field in fields if field.draw}
        return {**params, "seed": draw_seed(rng)} if self.seeded else params

    @abstractmethod
    def apply(self, clip: Tensor, params: Params) -> Tensor:
        """Compute LR from a clip; the same parameters give the same LR.

        Args:
            clip: (..., T, C, H, W) in [0, 1], H and W multiples of `scale`.
            params: Parameters of the clip, as returned by `sample`.

        Returns:
            (..., T, C, H / scale, W / scale) in [0, 1].
        """

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        """Compute the target that a network should restore from the LR: usually the HR itself.

        A degradation that a network must not undo is applied to the target as well. For example, a network should keep
        a timestamp, should not invent colours for infrared video, and should not move objects in a repeated frame.

        Args:
            hr: (..., T, C, H, W) in [0, 1].
            params: Parameters of the clip, as returned by `sample`.
            zoom: Ratio of the size of `hr` to the size of the clip that `apply` gets; above 1 if an earlier step of a
                composition downscales the clip.
        """
        return hr

    def apply_each(self, hr: Tensor, params: Sequence[Params]) -> Tensor:
        """Compute the LR of a batch, each sample with its own parameters.

        By default, `apply` is called for each sample. Override `apply_each` to process a batch at once.

        Args:
            hr: (B, T, C, H, W) in [0, 1].
            params: Parameters of each sample, as returned by `sample`.

        Returns:
            (B, T, C, h, w) in [0, 1].
        """
        return torch.stack([self.apply(clip, p) for clip, p in zip(hr, params, strict=True)])

    def _inherit(self, *steps: "Degradation") -> None:
        """Set on_cpu, temporal and modifies_target, each to True if it is True for one of the inner degradations."""
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
        params: parameters returned by `degradation.sample`; None: they are drawn with the seed.

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
    frames are independent, the batch is processed as one long clip. Otherwise `apply_each` is called on a GPU, and on
    the CPU `apply` for one sample after the other, because one sample fits into the cache of the CPU.

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
    """Compute the training target of a batch, (B, T, C, H, W), see `Degradation.target`. Args: as for `apply_batch`."""
    if not degradation.modifies_target:
        return hr
    return torch.stack([degradation.target(clip, p) for clip, p in zip(hr, params, strict=True)])
