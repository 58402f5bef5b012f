"""Conversion of SPAN's weights from and to the published format, and to another scale."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.models.branches import merged_weight

Tensors = dict[str, Tensor]


def deploy_published(tensors: Tensors) -> Tensors:
    """Merge every Conv3XC of published training weights into one 3x3 convolution.

    Merged weights are returned unchanged. A Conv3XC has the branches 1x1-3x3-1x1 and 1x1.
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


def to_published(tensors: Tensors) -> Tensors:
    """Convert the weights of a `Span` to the published format, which spandrel recognises.

    The output is exactly the same.
    """
    made: Tensors = {}
    for name, weight in tensors.items():
        stem = name.removesuffix(".weight")
        if name.startswith(("conv_cat", "upsampler")):
            made[name] = weight
        elif stem != name:
            made |= {f"{stem}.{part}": value for part, value in _conv3xc(weight, tensors[f"{stem}.bias"]).items()}
    return made


def _conv3xc(weight: Tensor, bias: Tensor) -> Tensors:
    """A Conv3XC that is equal to a 3x3 convolution: its other layers are identities."""
    outputs, inputs = weight.shape[:2]
    entry, leave = (F.pad(torch.eye(n).to(weight), (0, 0, 0, n))[..., None, None] for n in (inputs, outputs))
    return {
        "conv.0.weight": entry,
        "conv.0.bias": weight.new_zeros(2 * inputs),
        "conv.1.weight": F.pad(weight, (0, 0, 0, 0, 0, inputs, 0, outputs)),
        "conv.1.bias": weight.new_zeros(2 * outputs),
        "conv.2.weight": leave.transpose(0, 1),
        "conv.2.bias": bias,
        "sk.weight": weight.new_zeros(outputs, inputs, 1, 1),
        "sk.bias": torch.zeros_like(bias),
        "eval_conv.weight": weight,
        "eval_conv.bias": bias,
    }


def fit_upsampler(tensors: Tensors, scale: int) -> Tensors:
    """Convert weights to a divisor of their scale, by averaging the output pixels of the last convolution."""
    layers = {n: t for n, t in tensors.items() if n.startswith("upsampler.0.")}
    theirs = round((len(layers.get("upsampler.0.weight", ())) / 3) ** 0.5)
    if theirs <= scale or theirs % scale:
        return tensors
    ratio = theirs // scale
    means = {n: t.unflatten(0, (3, scale, ratio, scale, ratio)).mean((2, 4)).flatten(0, 2) for n, t in layers.items()}
    return {**tensors, **means}
