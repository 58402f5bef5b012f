"""Annotated types for constructor parameters: the allowed range of a value in a configuration or a weights file."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"must be odd, got {value}")
    return value


def file_name(text: str) -> str:
    if not text.isprintable() or {*text} & {*"/\\$"} or text in {".", ".."}:
        raise ValueError(f"must be text without slashes, $ and control characters, got {text!r}")
    return text


def distinct(names: list[str]) -> list[str]:
    """Return the names. Raises ValueError if a name occurs twice."""
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"must name each once, got {twice[0]} twice")
    return names


WINDOW = r"^\d{0,12}:\d{0,12}$"


def window(text: str) -> str:
    """Return a range of frames such as "60:84". Raises ValueError if it is empty."""
    first, _, last = text.partition(":")
    if last and int(last) <= int(first or 0):
        raise ValueError(f"must end after its start, got {text!r}")
    return text


Scale = Annotated[int, Field(ge=1, le=16)]
Channels = Annotated[int, Field(ge=1, le=512)]
Layers = Annotated[int, Field(ge=0, le=128)]  # also of what is repeated a step, such as warm_up
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Odd = Annotated[int, Field(ge=1, le=99), AfterValidator(_odd)]
Levels = Annotated[int, Field(ge=1, le=10)]
Shrink = Annotated[int, Field(ge=1, le=16)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Kernel = Literal["bicubic", "bilinear", "area", "nearest", "lanczos"]
Rollout = Annotated[int, Field(ge=3, le=100_000)]  # frames; fewer have no cut and no flash
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(file_name)]
Names = Annotated[list[str], Field(min_length=1), AfterValidator(distinct)]
PathText = Annotated[str, Field(min_length=1)]
# Of footage.
Window = Annotated[str, Field(pattern=WINDOW), AfterValidator(window)]
Downscale = Annotated[float, Field(ge=1, le=16)]
LayoutName = Literal["auto", "reds", "vimeo90k", "pairs", "spmcs", "twins", "footage"]
Deinterlace = Literal["auto", "bwdif", "ivtc", "keep"]
ToneMap = Literal["bt2390", "keep"]
Damaged = Literal["keep"]
Transfer = Literal["srgb", "pq"]
