"""Writes pages of all keys of the commands and config groups, and a JSON schema for editors for each command.

python docs/reference/write.py

Types, ranges and defaults come from the models in vsr_lab/cli and the constructors that the yamls name by `_target_`;
values and meanings from the yamls in configs, and from `Args:` in docstrings.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from reference_parts import Keys, args_of, first_line, flat_keys, meanings, options_of, rows_of, targets_of, unquoted
from reference_schema import editor_schema, kind, section_of, text_of

from vsr_lab.cli.configuration.schema import model_of
from vsr_lab.cli.configuration.usage import COMMANDS, commented_keys, config_dir, config_name, options
from vsr_lab.core.parts import locate

HERE = Path(__file__).parent
_HEAD = """# Commands and their keys

Written by `python docs/reference/write.py`.

An editor that knows YAML schemas, such as VS Code with its extension YAML, completes and checks the keys of a yaml that
begins with a line such as `# yaml-language-server: $schema=../../docs/reference/train.schema.json`.

"""
Row = tuple[str, str, str, str]  # key, type, value, meaning


def rows(schema: dict[str, Any], root: dict[str, Any], keys: Keys, prefix: str = "") -> Iterator[Row]:
    """A row for every key, those of sections and of parts too; NAME stands for a name that the user chooses."""
    said = args_of(schema.get("description", ""))
    for name, field in schema.get("properties", {}).items():
        key, inner = f"{prefix}{name}", section_of(field, root)
        value, comment = keys.get(key, ("", ""))
        if "properties" in inner:
            yield from rows(inner, root, keys, f"{key}.")
            continue
        meaning = comment or said.get(name, "") or field.get("description", "")
        default = unquoted(field["default"]) if field.get("default") is not None else ""
        yield key, kind(field, root), value or default, meaning
        entry = inner.get("additionalProperties")
        if isinstance(entry, dict) and "properties" in (entry := section_of(entry, root)):
            yield from rows(entry, root, keys, f"{key}.NAME.")
        else:
            yield from rows_of(key, keys)


def page(command: str) -> str:
    """The reference page of a command."""
    model = model_of(command)
    schema, keys = model.model_json_schema(), flat_keys(commented_keys(f"{config_name(command)}.yaml"))
    places = _groups(command)
    purpose = (model.__doc__ or "").strip()
    purpose = purpose.replace("    Example: ", "Example: `") + ("`" if "Example:" in purpose else "")
    lines = [f"# {command}", "", purpose, ""]
    if places:
        lines += [
            "Groups, chosen by `GROUP=OPTION`; the rows below have the keys and values of the default options:",
            "",
        ]
        groups = dict.fromkeys(group for _, group in places)
        lines += [f"- [{g}](groups/{g}.md): {', '.join(f'`{one}`' for one in options(g))}" for g in groups] + [""]
    table: list[Row] = []
    for key, type_, value, meaning in rows(schema, schema, keys):
        group = next((group for place, group in places if place == key or place.startswith(f"{key}.")), "")
        chosen = f"option of [{group}](groups/{group}.md), and its keys" if group else ""
        table.append((key, type_, value, meaning or chosen))
    return "\n".join([*lines, *_table(table), ""])


def _groups(command: str) -> list[tuple[str, str]]:
    """Key and group of the groups of a command, such as ("teacher", "candidate")."""
    text = (config_dir() / f"{config_name(command)}.yaml").read_text(encoding="utf-8")
    found = re.findall(r"^  - (?:optional )?/?([a-z_]+)(?:@([\w.]+))?: ", text, re.MULTILINE)
    return [(place or group, group) for group, place in found]


def _within(command: str) -> list[str]:
    """The groups of a command, and those that their options include, such as `metric` in `protocol`."""
    found = list(dict.fromkeys(group for _, group in _groups(command)))
    for group in found:
        text = "".join((config_dir() / path).read_text(encoding="utf-8") for path in yamls(group))
        found += [one for one in dict.fromkeys(re.findall(r"/([a-z_]+)(?:@[\w.]+)?: ", text)) if one not in found]
    return [*found, "base"] if found else []


def yamls(group: str) -> list[str]:
    """Paths of the yamls of a group, in configs."""
    return [f"{group}/{option}.yaml" for option in options(group)]


def _table(found: list[Row], value: str = "value") -> list[str]:
    lines = [f"| key | type | {value} | meaning |", "|---|---|---|---|"]
    for key, type_, shown, meaning in found:
        shown = "required" if shown == "???" else f"`{shown}`" if shown else ""
        cells = [f"`{key}`", type_, shown, " ".join(meaning.split())]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return lines


def group_page(group: str) -> str:
    """The reference page of a config group: its options, and the keys of the classes that they name."""
    used = [command for command in COMMANDS if group in _within(command)]
    lines = [f"# {group}", ""]
    if used:
        lines += [f"Used by {', '.join(f'[{one}](../{config_name(one)}.md)' for one in used)}.", ""]
    for option, (about, keys) in options_of(group).items():
        lines += [f"- `{option}`{': ' if about else ''}{about}", *([f"  {keys}"] if keys else [])]
    for target, settings in targets_of(yamls(group)).items():
        table = list(rows_of("", {f".{key}": pair for key, pair in settings.items()}))
        lines += ["", f"## {target}", "", first_line(locate(target))]
        lines += ["", *_table(table, "default")] if table else []
    return "\n".join([*lines, ""])


def written() -> dict[Path, str]:
    """Every file of the reference and its text."""
    files: dict[Path, str] = {}
    for command in COMMANDS:
        name = config_name(command)
        files[HERE / f"{name}.md"] = page(command)
        named = targets_of(path for group in _within(command) for path in yamls(group))
        said = {target: meanings(locate(target)) for target in named}
        schema = editor_schema(model_of(command), flat_keys(commented_keys(f"{name}.yaml")), said)
        files[HERE / f"{name}.schema.json"] = text_of(schema)
    groups = sorted(path.name for path in config_dir().iterdir() if path.is_dir() and path.name != "base")
    files |= {HERE / "groups" / f"{group}.md": group_page(group) for group in groups}
    index = [f"- [{command}]({config_name(command)}.md): {what}" for command, what in COMMANDS.items()]
    index += ["", "# Config groups", "", *(f"- [{group}](groups/{group}.md)" for group in groups)]
    files[HERE / "README.md"] = _HEAD + "\n".join(index) + "\n"
    return files


if __name__ == "__main__":
    for path, text in written().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(HERE.parents[1]))
