"""Parameters of degradations: field types that define which values are valid and how one is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, make_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

import numpy as np
import torch
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

Params = dict[str, Any]
Draw = Callable[[Any, np.random.Generator], Any]
T = TypeVar("T")


def uniform(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """Draw a uniform random number between two ends, both included; an integer if both ends are integers."""
    low, high = ends
    return int(rng.integers(int(low), high + 1)) if isinstance(high, int) else float(rng.uniform(low, high))


def log_uniform(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """Draw a number between two positive ends, uniform in the logarithm."""
    return float(np.exp(rng.uniform(*np.log(ends))))


def one_of(values: Sequence[Any], rng: np.random.Generator) -> Any:
    """Draw one of the values, all equally likely."""
    return values[int(rng.integers(len(values)))]


def bernoulli(probability: float, rng: np.random.Generator) -> bool:
    """Draw True with a probability, else False."""
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
        adapter: validator of its type.
        draw: function (value, random generator) -> value for one clip, such as a number drawn from a `Range`; None if
            the value is the same for all clips.
    """

    adapter: TypeAdapter[Any]
    draw: Draw | None

    def check(self, name: str, value: Any) -> Any:
        """Convert a value to the field's type. Raises ValueError if it is invalid."""
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
    """Make the `__init__` of a degradation, whose annotated class attributes are its parameters.

    Parameters after the third are keyword-only. Like that of a dataclass, it calls `__post_init__`. Degradations are
    not dataclasses, because OmegaConf would convert them to configurations.

    Args:
        kind: The class.
        root: Base class, whose own attributes are not parameters.
    """
    own = kind.__mro__[: kind.__mro__.index(root)]
    members: list[tuple[str, Any, Any]] = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        default = next((vars(parent)[name] for parent in own if name in vars(parent)), MISSING)
        members.append((name, hint, field(default=default, kw_only=len(members) >= 3)))
    return make_dataclass(kind.__name__, members, namespace={"__post_init__": None}).__init__


def draw_seed(rng: np.random.Generator) -> int:
    """Draw a seed to store in the parameters."""
    return int(rng.integers(0, 2**31))


def generator(seed: int) -> torch.Generator:
    """Random generator with a seed, on the CPU, so that a seed gives the same LR on every device."""
    return torch.Generator().manual_seed(seed)
