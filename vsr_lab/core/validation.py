"""Validation by pydantic, with errors as one sentence that states the key, what it must be and what it is."""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError

from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import PartError
from vsr_lab.core.ranges import WINDOW

M = TypeVar("M", bound=BaseModel)
_LIST = "write the items in [ ], with commas between them"
_MUST_BE: dict[str, str] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def validate(
    model: type[M],
    data: object,
    prefix: str = "",
    *,
    typed: Sequence[str] = (),
    meaning_of: Callable[[str], str] = lambda key: "",
) -> M:
    """Validate data, such as a configuration or the content of a JSON file, with a pydantic model.

    Args:
        model: the model.
        data: value to validate.
        prefix: beginning of the error message, such as the path of a file.
        typed: keys that the user set. Errors of these keys are reported first, because errors of other values may be
            consequences of them. Messages about these keys have no prefix.
        meaning_of: returns the meaning of a dotted key, "" if unknown; the meaning is the hint of a message that has no
            other hint.

    Returns:
        An instance of the model.

    Raises:
        UserError: for one invalid value, see `explain`; the message begins with the prefix and the dotted key.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        key, problem, hint = explain(error, model, data, typed)
        if prefix and key not in typed:
            hint = "correct the file, or write it again" if not hint or hint.startswith("set ") else hint
            raise UserError(": ".join(filter(None, (prefix, key))), problem, hint) from error
        meaning = meaning_of(key)
        if meaning and (not hint or problem == "is required"):
            hint = f"{hint} ({meaning})" if hint else f"meaning: {meaning}"
        raise UserError(key or "configuration", problem, hint) from error


def explain(
    error: ValidationError, model: type[BaseModel], data: object, typed: Sequence[str] = ()
) -> tuple[str, str, str]:
    """Dotted key, problem and hint ("" if there is none) of the most relevant error of a failed validation.

    Errors of `typed` keys come first, errors of missing keys last.

    Args: as for `validate`; error: the exception of pydantic.
    """
    errors = [(".".join(_path(e["loc"], data, e["type"])), e) for e in map(_unwrapped, error.errors())]
    key, found = min(errors, key=lambda one: (not one[0].startswith(tuple(typed) or "\0"), one[1]["type"] == "missing"))
    kind, value, context = found["type"], found["input"], found.get("ctx", {})
    if kind == "missing":
        if isinstance(found["loc"][-1], int):
            problem = f"must be a list of {found['loc'][-1] + 1} or more items, got {_short(value)}"
            return key.rpartition(".")[0], problem, ""
        if key in typed:
            return key, "is required, and cannot be removed", f"remove ~{key} from the command"
        return key, "is required", f"set {key}="
    if kind == "extra_forbidden":
        siblings = found.get("siblings") or _fields(model, found["loc"][:-1])
        key = next((word for word in typed if word.startswith(f"{key}.")), key)
        near = difflib.get_close_matches(str(found["loc"][-1]), siblings, 1, 0.65)
        beside = key.rpartition(".")[0]
        others = f"choose from {', '.join(siblings)}" if beside and siblings else "see --help" if typed else ""
        hint = f"did you mean {'.'.join(filter(None, (beside, near[0])))}?" if near else others
        return key, "is not a known key" if not beside else f"is not a known key of {beside}", hint
    if kind in {"too_short", "string_too_short"} and not value:
        return key, "must not be empty", ""
    if context.get("pattern") == WINDOW:
        return key, f"must be START:STOP, such as 0:24, got {_short(value)}", ""
    if kind in _MUST_BE:
        hint = _LIST if _MUST_BE[kind] == "a list" else ""
        if value is None and _MUST_BE[kind].startswith("a mapping"):
            hint = f"~{key} leaves it out" if _is_entry(model, found["loc"]) else f"leave {key}=null out"
        same = [e for where, e in errors if where == key and e["type"] in _MUST_BE]  # of a choice between several types
        *first, last = dict.fromkeys(map(_must_be, same))
        kinds = f"{', '.join(first)} or {last}" if first else last
        return key, f"must be {kinds}, got {_short(value)}", hint
    problem = str(context.get("error", found["msg"]))
    if not key:  # of several keys together: the text begins with one of them
        key, _, problem = problem.partition(" ")
    return key, problem, ""


def _must_be(error: dict[str, Any]) -> str:
    if error["input"] != error["input"]:  # NaN
        return "a finite number"
    limits = {name: float(v) if isinstance(v, Fraction) else v for name, v in error.get("ctx", {}).items()}
    return _MUST_BE[error["type"]].format(**limits)


def _unwrapped(error: Any) -> dict[str, Any]:
    """The innermost error if parts contain parts, with its path from the outermost model."""
    path: tuple[Any, ...] = error["loc"]
    while isinstance(inner := error.get("ctx", {}).get("error"), PartError):
        error = inner.error
        path = (*path, *error["loc"])
    return {**error, "loc": path}


def _fields(model: type[BaseModel], location: Sequence[Any]) -> list[str]:
    """The keys of the model to which the path `location` leads in `model`."""
    for step in location:
        field = model.model_fields.get(str(step))
        inner = [t for t in (field.annotation, *get_args(field.annotation)) if inspect.isclass(t)] if field else []
        model = next((t for t in inner if issubclass(t, BaseModel)), model)
    return list(model.model_fields)


def _is_entry(model: type[BaseModel], location: Sequence[Any]) -> bool:
    """Whether a value is an item of a mapping whose keys the user chooses, such as a metric in `metrics`."""
    return bool(location) and str(location[-1]) not in _fields(model, location[:-1])


def _path(location: Sequence[Any], data: object, kind: str) -> list[str]:
    """The items of location that are keys in data; pydantic also adds names of types to the location."""
    keys: list[str] = []
    for step in location:
        if isinstance(data, Mapping) and step in data:
            data = cast(Mapping[Any, Any], data)[step]
        elif isinstance(data, (list, tuple)) and isinstance(step, int):
            data = cast(Sequence[Any], data)[step] if step < len(cast(Sequence[Any], data)) else None
        elif kind == "missing" and step == location[-1]:
            return [*keys, str(step)]
        else:
            break
        keys.append(str(step))
    return keys


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else "null" if value is None else str(value)
    if isinstance(value, bool):
        text = text.lower()
    return text if len(text) <= 60 else f"{text[:57]}..."
