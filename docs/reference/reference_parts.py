"""Keys of the parts that yamls name by `_target_`: their types, defaults and meanings."""

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import yaml
from reference_schema import keyword_schema, kind

from vsr_lab.cli.configuration.usage import config_dir, options, own_keys
from vsr_lab.core.parts import locate

Keys = Mapping[str, tuple[str, str]]  # dotted key -> value as text, and comment
_ARGUMENT = re.compile(
    r"^ {4}((?:\w+, )*\w+)(?: ?\([^)\n]*(?:\([^)\n]*\))?[^)\n]*\))?: ?(.*(?:\n {5,}.*)*)", re.MULTILINE
)


def flat_keys(keys: Keys) -> dict[str, tuple[str, str]]:
    """Keys of yamls, with those of parts that are written on one line as well."""
    found: dict[str, tuple[str, str]] = {}
    for key, (value, comment) in keys.items():
        found[key] = (value, comment)
        if value.startswith("{") and "_target_" in value:
            found[key] = ("", comment)
            found |= dict(_flat(yaml.safe_load(value), key))
    return found


def _flat(node: Any, key: str) -> Iterator[tuple[str, tuple[str, str]]]:
    if isinstance(node, dict) and node:
        for name, value in node.items():
            yield from _flat(value, f"{key}.{name}" if key else name)
    else:
        yield key, (unquoted(node), "")


def unquoted(value: object) -> str:
    """A value as it is written in a yaml."""
    return value if isinstance(value, str) else json.dumps(value)


def args_of(doc: str) -> dict[str, str]:
    """Parameter -> meaning, from the sections Args and Attributes of a docstring."""
    doc = inspect.cleandoc(doc.replace("**kwargs", "kwargs"))
    sections = re.findall(r"^(?:Args|Attributes|Arguments):\n((?:(?: {4}.*)?\n?)*)", doc, re.MULTILINE)
    found = [(names, " ".join(text.split())) for part in sections for names, text in _ARGUMENT.findall(part)]
    return {name: text for names, text in found for name in names.split(", ")}


def meanings(target: Callable[..., Any]) -> dict[str, str]:
    """Parameter of a class or function -> meaning, from its docstring and those of its base classes.

    Of libraries, only the first sentence.
    """
    found: dict[str, str] = {}
    for one in reversed(inspect.getmro(target)) if inspect.isclass(target) else [target]:
        found |= args_of(one.__doc__ or "")
    return found if is_own(target) else {name: re.split(r"(?<=\.) ", text)[0] for name, text in found.items()}


def is_own(target: Callable[..., Any]) -> bool:
    """Whether the parameters of a class or function are those of this package, not those of a library."""
    call = target.__init__ if inspect.isclass(target) else target
    return not getattr(call, "__module__", "").startswith(("torch", "pytorch_lightning", "schedulefree"))


def first_line(target: Callable[..., Any]) -> str:
    """First paragraph of the docstring."""
    return " ".join((inspect.getdoc(target) or "").partition("\n\n")[0].split())


def rows_of(place: str, keys: Keys) -> Iterator[tuple[str, str, str, str]]:
    """Key, type, value and meaning of all keys of the parts at or below a dotted key.

    Of classes of libraries, only the keys that the yamls set.
    """
    if f"{place}._target_" not in keys:
        inner = dict.fromkeys(k.removeprefix(f"{place}.").partition(".")[0] for k in keys if k.startswith(f"{place}."))
        for name in inner:
            yield from rows_of(f"{place}.{name}", keys)
        return
    name = keys[f"{place}._target_"][0]
    target, is_partial = locate(name), f"{place}._partial_" in keys
    said = meanings(target)
    schema = keyword_schema(target)
    fields = dict.fromkeys([*schema.get("properties", {}), *_others(place, keys)])
    for field in fields:
        key, about = f"{place}.{field}", schema["properties"].get(field, {})
        is_input = is_partial and field in schema.get("required", ())
        is_given = key in keys or any(other.startswith(f"{key}.") for other in keys)
        if not is_given and (is_input or not is_own(target)):
            continue
        default = "???" if field in schema.get("required", ()) else unquoted(about.get("default", ""))
        value, comment = keys.get(key, ("", ""))
        if not any(other.startswith(f"{key}.") for other in keys):
            yield key.removeprefix("."), kind(about, schema), value or default, comment or said.get(field, "")
        yield from rows_of(key, keys)


def _others(place: str, keys: Keys) -> list[str]:
    """Names of the keys directly below a dotted key, except for those of Hydra."""
    found = (key.removeprefix(f"{place}.").partition(".")[0] for key in keys if key.startswith(f"{place}."))
    return [name for name in dict.fromkeys(found) if not name.startswith("_")]


def options_of(group: str) -> dict[str, tuple[str, str]]:
    """Option of a group -> what the comment at the top of its yaml says, and the values that it sets, shortened."""
    found: dict[str, tuple[str, str]] = {}
    for option in options(group):
        text = (config_dir() / group / f"{option}.yaml").read_text(encoding="utf-8")
        head = re.match(r"(?:#.*\n)*", text)
        about = re.sub(r"^# ?(@package.*)?", "", head[0] if head else "", flags=re.MULTILINE)
        keys = flat_keys(own_keys(f"{group}/{option}.yaml")).items()
        shown = [f"`{key}: {value}`" for key, (value, _) in keys if value and not re.search(r"(^|\.)(_|show\b)", key)]
        from_ = re.search(r"^defaults:\s*(?:\[|- )([a-z]\w+)", text, re.MULTILINE)
        found[option] = " ".join(about.split()), ", ".join([*([f"like `{from_[1]}`"] if from_ else []), *shown])
    return found


def targets_of(names: Iterable[str]) -> dict[str, dict[str, tuple[str, str]]]:
    """Every class or function that yamls name -> its `_target_`, `_partial_`, and the keys that they set, which are
    not values: a key of a constructor without default is required."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for name in names:
        keys, tree = own_keys(name), yaml.safe_load((config_dir() / name).read_text(encoding="utf-8")) or {}
        tree.pop("defaults", None)
        for node in _nodes(tree):
            target = node["_target_"]
            own = found.setdefault(target, {"_target_": (target, "")})
            for key in node:
                comments = (c for k, (_, c) in keys.items() if k.rpartition(".")[2] == key and c)
                if key == "_partial_":
                    own[key] = ("true", "")
                elif not (key.startswith("_") or isinstance(node[key], dict)) and not meanings(locate(target)).get(key):
                    own[key] = ("", own.get(key, ("", ""))[1] or next(comments, ""))
                elif not (key.startswith("_") or isinstance(node[key], dict)):
                    own[key] = ("", "")
    return found


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict) and "_target_" in node:
        yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(value)
