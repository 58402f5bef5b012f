"""Encoder options that may be set. Other options, such as `stats` of x264, could read or write files."""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from vsr_lab.core.errors import UserError

_LISTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
_ALLOWED = {option: {*names.split()} for option, names in _LISTS.items()}
_PLAIN = _ALLOWED.pop("options")
_ALLOWED["x264opts"] = _ALLOWED["x264-params"]


def check_options(key: str, options: Mapping[str, str]) -> None:
    """Raise UserError for an option that is not in the list of harmless ones; other options could write files.

    Args:
        key: configuration key of the options, for the error message.
        options: option -> value.
    """
    for option, value in options.items():
        for name, allowed in _named(option, value):
            if name not in allowed:
                near = difflib.get_close_matches(name, allowed, 1)
                problem = f"must not set {name}; only options that change nothing but the coding may be set"
                raise UserError(f"{key}.{option}", problem, f"did you mean {near[0]}?" if near else "")


def _named(option: str, value: str) -> Iterator[tuple[str, set[str]]]:
    """Yield every name that an option sets, with the set of allowed names."""
    if option in _ALLOWED:
        for part in value.split(":"):
            name = part.partition("=")[0].strip().replace("_", "-").removeprefix("no-")
            yield name, _ALLOWED[option]
    else:
        yield option, _PLAIN
    if option == "flags" and (found := re.search(r"pass\w*", value)):
        yield found[0], _PLAIN
