"""Conversion of SPAN's weights from and to the published format, and to another scale."""

from torch import Tensor

from vsr_lab.models.branches import merged_weight

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
    """Convert SPAN's weights to a smaller scale, by averaging the output pixels of the last convolution.

    Args:
        tensors: weights of SPAN.
        scale: new scale. The weights are returned unchanged if their scale is not a multiple of it, or is equal to it.
    """
    layers = {n: t for n, t in tensors.items() if n.startswith("upsampler.0.")}
    theirs = round((len(layers.get("upsampler.0.weight", ())) / 3) ** 0.5)
    if theirs <= scale or theirs % scale:
        return tensors
    ratio = theirs // scale
    means = {n: t.unflatten(0, (3, scale, ratio, scale, ratio)).mean((2, 4)).flatten(0, 2) for n, t in layers.items()}
    return {**tensors, **means}
