"""The configuration of a command: base classes of the models of all commands, and the validation of composed values.

The model of a command is the type that its `run` takes.
"""

import importlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_type_hints

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from vsr_lab.cli.configuration.usage import meaning_of, module_name, options
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath, Number, Part, Text
from vsr_lab.core.ranges import WINDOW, Damaged, Deinterlace, ToneMap, distinct, window
from vsr_lab.core.validation import validate


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise ValueError(f"must be a folder, {path} is a file")
    return path


Bool = Annotated[bool, Strict()]
Int = Annotated[int, Strict()]
Seed = Annotated[Int, Field(ge=0, le=2**32 - 1)]
Scale = Annotated[Int, Field(ge=1, le=16)]
Frames = Annotated[Text, Field(pattern=WINDOW), AfterValidator(window)]
FolderPath = Annotated[FilePath, AfterValidator(_folder)]
Names = Annotated[list[Text], Field(min_length=1), AfterValidator(distinct)]
Count = Annotated[Int, Field(ge=1, le=1_000_000)]
Runs = Annotated[list[FilePath], Field(min_length=1)]


def check_scale(degradation: Part[Any], scale: int) -> None:
    """Raise ValueError unless the scale of a degradation is `scale`."""
    own = degradation.build().scale
    if own != scale:
        raise ValueError(f"degradation.scale is {own} and scale is {scale}; they must be equal")


class Section(BaseModel):
    """A part of a configuration: unknown keys are refused, and text is not converted to int, float or bool."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())

    def without_effect(self) -> dict[str, str]:
        """key -> reason, for keys that have no effect because of the values of other keys. A user may not set them."""
        return {}


class Command(Section):
    """Base class of the configurations of commands that write to a run folder.

    Attributes:
        ignored: keys of a content type's yaml that have no effect in this command.
        results: pattern of the files from which a stopped run is continued; None: it cannot be continued.
        writes: patterns of files that libraries write to run_dir.
    """

    run_dir: FilePath
    """Folder that the run writes to."""
    overwrite: Bool = False
    """Whether an existing run in run_dir is renamed to NAME.old-1 (or 2, 3, ...). Other folders are never renamed."""

    ignored: ClassVar[frozenset[str]] = frozenset()
    results: ClassVar[str | None] = None
    writes: ClassVar[tuple[str, ...]] = ()


class FootageChoice(Section):
    """Which clips of a folder or manifest are read, and which frames of them."""

    clips: Names | None = None
    """Names of the clips to use; null: all."""
    frames: Frames | None = None
    """Frames of every clip to use, such as "60:84"; null: all."""
    downscale: Annotated[Number, Field(ge=1, le=16)] = 1.0
    """Factor by which footage is downscaled first, to remove coding artefacts."""
    split: Text | None = None
    """Name of the split to use, such as train, of a manifest or of a known dataset; null: all."""


class Reading(Section):
    """How interlaced, HDR and damaged footage is read."""

    deinterlace: Deinterlace | None = None
    """null: interlaced video is refused; auto, bwdif, ivtc: converted to progressive frames; keep: read as stored."""
    tone_map: ToneMap | None = None
    """null: HDR is refused; bt2390: tone-mapped to BT.709; keep: its signal is read as stored."""
    damaged: Damaged | None = None
    """null: damaged files are refused; keep: the frames that can be decoded are read."""


def _default_run_dir(command: str) -> str:
    """results/COMMAND/DATE; in a sweep, the folder of the job."""
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        sweep = HydraConfig.get().sweep
        return str(Path(sweep.dir) / sweep.subdir)
    return f"results/{command}/{datetime.now():%Y-%m-%d_%H-%M-%S}"


def register_resolvers() -> None:
    """Register `default_run_dir` (results/COMMAND/TIME) and `random_id` (random text) for use in yaml files."""
    OmegaConf.register_new_resolver("default_run_dir", _default_run_dir, use_cache=True, replace=True)
    OmegaConf.register_new_resolver("random_id", lambda: secrets.token_hex(4), use_cache=True, replace=True)


register_resolvers()


def model_of(command: str) -> type[Section]:
    """The pydantic model of the configuration of a command: the type that the function `run` of the command takes."""
    module = importlib.import_module(module_name(command))
    return get_type_hints(module.run, include_extras=True)["config"]


def check(command: str, cfg: DictConfig, typed: Sequence[str] = (), prefix: str = "") -> Any:
    """Validate the composed configuration of a command against its pydantic model.

    Args:
        command: name of the command.
        cfg: composed configuration.
        typed: keys that the user set. Errors in their values are reported before errors in others.
        prefix: beginning of the error message.

    Returns:
        An instance of the model.

    Raises:
        UserError: for the first invalid value, or the first key in `typed` that has no effect.
    """
    model = model_of(command)
    ignored: frozenset[str] = getattr(model, "ignored", frozenset())
    for key in typed:
        if key.partition(".")[0] in ignored:
            raise UserError(key, f"has no effect on {command}", "remove it")
    values = {key: value for key, value in resolved(cfg).items() if key not in ignored}
    choices = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    checked = validate(model, values, prefix, typed=typed, meaning_of=lambda key: meaning_of(command, key, choices))
    for unused, reason in checked.without_effect().items():
        for key in (word for word in typed if word == unused or word.startswith(f"{unused}.")):
            raise UserError(key, f"has no effect: {reason}", "" if ";" in reason else "remove it")
    return checked


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """Convert a configuration to plain values, without the keys that are required but not set (???)."""
    try:
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        key = wanted = str(error.full_key)
        source, seen = OmegaConf.to_container(cfg, resolve=False), set[str]()
        while "${" in (value := str(_at(source, wanted))) and wanted not in seen:
            seen.add(wanted)
            wanted = value.partition("${")[2].partition("}")[0]
        if wanted.startswith("oc.env:"):
            raise UserError(wanted[7:], "is not set in the environment", f"run export {wanted[7:]}=VALUE") from error
        if value == "???":
            names = ", ".join(options(wanted))
            raise UserError(wanted, "is required", f"choose one of {names}" if names else f"set {wanted}=") from error
        raise UserError(key, f"refers to {wanted}, which is not set", f"set {key}=") from error
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
