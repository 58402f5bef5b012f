"""What a value must be is stated in full: every type that a key takes, and the length of a list."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath, Number
from vsr_lab.core.validation import validate


class Given(BaseModel):
    tile: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    grain: Annotated[Number, Field(gt=0, le=1_000_000)] = 1.0
    share: Annotated[float, Field(le=1)] = 1.0
    size: tuple[int, int] = (1, 1)
    names: Annotated[list[str], Field(min_length=1)] = Field(default_factory=list)
    rate: Annotated[Fraction, Field(gt=0)] = Fraction(1)
    output: FilePath = Path("x")


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("tile", None, "tile: must be an integer or 'auto', got null"),
        ("grain", True, "grain: must be a number, got true"),
        ("grain", 1e7, "grain: must be <= 1000000, got 10000000.0"),
        ("share", float("nan"), "share: must be a finite number, got nan"),
        ("size", [3], r"size: must be a list of 2 or more items, got \[3\]"),
        ("names", [], "names: must not be empty"),
        ("rate", 0, "rate: must be > 0, got 0"),
        ("rate", "fast", "rate: must be a number or a fraction, such as 24000/1001, got 'fast'"),
        ("output", "http://a/b.mkv", "output: must be a path on this machine, got the URL http://a/b.mkv"),
    ],
)
def test_a_value_that_does_not_fit_is_told_what_it_must_be(key: str, value: object, problem: str) -> None:
    with pytest.raises(UserError, match=f"^{problem}$"):
        validate(Given, {key: value})
