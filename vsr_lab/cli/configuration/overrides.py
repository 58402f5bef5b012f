"""Validation and normalisation of command-line overrides before Hydra parses them."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType, QuotedString
from hydra.errors import HydraException

from vsr_lab.cli.configuration.usage import FLAGS, config_dir, config_name, options
from vsr_lab.core.errors import UserError, suggestion
from vsr_lab.core.files import missing_parent

# Hydra's own keys that may be set, for sweeps. Others could run code (hydra.callbacks) or write anywhere (hydra.run).
_HYDRA = ("hydra/launcher", "hydra/sweeper", "hydra.launcher.", "hydra.sweeper.", "hydra.sweep.")
# What Lightning adds for the processes of other devices: where Hydra writes, which is nowhere.
_OF_LIGHTNING = ("hydra.run.dir=", "hydra.job.name=", "hydra.output_subdir=")


def normalise(command: str, arguments: Iterable[str]) -> list[str]:
    """Convert the arguments of a command to those of Hydra, in which options precede overrides.

    In a value, `${...}` is plain text, and a comma separates the values of a sweep only after -m. A key is set even if
    the configuration does not have it, so that an unknown key is reported by the validation of the command and not by
    Hydra.

    Args:
        command: name of the command.
        arguments: arguments after the name of the command, as in sys.argv.

    Raises:
        UserError: an option is unknown, a word cannot be read, a config group has no yaml file of the given name, or a
            key of Hydra may not be set.
    """
    added = _OF_LIGHTNING if os.environ.get("LOCAL_RANK", "0") != "0" else ()
    flags, words = _split([word for word in arguments if not word.startswith(added)])
    if {"-sc", "--shell-completion"} & {*flags}:
        return [*flags, *words]
    sweep = bool({"-m", "--multirun"} & {*flags})
    words = [quoted(word, sweep) for word in words]
    groups = _groups(command)
    for i, word in enumerate(words):
        override = _parse(word)
        key, package = override.key_or_group, override.package
        _check_hydra(word, override)
        if not key:
            raise UserError(word, "has no key before '='", "write KEY=VALUE")
        if key not in groups and package is None and (config_dir() / key).is_dir():
            near = next((name for name in groups if name.startswith(f"{key}@")), "")
            hint = f"did you mean {near}?" if near else f"see vsr-lab {command} --help"
            raise UserError(key, "is not a known key", hint)
        if key in groups or package is not None:
            removes = override.type == OverrideType.DEL or override.value() is None
            if removes and package is None and groups[key]:
                raise UserError(key, "cannot be removed", f"choose one of {', '.join(options(key))}")
            if override.value() is None and override.type == OverrideType.CHANGE:
                words[i] = f"~{word.partition('=')[0]}"  # Hydra takes no null
            elif override.type != OverrideType.DEL:
                _check_option(key, override)
        elif override.type in {OverrideType.CHANGE, OverrideType.ADD} and not key.startswith("hydra"):
            if override.value() == {}:
                raise UserError(key, "is set to {}, which changes no key", f"to remove a key, write ~{key}.KEY")
            words[i] = f"++{word.lstrip('+')}"
    return [*flags, *words]


def _check_hydra(word: str, override: Override) -> None:
    key, package, value = override.key_or_group, override.package or "", override.value()
    if key == "hydra.sweep.dir":
        folder = Path(value.text if isinstance(value, QuotedString) else str(value))
        if folder.is_symlink() or folder.exists() or missing_parent(folder):
            raise UserError(key, f"{folder} already exists", "choose a new folder for the sweep")
    is_hydra = re.match(r"hydra\b", key) or re.match(r"hydra\b", package)
    if is_hydra and (package or not key.startswith(_HYDRA) or re.search(r"\$|_target_", word)):
        shown = ", ".join(name + "*" if name.endswith(".") else name for name in _HYDRA)
        raise UserError(
            f"{key}@{package}" if package else key, "cannot be set", f"of Hydra's keys, only {shown} can be set"
        )


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Split words into Hydra's options, with their values, and overrides. Raises UserError for other options."""
    flags: list[str] = []
    overrides: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            overrides.append(word)
            continue
        name, equals, value = word.partition("=")
        if name in {"-sc", "--shell-completion"}:
            return words, []
        if name not in FLAGS:
            hint = suggestion(name, FLAGS, "remove it, and write keys as KEY=VALUE (see --help)", 0.8)
            hint = f"write ./{name} if you mean the file" if Path(name).exists() else hint
            raise UserError(name, "is not an option", hint)
        flags.append(name)
        if known := FLAGS[name]:
            flags.append(value if equals else next(rest, ""))
            if not flags[-1] or (known != ("a value",) and flags[-1] not in known):
                raise UserError(name, f"must be followed by {' or '.join(known)}, got {flags[-1]!r}")
        elif equals:
            raise UserError(name, f"takes no value, got {value!r}")
        if name in {"--config-dir", "-cd"} and (Path(flags[-1]) / "hydra").exists():
            problem = f"{flags[-1]} contains a folder named hydra, whose files could run code"
            raise UserError(name, problem, "remove this folder, or choose another one for --config-dir")
    if {"-m", "--multirun"} & {*flags}:
        _check_shared(overrides)
    return flags, overrides


def _check_shared(overrides: Sequence[str]) -> None:
    """Raise UserError if every job of a sweep would write to the same folder or file."""
    for key, value in ((key_of(word), word.partition("=")[2]) for word in overrides):
        if key == "run_dir":
            raise UserError(key, "would be shared by every job of the sweep (-m)", "set hydra.sweep.dir= instead")
        problem = "is the same for every job of the sweep (-m), so each job would replace the file of the one before"
        if key == "outputs" and "${" not in value:
            raise UserError(key, problem, "write ${hydra:job.num} in the name of each output")
        if key in {"output", "pair", "database"} and value != "null" and not ("," in value or "${" in value):
            example = Path(value).with_stem(f"{Path(value).stem}-${{hydra:job.num}}")
            raise UserError(key, problem, f"write, for example, '{key}={example}'")


def literal(node: Any) -> Any:
    """Copy of nested lists and mappings in which texts are escaped, so that OmegaConf does not interpolate `${...}`."""
    if isinstance(node, dict):
        return {key: literal(value) for key, value in node.items()}
    if isinstance(node, list):
        return [literal(value) for value in node]
    return _escaped(node) if isinstance(node, str) else node


def _escaped(text: str) -> str:
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)


def step_into_list(error: BaseException, typed: Iterable[str]) -> BaseException:
    """Replace two errors of OmegaConf by errors that tell the user what to write.

    They concern list.name=value, where `name` should be an index, and mapping=[A,B] or list={...}. Other errors are
    returned unchanged.

    Args:
        error: error of Hydra or OmegaConf.
        typed: keys that the user set.
    """
    if merged := re.fullmatch(r"Error merging override \+*([^=]+)=([[{].*)", str(error)):
        kind = "a mapping, such as {key: value}" if merged[2][0] == "[" else "a list"
        return UserError(merged[1], f"must be {kind}, got {merged[2]}")
    found = re.fullmatch(r"invalid literal for int\(\) with base 10: '(.*)'", str(error))
    key = next((key for key in typed if found and f".{found[1]}" in key), None)
    if found is None or key is None:
        return error
    whole = key.partition(f".{found[1]}")[0]
    return UserError(key, f"is not a known key: {whole} is a list", f"set {whole}=[ITEM,ITEM]")


def given_words() -> list[str]:
    """Overrides of the running command, escaped so that another configuration can be composed with them."""
    return [_escaped(word) for word in HydraConfig.get().overrides.task]


def key_of(word: str) -> str:
    """Key of an override: "a.b" for "a.b=1", "+a.b=1" and "~a.b"."""
    return word.lstrip("+~").partition("=")[0]


def keys_within(words: Iterable[str]) -> list[str]:
    """Dotted keys that overrides set by a mapping: "a.b" for "a={b: 1}"."""
    overrides = [_parse(word) for word in words if "={" in word]
    return [f"{o.key_or_group}.{name}" for o in overrides if isinstance(value := o.value(), dict) for name in value]


def quoted(argument: str, sweep: bool = False) -> str:
    """Quote the value in key=value if Hydra's grammar would not read it literally.

    For example, a path with spaces or backslashes is quoted, and a text with commas unless it lists the values of a
    sweep.
    """
    if argument.encode(errors="replace").decode() != argument:
        raise UserError(ascii(argument), "is not valid Unicode", "rename the file")
    key, equals, value = argument.partition("=")
    if not equals or key.lstrip("+").startswith("hydra."):
        return argument
    argument = f"{key}={_escaped(value)}"
    if value.startswith(("[", "{", "'", '"')):
        return argument
    try:
        override = OverridesParser.create().parse_override(argument)
        if sweep or not ("\\" in argument or override.is_sweep_override()):
            return argument
    except HydraException:
        pass
    escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), _escaped(value))
    return f"{key}='{escaped}'"


def _parse(word: str) -> Override:
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException as error:
        key, equals, value = word.partition("=")
        if not equals:
            raise UserError(word, "has no key", "write KEY=VALUE (see --help)") from error
        hint = "with quotes around brackets and spaces"
        if value.startswith(("[", "{")):
            hint = f"with quotes around items that contain = or brackets, such as \"{key}=['a=b']\""
        raise UserError(word, "cannot be read", f"write KEY=VALUE, {hint}") from error


def _check_option(group: str, override: Override) -> None:
    values = override.sweep_iterator() if override.is_sweep_override() else [override.value()]
    known = options(group)
    for value in values:
        for name in value if isinstance(value, list) else [value]:
            text = name.text if isinstance(name, QuotedString) else name
            if str(text) not in known:
                hint = suggestion(str(text), known, f"choose one of {', '.join(known) or 'none'}")
                raise UserError(group, f"has no option {str(text)!r}", hint)


def _groups(command: str) -> dict[str, str | None]:
    """Config groups of a command: GROUP or GROUP@PACKAGE -> name of its default option."""
    path = config_dir() / f"{config_name(command)}.yaml"
    defaults = yaml.safe_load(path.read_text(encoding="utf-8"))["defaults"]
    chosen = ((name, value) for entry in defaults if isinstance(entry, dict) for name, value in entry.items())
    return {name.rpartition(" ")[2].lstrip("/"): value for name, value in chosen}  # without "optional"
