"""Validation and normalisation of command-line overrides before Hydra parses them."""

import difflib
from collections.abc import Iterable

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType, QuotedString
from hydra.errors import HydraException

from vsr_lab.cli.usage import config_dir, config_name, options
from vsr_lab.core.errors import UserError

_TAKE_A_WORD = {"--cfg", "-c", "--info", "-i", "--package", "-p", "--config-dir", "-cd", "--config-name", "-cn"}


def normalise(command: str, arguments: Iterable[str]) -> list[str]:
    """Convert overrides to a form that Hydra accepts.

    Values that its grammar cannot parse are quoted. A key is set even if the composed configuration does not have it,
    so that unknown keys are reported by the command's schema.

    Raises:
        UserError: a group has no such option, or a group needs a choice.
    """
    words = [quoted(argument) for argument in arguments]
    if {"-sc", "--shell-completion"} & set(words):
        return words
    groups = _groups(command)
    chosen: set[str] = set()
    for i, word in enumerate(words):
        if word.startswith("-") or (i and words[i - 1] in _TAKE_A_WORD):
            continue
        override = _parse(word)
        key = override.key_or_group
        if key in groups or override.package is not None:
            chosen.add(key)
            if override.type != OverrideType.DEL:
                _check_option(key, override, may_be_null=groups.get(key) is None)
            if override.value() is None and override.type == OverrideType.CHANGE:
                same = f"{word.partition('=')[0]}="  # nothing chosen, as by default; Hydra takes no null
                words[: i + 1] = ["" if earlier.startswith(same) else earlier for earlier in words[: i + 1]]
        elif override.type in {OverrideType.CHANGE, OverrideType.ADD} and not key.startswith("hydra"):
            if override.value() == {}:
                raise UserError(key, "is empty, which changes nothing", f"remove keys by ~{key}.KEY")
            words[i] = f"++{word.lstrip('+')}"
    shown_only = bool({"--cfg", "-c", "--info", "--hydra-help"} & set(words))
    for group in sorted(group for group, choice in groups.items() if choice == "???" and group not in chosen):
        if shown_only:
            break
        raise UserError(group, "is required", f"choose one of {', '.join(options(group))}")
    return [word for word in words if word]


def key_of(word: str) -> str:
    """Key that an override changes, adds or removes."""
    return word.lstrip("+~").partition("=")[0]


def quoted(argument: str) -> str:
    """Quote the value in key=value if Hydra's grammar cannot parse it, such as a path with spaces."""
    if argument.encode(errors="replace").decode() != argument:
        raise UserError(ascii(argument), "is not valid Unicode", "rename the file")
    key, equals, value = argument.partition("=")
    if not equals or argument.startswith("-") or value.startswith(("[", "{", "'", '"')):
        return argument
    try:
        OverridesParser.create().parse_override(argument)
    except HydraException:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"{key}='{escaped}'"
    return argument


def _parse(word: str) -> Override:
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException as error:
        raise UserError(word, "cannot be read", "write key=value, with quotes around brackets and spaces") from error


def _check_option(group: str, override: Override, may_be_null: bool) -> None:
    values = override.sweep_iterator() if override.is_sweep_override() else [override.value()]
    known = options(group)
    for value in values:
        for name in value if isinstance(value, list) else [value]:
            text = name.text if isinstance(name, QuotedString) else name
            if text is None and not may_be_null:
                raise UserError(group, "must not be null", f"choose one of {', '.join(known)}")
            if text is not None and str(text) not in known:
                near = difflib.get_close_matches(str(text), known, 1, 0.6)
                hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known) or 'none'}"
                raise UserError(group, f"has no option {str(text)!r}", hint)


def _groups(command: str) -> dict[str, str | None]:
    """Groups that the command composes and their defaults: ??? if a choice is required, None for nothing."""
    path = config_dir() / f"{config_name(command)}.yaml"
    groups: dict[str, str | None] = {}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["defaults"]:
        for name, choice in entry.items() if isinstance(entry, dict) else ():
            optional, _, group = name.rpartition(" ")
            groups.setdefault(group.partition("@")[0].lstrip("/"), None if optional else choice)
    return groups
