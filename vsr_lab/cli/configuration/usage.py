"""Help texts of vsr-lab. It imports neither Hydra nor torch, so that --help is fast."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

import vsr_lab
from vsr_lab.core.files import config_dir

_LINE = re.compile(r"^(\s*)((?:- )?\w+):\s*(.*?)\s*(?:#\s*(.*))?$")
_DEFAULTS = re.compile(r"^defaults:.*(?:\n  - .*)*", re.MULTILINE)
_TABLE = yaml.safe_load(Path(__file__).parents[1].joinpath("commands.yaml").read_text(encoding="utf-8"))
COMMANDS: dict[str, str] = {command: facts["help"] for command, facts in _TABLE.items()}
POSITIONAL: dict[str, list[str]] = {command: facts.get("arguments", []) for command, facts in _TABLE.items()}

# Hydra's options that every command has, each with the values that it takes.
FLAGS: dict[str, Sequence[str]] = {
    **dict.fromkeys(("-m", "--multirun", "--resolve", "--hydra-help"), ()),
    **dict.fromkeys(("--cfg", "-c"), ("job", "hydra", "all")),
    **dict.fromkeys(("--info", "-i"), ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")),
    **dict.fromkeys(("--package", "-p", "--config-dir", "-cd"), ("a value",)),
}


def config_name(command: str) -> str:
    """Name of a command's yaml in the Hydra tree, such as footage_index."""
    return command.replace(" ", "_")


def module_name(command: str) -> str:
    """Module of a command, such as vsr_lab.cli.footage.index."""
    return f"vsr_lab.cli.{command.replace(' ', '.')}"


def usage(first: str = "") -> str:
    """Help text that lists all commands, or those that begin with the word `first`, each with an example."""
    listed = {command: what for command, what in COMMANDS.items() if command.startswith(first)}
    commands = "\n".join(f"  {command:<16} {what}" for command, what in listed.items())
    return (
        f"vsr-lab {vsr_lab.__version__}: train, evaluate and deploy video super-resolution models\n\n"
        f"vsr-lab COMMAND key=value ...\n{commands}\n\n"
        "The keys of a command: vsr-lab COMMAND --help; its composed configuration: --cfg job. A sweep: -m key=a,b. "
        'Completion: eval "$(vsr-lab -sc install=bash)"'
    )


def command_help(command: str) -> str:
    """Help text of a command: an example, its config groups with their options, and its keys with comments."""
    text = (config_dir() / f"{config_name(command)}.yaml").read_text(encoding="utf-8")
    defaults, _, keys = text.partition("\n\n")
    entries = re.findall(r"^  - (?:optional )?/?([a-z_]+)(@[\w.]+)?: (\S+)", defaults, re.MULTILINE)
    first = {group: f"{group}{key}={chosen}" for group, key, chosen in reversed(entries)}  # one line each
    lines = [f"  {first[group]} of {', '.join(options(group))}" for group in dict.fromkeys(e[0] for e in entries)]
    parts = [f"vsr-lab {command}: {COMMANDS[command]}", "Groups, each with its default and its options:", *lines]
    shown = "\n".join(parts if lines else parts[:1])
    inner = _keys_of_groups(f"{config_name(command)}.yaml")
    return f"{shown}\n\nKeys:\n{keys.strip()}\n{inner}\nThe composed configuration: vsr-lab {command} --cfg job"


def _keys_of_groups(name: str) -> str:
    """Text with the keys of the default options of a command's config groups, wrapped; "" if there are none."""
    own, words = own_keys(name), dict[str, list[str]]()
    fixed = re.findall(r"^  - base/\w+@(\w+)$", _text(name), re.MULTILINE)  # no group: nothing can be chosen
    for key, (value, _) in commented_keys(name).items():
        first = key.partition(".")[0]
        if value and not (key in own or first in fixed or re.search(r"\.(show|_\w+_)\b", key) or "_target_" in value):
            words.setdefault(first, []).append(f"{key}={value}".replace(" ", "\0"))
    lines = [
        textwrap.fill(" ".join(some), 118, break_long_words=False, break_on_hyphens=False) for some in words.values()
    ]
    head = "\nKeys of the groups, with their defaults; types, meanings and further keys: docs/reference\n"
    return head + textwrap.indent("\n".join(lines).replace("\0", " "), "  ") + "\n" if lines else ""


def options(group: str) -> list[str]:
    """Names of the options of a config group, such as "degradation": the yaml files in its folder."""
    folder = config_dir() / group
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def own_keys(name: str) -> dict[str, tuple[str, str]]:
    """Read the keys of a yaml of `configs`, such as "train.yaml": dotted key -> value and comment on the line.

    The result is empty if the yaml does not exist.
    """
    found: dict[str, tuple[str, str]] = {}
    stack: list[tuple[int, str]] = []
    for match in filter(None, map(_LINE.match, _text(name).splitlines())):
        stack = [(depth, key) for depth, key in stack if depth < len(match[1])] + [(len(match[1]), match[2])]
        key = ".".join(key for _, key in stack)
        if "-" not in key:  # those of items of lists cannot be set
            found[key] = (match[3], match[4] or "")
    found.pop("defaults", None)
    return found


def commented_keys(name: str, package: str = "") -> dict[str, tuple[str, str]]:
    """Read the keys of a yaml and of the yaml files in its defaults list, named as in the composed configuration.

    For a group without a default option, `base/GROUP.yaml` is read.

    Args:
        name: path of the yaml in `configs`.
        package: dotted key at which the yaml is put.

    Returns:
        Dotted key -> value and comment. A key without a comment gets the comment of the yaml from which it is
        inherited.
    """
    text, found = _text(name), dict[str, tuple[str, str]]()
    if text.startswith("# @package _global_"):
        package = ""
    block = _DEFAULTS.search(text)
    for entry in yaml.safe_load(block[0])["defaults"] if block else ():
        key, option = next(iter(entry.items())) if isinstance(entry, dict) else (entry, "")
        place, _, inner = key.removeprefix("optional ").partition("@")
        path = place[1:] if place.startswith("/") else (Path(name).parent / place).as_posix()
        if key in {"_self_", "app"} or key.startswith("override") or option is None:
            continue
        inner = (inner or (path if option else "")).removeprefix("_here_")
        path = f"base/{path}" if option == "???" else f"{path}/{option}" if option else path
        found |= commented_keys(f"{path}.yaml", ".".join(filter(None, (package, inner))))
    for key, (value, comment) in own_keys(name).items():
        key = f"{package}.{key}" if package else key
        found[key] = (value, comment or found.get(key, ("", ""))[1])
    return found


def _text(name: str) -> str:
    path = config_dir() / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def meaning_of(command: str, key: str, choices: Mapping[str, str]) -> str:
    """The comment on a key of a command; "" if there is none.

    It is searched in the yaml of the command, then in those of the chosen options of its config groups.

    Args:
        command: name of the command.
        key: dotted key.
        choices: config group -> name of the chosen option, as in `hydra.runtime.choices`.
    """
    comment = own_keys(f"{config_name(command)}.yaml").get(key, ("", ""))[1]
    for place, option in choices.items():
        group, _, package = place.partition("@")
        comment = comment or commented_keys(f"{group}/{option}.yaml", package or group).get(key, ("", ""))[1]
    return comment
