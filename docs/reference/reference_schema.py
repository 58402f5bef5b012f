"""Types of keys in words, and the JSON schema by which an editor completes and checks a yaml of a command."""

import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import yaml
from pydantic import BaseModel
from pydantic.json_schema import PydanticJsonSchemaWarning

from vsr_lab.core.parts import keywords_of, locate

_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
_NAMES = {"object": "mapping", "array": "list", "string": "text"}
_INTERPOLATION = "\\$\\{"


def resolved(field: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """A field, or the definition that it refers to."""
    return root["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field


def section_of(field: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The section that a field holds, if it may be one; else the field."""
    choices = (resolved(one, root) for one in field.get("anyOf", ()))
    return next((one for one in choices if "properties" in one), resolved(field, root))


def text_of(schema: dict[str, Any]) -> str:
    """JSON with a line for each key of the schema and for each definition."""
    lines = [
        f"{json.dumps(key)}: {json.dumps(schema[key], sort_keys=True)}" for key in sorted(schema) if key != "$defs"
    ]
    inner = [f"{json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in sorted(schema.get("$defs", {}).items())]
    lines += ['"$defs": {\n' + ",\n".join(inner) + "\n}"] if inner else []
    return "{\n" + ",\n".join(lines) + "\n}\n"


def keyword_schema(target: Callable[..., Any]) -> dict[str, Any]:
    """JSON schema of the keywords of a constructor or function."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)  # a default that is an object has no text
        return keywords_of(target, False).model_json_schema()


def kind(field: dict[str, Any], root: dict[str, Any]) -> str:
    """Type of a field in words, such as "integer >= 1 or null"."""
    field = resolved(field, root)
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(kind(one, root) for one in field["anyOf"]))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    if "part" in field:
        return "mapping with `_target_`" if field["part"] == "any" else f"`{field['part']}`"
    name = _NAMES.get(field.get("type", ""), field.get("type", "any"))
    entry = field.get("additionalProperties")
    if name == "list" and (items := [field["items"]] if "items" in field else field.get("prefixItems", [])):
        name = f"list of {', '.join(dict.fromkeys(kind(one, root) for one in items))}"
    elif name == "mapping" and isinstance(entry, dict) and "properties" not in resolved(entry, root):
        name = f"mapping of {kind(entry, root)}"
    bounds = [f"{sign} {field[bound]:.10g}" for bound, sign in _BOUNDS.items() if bound in field]
    return f"{name} {', '.join(bounds)}".strip()


def editor_schema(
    model: type[BaseModel], keys: Mapping[str, tuple[str, str]], targets: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """JSON schema of a yaml that sets some of the keys of a command, such as an experiment or a stored config.yaml.

    No key is required, and a number may be an interpolation (${...}).

    Args:
        model: model of the command.
        keys: dotted key -> value and comment.
        targets: `_target_` of the parts that may be named -> meanings of their keywords.
    """
    schema = model.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    made: dict[str, set[str]] = {}
    if '"part": ' not in json.dumps(schema):
        targets = {}
    for name, said in targets.items():
        made[name] = _bases(locate(name))
        part = keyword_schema(locate(name))
        definitions |= part.pop("$defs", {})
        for key, field in part.get("properties", {}).items():
            field |= {"description": said[key]} if key in said else {}
        part["properties"] = {"_target_": {"const": name}, "_partial_": {"type": "boolean"}} | part.get(
            "properties", {}
        )
        part["description"] = (inspect.getdoc(locate(name)) or "").partition("\n\n")[0]
        definitions[name] = part
    foreign = {"_target_": {"not": {"enum": list(targets)}}}
    if targets:
        definitions["another part"] = {"type": "object", "properties": foreign, "required": ["_target_"]}
    _describe(schema, schema, keys, "")
    schema = _loosened(schema, made)
    schema["properties"] |= {key: {} for key in ("defaults", *getattr(model, "ignored", ()))}
    return schema


def _bases(target: Callable[..., Any]) -> set[str]:
    """Names of the classes of which a class or function makes an object."""
    result = target if inspect.isclass(target) else get_type_hints(target).get("return", object)
    return {one.__name__ for one in inspect.getmro(result)} if inspect.isclass(result) else set()


def _describe(node: dict[str, Any], root: dict[str, Any], keys: Mapping[str, tuple[str, str]], prefix: str) -> None:
    """Add the values and comments of the yamls to the fields of a schema."""
    for name, field in node.get("properties", {}).items():
        value, comment = keys.get(f"{prefix}{name}", ("", ""))
        field |= {"description": comment} if comment else {}
        field |= {"default": json.loads(json.dumps(yaml.safe_load(value)))} if value not in {"", "???"} else {}
        _describe(resolved(field, root), root, keys, f"{prefix}{name}.")


def _loosened(node: Any, made: Mapping[str, set[str]]) -> Any:
    """A schema without required keys, in which parts are objects of the known classes or of unknown ones."""
    if isinstance(node, list):
        return [_loosened(one, made) for one in node]
    if not isinstance(node, dict):
        return node
    if "part" in node:
        fitting = [name for name, bases in made.items() if node["part"] in bases]
        rest = {key: value for key, value in node.items() if key in {"description", "default"}}
        parts = [{"$ref": f"#/$defs/{name}"} for name in [*(fitting or made), "another part"]]  # of a protocol: all
        scalars = [] if fitting else [{"type": ["number", "string"]}]  # such as a frame rate, 24000/1001
        return {"anyOf": [*parts, *scalars], **rest}
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key in {"properties", "$defs"}:
            found[key] = {name: one if name == "another part" else _loosened(one, made) for name, one in value.items()}
        elif key in {"description", "default", "enum"}:
            found[key] = value
        elif not (key == "required" or (key == "title" and isinstance(value, str))):
            found[key] = _loosened(value, made)
    if node.get("type") in {"integer", "number", "boolean"}:
        found |= {"type": [node["type"], "string"], "pattern": _INTERPOLATION}
    return found
