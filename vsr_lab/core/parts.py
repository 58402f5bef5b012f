"""Parts: objects that the configuration describes by `_target_` and keywords, validated before they are built.

`_target_` may name a class in `CLASSES`, or a class or function of the modules in `PACKAGES`, of the libraries in
`LIBRARIES`, or of a package that registers itself by the entry point `vsr_lab.parts`. A function of vsr_lab must return
an object or a score. Keywords are validated against the annotations of the class or function.
"""

import importlib
import inspect
import sys
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import AllowInfNan, BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError, create_model

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import missing_parent

T = TypeVar("T")
PACKAGES = (  # of this one; the others have functions that write or remove files
    "vsr_lab.core.flow.",
    "vsr_lab.core.raft.",
    "vsr_lab.degradations.",
    "vsr_lab.deployment.export.",
    "vsr_lab.deployment.planning.encoding.",
    "vsr_lab.evaluation.",
    "vsr_lab.losses.",
    "vsr_lab.metrics.",
    "vsr_lab.models.",
    "vsr_lab.synthesis.",
    "vsr_lab.training.",
)
# Of those packages: what writes, renames or removes files at a path that a configuration names.
_WRITERS = ("vsr_lab.training.checkpoints.", "vsr_lab.training.csv_log.", "vsr_lab.training.train.")
LIBRARIES = ("torch.optim.", "pytorch_lightning.strategies.", "schedulefree.")
# Other loggers and callbacks of Lightning write or remove files at a path of the configuration or of a checkpoint.
_CALLBACKS = (
    "DeviceStatsMonitor EarlyStopping GradientAccumulationScheduler LearningRateMonitor ModelSummary RichModelSummary "
    "StochasticWeightAveraging ThroughputMonitor Timer"
)
CLASSES = {
    *(f"pytorch_lightning.loggers.{name}Logger" for name in ["Comet", "MLFlow", "Neptune", "TensorBoard", "Wandb"]),
    *(f"pytorch_lightning.callbacks.{name}" for name in _CALLBACKS.split()),
}


class PartError(ValueError):
    """Error in the description of a part (an object that a configuration defines by `_target_`).

    Args:
        error: an item of pydantic's `ValidationError.errors()`; its location is the key relative to the part.
    """

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["msg"])
        self.error = error


@dataclass(frozen=True)
class Part(Generic[T]):
    """Description of an object in a configuration: class or function and keyword arguments, validated, not yet built.

    Attributes:
        target: the class or function.
        keywords: its keyword arguments.
        partial: `build` returns functools.partial(target, **keywords) instead of calling target.
    """

    target: Callable[..., T]
    keywords: Mapping[str, Any]
    partial: bool = False

    def build(self) -> T:
        """Build the object; parts among its keyword arguments are built first.

        Raises UserError if a class of vsr_lab raises ValueError or RuntimeError, or another class any exception.
        """
        keywords = {name: _built(value) for name, value in self.keywords.items()}
        is_own = self.target.__module__.startswith("vsr_lab.")
        expected = (ValueError, RuntimeError) if is_own else (Exception,)
        try:
            return cast(T, partial(self.target, **keywords)) if self.partial else self.target(**keywords)
        except (UserError, ImportError):
            raise
        except expected as error:
            reason = str(error).strip().partition("\n")[0]
            raise UserError(f"configuration of {public_name(self.target)}", reason, "correct this value") from error


def parse_part(node: object, base: type[T] | None = None) -> Part[T]:
    """Validate a configuration node with `_target_` against the signature of the class or function that it names.

    Args:
        node: {"_target_": "package.Class", keyword: value, ...}; with `_partial_: true`, `build` returns a factory.
        base: required base class of the object; None: any class. A protocol is not checked.

    Returns:
        The validated part, not yet built.

    Raises:
        PartError: a value is invalid. The error contains the key relative to `node`.
        ModuleNotFoundError: a package that the class needs is not installed.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        rest = "not null; to leave it out, type ~KEY" if node is None else "such as {_target_: package.Class}"
        raise _error((), f"must be a mapping with _target_, {rest}", node)
    given = {str(name): value for name, value in cast(Mapping[str, Any], node).items()}
    name, is_partial = given.pop("_target_"), given.pop("_partial_", False)
    target = locate(name)
    if base is not None and not _makes(target, base):
        raise _error(("_target_",), f"{name} is not a {base.__name__}", name)
    try:
        checked = keywords_of(target, bool(is_partial)).model_validate(given)
    except ValidationError as error:
        # a misspelt key is both unknown and missing
        worst = min(error.errors(), key=lambda one: one["type"] == "missing")
        first = {**worst, "siblings": list(keywords_of(target, bool(is_partial)).model_fields)}
        raise PartError(first) from error
    names = [*type(checked).model_fields, *(checked.model_extra or {})]  # model_fields_set has no fixed order
    keywords = {key: getattr(checked, key) for key in names if key in checked.model_fields_set}
    return Part(target, keywords, bool(is_partial))


def describes(base: type | None = None) -> BeforeValidator:
    """Pydantic validator for a field of type `Part`: it accepts a mapping with `_target_`, or a `Part`.

    Args:
        base: required base class, or None. An object of this class is accepted too, unless the class is a protocol.

    Example: Annotated[Part[Gate], describes(Gate)]
    """

    def check(value: object) -> object:
        if base is None or isinstance(value, Mapping) or _is_protocol(base):
            return value if isinstance(value, Part) else parse_part(value, base)
        return value if isinstance(value, (Part, base)) else parse_part(value, base)

    made: dict[str, Any] = {"part": base.__name__ if base else "any"}
    return BeforeValidator(check, json_schema_input_type=Annotated[dict[str, Any], Field(json_schema_extra=made)])


def public_name(target: Callable[..., Any]) -> str:
    """Dotted name under which a class or function is exported, such as vsr_lab.models.Compact."""
    package, _, _ = target.__module__.rpartition(".")
    is_offered = getattr(sys.modules.get(package), target.__qualname__, None) is target
    return f"{package if is_offered else target.__module__}.{target.__qualname__}"


def _error(path: tuple[str, ...], message: str, value: object) -> PartError:
    return PartError({"type": "value_error", "loc": path, "msg": message, "input": value, "ctx": {"error": message}})


def _built(value: Any) -> Any:
    match value:
        case Part():
            return value.build()
        case list() | tuple():
            return type(value)(_built(item) for item in value)
        case {"_target_": _}:  # where the annotation says nothing
            return parse_part(value).build()
        case dict():
            return {key: _built(item) for key, item in value.items()}
        case _:
            return value


def locate(name: object) -> Callable[..., Any]:
    """Import the public class or function `name` of an allowed package. Nothing else is imported."""
    module, _, attribute = str(name).rpartition(".")
    if not module or attribute.startswith("_") or not _is_allowed(str(name)):
        raise _error(("_target_",), f"{name} cannot be used in a configuration, {_ALLOWED}", name)
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ModuleNotFoundError as error:
        if "." in (error.name or ""):  # of a package that is installed
            raise _error(("_target_",), f"{name}: there is no module {module}", name) from error
        raise  # a package that is not installed: the command line names the extra that brings it
    if not (inspect.isclass(found) or inspect.isfunction(found)) or not (
        name in CLASSES or _is_allowed(f"{found.__module__}.")
    ):
        raise _error(("_target_",), f"{module} has no class or function {attribute}", name)
    if inspect.isfunction(found) and found.__module__.startswith("vsr_lab.") and not _makes_parts(found):
        raise _error(("_target_",), f"{name} cannot be used in a configuration, {_ALLOWED}", name)
    return found


def _makes_parts(function: Callable[..., Any]) -> bool:
    """Whether a function of this package returns an object or a score. Other functions write files, or read them."""
    made = _hints(function).get("return")
    made = get_origin(made) or made
    return made is Callable or (
        inspect.isclass(made) and (made.__module__ == "torch" or _is_allowed(f"{made.__module__}."))
    )


def _is_allowed(name: str) -> bool:
    if name == "vsr_lab.deployment.Encoding" or name in CLASSES:
        return True
    return name.startswith((*PACKAGES, *LIBRARIES, *registered_packages())) and not name.startswith(_WRITERS)


@cache
def registered_packages() -> tuple[str, ...]:
    """Name prefixes, such as "my_package.", of the packages whose classes a configuration may name in `_target_`.

    To register a package, add an entry point to its pyproject.toml, such as `my_parts = "my_package"` in the table
    `[project.entry-points."vsr_lab.parts"]`.
    """
    return tuple(f"{point.module.partition('.')[0]}." for point in entry_points(group="vsr_lab.parts"))


def _is_protocol(base: type) -> bool:
    return bool(getattr(base, "_is_protocol", False)) or base.__name__ == "Callable"


def _makes(target: Callable[..., Any], base: type) -> bool:
    """Whether calling target returns an object of base, according to its annotations."""
    made = target if inspect.isclass(target) else get_type_hints(target).get("return", Any)
    made = get_origin(made) or made
    if _is_protocol(base) or not inspect.isclass(made):
        return True
    return issubclass(made, base)


@cache
def keywords_of(target: Callable[..., Any], is_partial: bool) -> type[BaseModel]:
    """Pydantic model of the keywords of target.

    is_partial: if True, all keywords are optional, since the caller of the factory provides the missing ones.
    """
    call = target.__init__ if inspect.isclass(target) else target
    hints = _hints(call)
    fields: dict[str, Any] = {}
    extra: Literal["allow", "forbid"] = "forbid"
    for name, parameter in inspect.signature(target).parameters.items():
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            extra = "allow" if parameter.kind == parameter.VAR_KEYWORD else extra
            continue
        default = parameter.default
        if default is parameter.empty:
            default = None if is_partial else ...
        fields[name] = (config_type(hints.get(name, Any)), default)
    config = ConfigDict(extra=extra, arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(getattr(target, "__name__", "Part"), __config__=config, **fields)


def _hints(call: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(call, include_extras=True)
    except NameError:  # a library's annotation of what it imports for type checkers alone
        return {}


def config_type(hint: Any) -> Any:
    """Type by which pydantic validates the value of a constructor's parameter in a configuration.

    Numbers are not converted to booleans, nor booleans to numbers. For a parameter of type str, numbers are converted
    to text. If the type is another class, such as Network, the value must describe an object of this class (`Part`).

    Args:
        hint: type annotation of the parameter.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin is Annotated:
        return Annotated[(config_type(arguments[0]), *hint.__metadata__)]
    if origin in {Union, types.UnionType}:
        return Union[tuple(config_type(argument) for argument in arguments)]  # noqa: UP007
    if origin is Literal or hint in {Any, None, type(None)}:
        return hint
    if origin in _CONTAINERS:
        inner = tuple(a if a is Ellipsis else config_type(a) for a in arguments)
        return _CONTAINERS[origin][inner]
    if inspect.isclass(hint) and not issubclass(hint, BaseModel):
        return Annotated[Any, describes(hint)]
    return Any


def _text(value: object) -> object:
    """Convert a name such as 2024 or 007, which YAML reads as a number, to text."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _path(value: object) -> object:
    value = _text(value)
    if isinstance(value, str) and (not value.strip() or "\0" in value or value == "-"):
        raise ValueError(f"must be a path of a file or folder, got {value!r}")
    if isinstance(value, str) and "://" in value:
        raise ValueError(f"must be a path on this machine, got the URL {value}")
    if isinstance(value, str) and (missing := missing_parent(Path(value))):
        raise ValueError(f"leads through {missing}, which does not exist, got {value}")
    return Path(value) if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1), BeforeValidator(_text)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Number = Annotated[float, Strict(), AllowInfNan(False)]
_ALLOWED = "only classes and functions of vsr_lab, torch.optim and Lightning can"
_CONTAINERS: dict[Any, Any] = {
    list: list,
    tuple: tuple,
    dict: dict,
    Mapping: dict,
    Sequence: list,
    Collection: list,
    Iterable: list,
}
_PLAIN: dict[Any, Any] = {
    int: Annotated[int, Strict()],
    bool: Annotated[bool, Strict()],
    float: Number,
    str: Annotated[str, BeforeValidator(_text)],  # of libraries, to some of which "" means something
    Path: FilePath,
}
