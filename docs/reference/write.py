"""Writes a page for each command with all its keys, and a JSON schema for editors: python docs/reference/write.py

Types and ranges come from the models in vsr_lab/cli, values and meanings from the yamls in configs.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vsr_lab.cli.configuration.schema import model_of
from vsr_lab.cli.configuration.usage import COMMANDS, commented_keys, config_dir, config_name, options

HERE = Path(__file__).parent
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


def fields(
    schema: dict[str, Any], root: dict[str, Any], prefix: str = "", about: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Dotted key, type and description of every field, those of sections within sections too."""
    for name, field in schema.get("properties", {}).items():
        inner = resolved(field, root)
        if "properties" in inner:
            yield from fields(inner, root, f"{prefix}{name}.", inner.get("description", ""))
        else:
            yield f"{prefix}{name}", kind(field, root), " ".join((field.get("description") or about).split())


def resolved(field: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    return root["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field


def kind(field: dict[str, Any], root: dict[str, Any]) -> str:
    field = resolved(field, root)
    if "anyOf" in field:
        return " or ".join(kind(one, root) for one in field["anyOf"])
    if "enum" in field or "const" in field:
        return ", ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    name = {"object": "mapping", "array": "list", "string": "text", "null": "null"}.get(field.get("type", ""), "")
    name = name or field.get("type", "any")
    if name == "list" and "items" in field:
        name = f"list of {kind(field['items'], root)}"
    bounds = [f"{sign} {field[bound]:.10g}" for bound, sign in _BOUNDS.items() if bound in field]
    return f"{name} {', '.join(bounds)}".strip()


def page(command: str) -> str:
    """The reference page of a command."""
    model = model_of(command)
    schema = model.model_json_schema()
    yaml = (config_dir() / f"{config_name(command)}.yaml").read_text(encoding="utf-8")
    said = commented_keys(f"{config_name(command)}.yaml")
    groups = dict.fromkeys(re.findall(r"^  - (?:optional )?/?([a-z_]+)(?:@[\w.]+)?: ", yaml, re.MULTILINE))
    chosen = {group: f"one of configs/{group}, or their keys" for group in groups}
    rows = [
        f"| `{key}` | {type_} | {_value(said, key)} | {_comment(said, key) or described or chosen.get(key, '')} |"
        for key, type_, described in fields(schema, schema)
    ]
    purpose = (model.__doc__ or "").strip()
    purpose = purpose.replace("    Example: ", "Example: `") + ("`" if "Example:" in purpose else "")
    lines = [f"# {command}", "", purpose, ""]
    if groups:
        lines += ["Groups, chosen by `GROUP=OPTION`:", ""]
        lines += [f"- `{group}`: {', '.join(f'`{one}`' for one in options(group))}" for group in groups] + [""]
    return "\n".join([*lines, "| key | type | value | meaning |", "|---|---|---|---|", *rows, ""])


def _comment(said: dict[str, tuple[str, str]], key: str) -> str:
    return said.get(key, ("", ""))[1]


def _value(said: dict[str, tuple[str, str]], key: str) -> str:
    value = said.get(key, ("", ""))[0]
    return f"`{value}`" if value and value != "???" else "required" if value else ""


def written() -> dict[Path, str]:
    """Every file of the reference and its text."""
    files: dict[Path, str] = {}
    for command in COMMANDS:
        name = config_name(command)
        files[HERE / f"{name}.md"] = page(command)
        schema = model_of(command).model_json_schema()
        files[HERE / f"{name}.schema.json"] = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    index = [f"- [{command}]({config_name(command)}.md): {what}" for command, what in COMMANDS.items()]
    head = "# Commands and their keys\n\nWritten by `python docs/reference/write.py`; a test holds it to the code.\n\n"
    files[HERE / "README.md"] = head + "\n".join(index) + "\n"
    return files


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(HERE.parents[1]))
