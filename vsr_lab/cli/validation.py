"""A value is of the kind that the key's own yaml gives it, and in range: `data.batch_size=many` is a mistake."""

import math

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import OverrideType
from omegaconf import DictConfig, OmegaConf

from vsr_lab.core.errors import UserError, check_range

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
# Those of which null leaves something out, or to Lightning, though their yaml says something.
_MAY_BE_NULL = {"trainer.ema_decay", "trainer.gradient_clip_val", "trainer.accelerator"}
_ANY = math.inf
# key: the least and the largest value that makes sense, whatever the verb.
_RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    "data.size": (8, 4096),
    "data.clip_frames": (1, 10_000),
    "data.batch_size": (1, _ANY),
    "data.workers": (0, _ANY),
    "data.crop_candidates": (1, _ANY),
    "data.downscale": (1e-3, _ANY),
    "data.budget_gib": (1e-3, _ANY),
    "data.hold_out": (0, 0.99),
    "validation.every": (1, _ANY),
    "validation.size": (8, _ANY),
    "validation.frames": (2, _ANY),
    "validation.clips": (1, _ANY),
    "validation.pictures": (0, _ANY),
    "save_every": (1, _ANY),
    "measure_every": (1, _ANY),
    "skip_limit": (0, _ANY),
    "state_reset_prob": (0, 1),
    "optimizer.lr": (0, _ANY),
    "optimizer.weight_decay": (0, _ANY),
    "trainer.max_steps": (1, _ANY),
    "trainer.accumulate_grad_batches": (1, _ANY),
    "trainer.num_nodes": (1, _ANY),
    "trainer.gradient_clip_val": (0, _ANY),
    "trainer.ema_decay": (0, 1),
    "model.channels": (1, _ANY),
    "model.blocks": (0, _ANY),
    "model.layers": (0, _ANY),
    "loss.estimator.shrink": (1, _ANY),
}


def check_kinds(verb: str, cfg: DictConfig) -> None:
    """Hold every override of the running job against the verb's own defaults, and cfg against what makes sense.

    Raises UserError for a misfit.
    """
    overrides = OverridesParser.create().parse_overrides(list(HydraConfig.get().overrides.task))
    groups = HydraConfig.get().runtime.choices
    defaults = compose(verb, [o.input_line or "" for o in overrides if o.key_or_group in groups])
    for override in overrides:
        key = override.key_or_group
        if override.type not in {OverrideType.CHANGE, OverrideType.FORCE_ADD} or key in groups:
            continue
        default = OmegaConf.select(defaults, key, throw_on_missing=False)
        value = override.value()
        if type(default) in _KINDS and not _fits(key, value, default):
            raise UserError(key, f"{value} is not {_KINDS[type(default)]}", f"like {default}")
    for key, (least, most) in _RANGES.items():
        value = OmegaConf.select(cfg, key, throw_on_missing=False)
        if isinstance(value, (int, float)):
            check_range(key, value, least, most)


def _fits(key: str, value: object, default: object) -> bool:
    if value is None:
        return key in _MAY_BE_NULL
    if isinstance(default, str):
        return not isinstance(value, (dict, list))
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, type(default))
    return isinstance(value, (int, float)) if isinstance(default, float) else isinstance(value, int)
