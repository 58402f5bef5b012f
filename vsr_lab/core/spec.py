"""Description of objects by `_target_` and keywords, as in a configuration."""

import inspect
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import Part, public_name


def spec_of(value: object) -> Any:
    """Describe a value by numbers, strings, lists and mappings, as in a configuration: the inverse of `Part.build`.

    An object is described by {"_target_": class, parameter: value}. As in scikit-learn's `get_params`, the value of a
    parameter of the constructor is read from the attribute with its name. A function or partial function is described
    by {"_target_": function, keyword: value}.

    Raises:
        UserError: an object does not keep an argument of its constructor as an attribute.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(name): spec_of(item) for name, item in cast(Mapping[Any, object], value).items()}
        case list() | tuple():
            return [spec_of(item) for item in cast(Sequence[object], value)]
        case Path():
            return str(value)
        case BaseModel():
            return {name: spec_of(getattr(value, name)) for name in type(value).model_fields}
        case Part():
            extra = {"_partial_": True} if value.partial else {}
            return {"_target_": public_name(value.target), **extra, **spec_of(value.keywords)}
        case partial():
            return {"_target_": public_name(value.func), **spec_of(value.keywords)}
        case types.FunctionType():
            return {"_target_": public_name(value)}
        case _:
            names = inspect.signature(type(value)).parameters
            if missing := [name for name in names if not hasattr(value, name)]:
                problem = f"has no attribute {missing[0]}, although its constructor has this parameter"
                raise UserError(type(value).__name__, problem, f"set self.{missing[0]} in the constructor")
            return {"_target_": public_name(type(value)), **{name: spec_of(getattr(value, name)) for name in names}}


def same_fields(kind: type, source: object) -> dict[str, Any]:
    """Attributes of `source` that have the name of a field of the dataclass `kind`, as keywords to construct it."""
    return {field.name: getattr(source, field.name) for field in fields(kind) if hasattr(source, field.name)}
