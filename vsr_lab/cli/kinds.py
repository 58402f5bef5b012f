"""A value has to be of the kind that the key's own yaml gives it: `data.batch_size=many` is a mistake."""

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import OverrideType
from omegaconf import OmegaConf

from vsr_lab.core.errors import UserError

_KINDS = {bool: "true or false", int: "a whole number", float: "a number"}


def check_kinds(verb: str) -> None:
    """Hold every override of the running job against the verb's own defaults. Raises UserError for a misfit."""
    overrides = OverridesParser.create().parse_overrides(list(HydraConfig.get().overrides.task))
    groups = HydraConfig.get().runtime.choices
    defaults = compose(verb, [o.input_line or "" for o in overrides if o.key_or_group in groups])
    for override in overrides:
        if override.type != OverrideType.CHANGE or override.key_or_group in groups:
            continue
        default = OmegaConf.select(defaults, override.key_or_group, throw_on_missing=False)
        value = override.value()
        if type(default) in _KINDS and not _fits(value, default):
            raise UserError(override.key_or_group, f"{value} is not {_KINDS[type(default)]}", f"like {default}")


def _fits(value: object, default: object) -> bool:
    if value is None or isinstance(default, bool) or isinstance(value, bool):
        return value is None or isinstance(value, type(default))
    return isinstance(value, (int, float)) if isinstance(default, float) else isinstance(value, int)
