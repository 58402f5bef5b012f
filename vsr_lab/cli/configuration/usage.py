"""Help texts of vsr-lab. It imports neither Hydra nor torch, so that --help is fast."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

import vsr_lab
from vsr_lab.core.files import config_dir

_LINE = re.compile(r"^(\s*)(\w+):\s*(.*?)\s*(?:#\s*(.*))?$")
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
    return f"{shown}\n\nKeys:\n{keys.strip()}\n\nThe composed configuration: vsr-lab {command} --cfg job"


def options(group: str) -> list[str]:
    """Names of the options of a config group, such as "degradation": the yaml files in its folder."""
    folder = config_dir() / group
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def commented_keys(name: str) -> dict[str, tuple[str, str]]:
    """The dotted keys of a yaml of `configs`, such as "train.yaml", each with its value and the comment on its line.

    There are none if there is no such yaml.
    """
    found: dict[str, tuple[str, str]] = {}
    stack: list[tuple[int, str]] = []
    path = config_dir() / name
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if match := _LINE.match(line):
            indent, name, value, comment = len(match[1]), match[2], match[3], match[4] or ""
            stack = [(depth, key) for depth, key in stack if depth < indent]
            found[".".join([key for _, key in stack] + [name])] = (value, comment)
            stack.append((indent, name))
    return found


def meaning_of(command: str, key: str, choices: Mapping[str, str]) -> str:
    """The comment on a key of a command, in the command's yaml or that of the chosen option of a group; "" if none.

    Args:
        command: name of the command.
        key: dotted key.
        choices: the chosen option of each config group, as in `hydra.runtime.choices`.
    """
    yamls = [(f"{config_name(command)}.yaml", key)]
    for place, option in choices.items():
        group, _, package = place.partition("@")
        yamls.append((f"{group}/{option}.yaml", key))  # of one with "@package _global_"
        if key.startswith(f"{package or group}."):
            inner = key.removeprefix(f"{package or group}.")
            yamls += [(f"{group}/{option}.yaml", inner), (f"base/{group}.yaml", inner)]
    for name, wanted in yamls:
        if comment := commented_keys(name).get(wanted, ("", ""))[1]:
            return comment
    return ""
