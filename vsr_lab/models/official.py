"""Weights that other projects published, read into the networks of this shelf, every tensor accounted for."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.models.anime_sr import AnimeSr
from vsr_lab.models.basicvsr import BasicVsr

T = TypeVar("T", bound=Network)
Renames = Sequence[tuple[str, str]]  # a pattern at the start of a name, and what it is called here

_BASICVSR: Renames = (
    (r"spynet\.basic_module\.(\d+)\.basic_module\.", r"flow.levels.\1."),
    (r"spynet\.", r"flow."),
    (r"(backward|forward)_trunk\.main\.0\.", r"\1_trunk.entry."),
    (r"(backward|forward)_trunk\.main\.2\.(\d+)\.conv1\.", r"\1_trunk.blocks.\2.first."),
    (r"(backward|forward)_trunk\.main\.2\.(\d+)\.conv2\.", r"\1_trunk.blocks.\2.second."),
    (r"upconv1\.", "enlarger.up.0."),
    (r"upconv2\.", "enlarger.up.1."),
    (r"conv_hr\.", "enlarger.high."),
    (r"conv_last\.", "enlarger.last."),
)
_ANIMESR: Renames = (
    (r"recurrent_cell\.conv_s1_first\.0\.", "entries.0."),
    (r"recurrent_cell\.conv_s2_first\.0\.", "entries.1."),
    (r"recurrent_cell\.conv_s4_first\.0\.", "entries.2."),
    (r"recurrent_cell\.body_s1_first\.(\d+)\.conv1\.", r"bodies.0.\1.first."),
    (r"recurrent_cell\.body_s1_first\.(\d+)\.conv2\.", r"bodies.0.\1.second."),
    (r"recurrent_cell\.body_s2_first\.(\d+)\.conv1\.", r"bodies.1.\1.first."),
    (r"recurrent_cell\.body_s2_first\.(\d+)\.conv2\.", r"bodies.1.\1.second."),
    (r"recurrent_cell\.body_s4_first\.(\d+)\.conv1\.", r"bodies.2.\1.first."),
    (r"recurrent_cell\.body_s4_first\.(\d+)\.conv2\.", r"bodies.2.\1.second."),
    (r"recurrent_cell\.fusion\.0\.", "fusion.0."),
    (r"recurrent_cell\.fusion\.2\.", "fusion.1."),
)


def load_basicvsr(path: Path) -> BasicVsr:
    """BasicVSR x4 with the weights that its authors published in BasicSR's format (.pth, loaded as tensors alone).

    Raises UserError where the file is missing, is none, or holds another network.
    """
    return _filled(BasicVsr(), _read(path), _BASICVSR, path)


def load_animesr(path: Path) -> AnimeSr:
    """AnimeSR v2 x4 with the weights that its authors published. Raises UserError as `load_basicvsr` does."""
    return _filled(AnimeSr(), _read(path), _ANIMESR, path)


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(path, "not found", "give the .pth file with the published weights")
    try:
        loaded: Any = torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # torch has its own kinds for a pickle, a cut and a foreign file
        raise UserError(path, f"holds no plain tensors ({type(error).__name__})", "give the published .pth") from error
    tensors = loaded.get("params", loaded) if isinstance(loaded, dict) else {}
    if not tensors or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise UserError(path, "holds no weights", "give the published .pth")
    return dict(tensors)


def _filled(network: T, tensors: dict[str, Tensor], renames: Renames, path: Path) -> T:
    renamed = {_renamed(name, renames): tensor for name, tensor in tensors.items()}
    try:
        network.load_state_dict(renamed)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[1].strip()
        raise UserError(path, f"holds another network ({reason})", "give the published .pth") from error
    return network.eval()


def _renamed(name: str, renames: Renames) -> str:
    for pattern, ours in renames:
        name, count = re.subn(f"^{pattern}", ours, name)
        if count:
            break
    return name
