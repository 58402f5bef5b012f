"""Parallel branches of convolutions, which are used in training and merged afterwards; SPAN's published weights."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

_GAIN = 2  # channels inside a branch, times those outside
_MARK = ".parametrizations.weight."  # in the names of torch's state_dict
_BRANCHES = ("narrow", "middle", "wide", "point")


class Branches(nn.Module):
    """Parametrisation of the weight of a 3x3 convolution in training, as if it had two parallel branches.

    One branch consists of a 1x1, a 3x3 and a 1x1 convolution, the other of a 1x1 convolution. The branches are linear,
    so the original convolution and the branches together are one 3x3 convolution. Its weight is computed from the
    original weight and the weights of the branches, which is much faster than computing the outputs of the branches.
    Initially, the branches add zero.

    Args:
        weight: weight of the convolution, (out, in, 3, 3); only its shape is used.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        outputs, inputs = weight.shape[:2]
        self.narrow = nn.Parameter(torch.empty(_GAIN * inputs, inputs, 1, 1))
        self.middle = nn.Parameter(torch.empty(_GAIN * outputs, _GAIN * inputs, 3, 3))
        self.wide = nn.Parameter(torch.zeros(outputs, _GAIN * outputs, 1, 1))
        self.point = nn.Parameter(torch.zeros(outputs, inputs, 1, 1))
        nn.init.kaiming_uniform_(self.narrow, a=5**0.5)
        nn.init.kaiming_uniform_(self.middle, a=5**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + merged_weight(self.narrow, self.middle, self.wide, self.point)


def merged_weight(narrow: Tensor, middle: Tensor, wide: Tensor, point: Tensor) -> Tensor:
    """Merge the weights of a 1x1-3x3-1x1 branch (narrow, middle, wide) and a 1x1 branch (point) into one 3x3 weight."""
    row = torch.einsum("om,mnhw,ni->oihw", wide[..., 0, 0], middle, narrow[..., 0, 0])
    return row + F.pad(point, (1, 1, 1, 1))


def add_branches(network: nn.Module) -> None:
    """Add `Branches` to every 3x3 convolution without groups, in place. This does not change the network's output."""
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3) and module.groups == 1:
            branches = Branches(module.weight).to(module.weight)
            parametrize.register_parametrization(module, "weight", branches)


def fold_branches(network: nn.Module) -> None:
    """Merge the `Branches` of every convolution into its weight, in place. The network's output does not change."""
    for module in list(network.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def fold_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert the state_dict of a network with `Branches` to that of the network after `fold_branches`.

    A state_dict without `Branches` is returned unchanged.
    """
    made: dict[str, Tensor] = {}
    for name, tensor in state.items():
        stem, mark, part = name.partition(_MARK)
        if not mark:
            made[name] = tensor
        elif part == "original":
            branches = (state[f"{stem}{mark}0.{branch}"] for branch in _BRANCHES)
            made[f"{stem}.weight"] = tensor + merged_weight(*branches)
    return made


Tensors = dict[str, Tensor]


def deploy_published(tensors: Tensors) -> Tensors:
    """Convert SPAN's published training weights for inference: merge every Conv3XC into one 3x3 convolution.

    A Conv3XC is a block with two parallel branches, 1x1-3x3-1x1 and 1x1. Weights that are already merged are returned
    unchanged.
    """
    stems = [name.removesuffix(".sk.weight") for name in tensors if name.endswith(".sk.weight")]
    kept = {n: t for n, t in tensors.items() if n != "no_norm" and not n.startswith(tuple(f"{s}." for s in stems))}
    for stem in stems:
        rows = [(tensors[f"{stem}.conv.{i}.weight"], tensors[f"{stem}.conv.{i}.bias"]) for i in range(3)]
        (narrow, first), (middle, second), (wide, third) = rows
        bias = middle.sum((2, 3)) @ first + second
        kept[f"{stem}.weight"] = merged_weight(narrow, middle, wide, tensors[f"{stem}.sk.weight"])
        kept[f"{stem}.bias"] = wide[..., 0, 0] @ bias + third + tensors[f"{stem}.sk.bias"]
    return kept


def fit_upsampler(tensors: Tensors, scale: int) -> Tensors:
    """Convert the weights of SPAN to a smaller scale, by averaging the output pixels of the last convolution.

    Args:
        tensors: weights of SPAN.
        scale: new scale. The weights are returned unchanged unless their scale is a larger multiple of the new scale.
    """
    layers = {n: t for n, t in tensors.items() if n.startswith("upsampler.0.")}
    theirs = round((len(layers.get("upsampler.0.weight", ())) / 3) ** 0.5)
    if theirs <= scale or theirs % scale:
        return tensors
    ratio = theirs // scale
    means = {n: t.unflatten(0, (3, scale, ratio, scale, ratio)).mean((2, 4)).flatten(0, 2) for n, t in layers.items()}
    return {**tensors, **means}
