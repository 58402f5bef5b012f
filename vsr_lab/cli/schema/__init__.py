"""Typed models of the configuration of every command, against which the composed configuration is validated once."""

import importlib
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vsr_lab.cli.schema.base import Section
from vsr_lab.core.errors import UserError
from vsr_lab.core.validation import validate

_MODELS = {
    "train": "training.TrainConfig",
    "evaluate": "judging.EvaluateConfig",
    "compare": "judging.CompareConfig",
    "select": "judging.SelectConfig",
    "export": "delivery.ExportConfig",
    "upscale": "delivery.UpscaleConfig",
    "footage index": "footage.IndexConfig",
    "footage leaks": "footage.LeaksConfig",
    "footage sample": "footage.SampleConfig",
    "footage degrade": "footage.DegradeConfig",
    "footage store": "footage.StoreConfig",
    "footage render": "footage.RenderConfig",
    "footage check": "footage.CheckConfig",
    "demo": "footage.DemoConfig",
}


def model_of(command: str) -> type[Section]:
    """The model of a command's configuration."""
    module, name = _MODELS[command].split(".")
    return getattr(importlib.import_module(f"vsr_lab.cli.schema.{module}"), name)


def check(command: str, cfg: DictConfig, typed: Sequence[str] = (), prefix: str = "") -> Section:
    """Validate the composed configuration of a command.

    Args:
        command: name of the command.
        cfg: composed configuration.
        typed: keys that the user set, whose errors are reported first.
        prefix: beginning of the message.

    Raises:
        UserError: for the first invalid value.
    """
    model = model_of(command)
    brought: frozenset[str] = getattr(model, "brought", frozenset())
    for key in typed:
        if key.partition(".")[0] in brought:
            raise UserError(key, f"has no effect on {command}", "remove it")
    checked = validate(model, {key: value for key, value in resolved(cfg).items() if key not in brought}, prefix, typed)
    for key, reason in checked.without_effect().items():
        if key in typed:
            raise UserError(key, f"has no effect: {reason}", "" if ";" in reason else "remove it")
    return checked


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """Convert cfg to plain values, without the keys that are not set yet (???)."""
    try:
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        key = wanted = str(error.full_key)
        source, seen = OmegaConf.to_container(cfg, resolve=False), set[str]()
        while "${" in (value := str(_at(source, wanted))) and wanted not in seen:
            seen.add(wanted)
            wanted = value.partition("${")[2].partition("}")[0]
        if wanted.startswith("oc.env:"):
            raise UserError(wanted[7:], "is not set in the environment", f"export {wanted[7:]}=...") from error
        if value == "???":
            raise UserError(wanted, "is required", f"set {wanted}=") from error
        raise UserError(key, f"is a copy of {wanted}, which is not a key of this command", f"set {key}=") from error
    return _given(plain)


def _at(node: Any, key: str) -> Any:
    """The value at a dotted key; None if there is none."""
    for step in key.split("."):
        node = node.get(step) if isinstance(node, dict) else None
    return node


def _given(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _given(value) for key, value in node.items() if value != "???"}
    return [_given(value) for value in node] if isinstance(node, list) else node
