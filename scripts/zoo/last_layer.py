"""Fits the last convolution of a `Span` to a content type: linear least squares, solved exactly, in seconds.

    python scripts/zoo/last_layer.py PACK.tar WEIGHTS.safetensors OUT.safetensors scale=2 content=animation [frames=4]

WEIGHTS: published SPAN, of this scale or of one that it divides. Every clip weighs as much as a decibel of it is worth
(the inverse of its squared error). How far the weights may move (`RIDGE`) is chosen on the clips for validation. If
more than half of these are below the start, nothing is written.
"""

import sys
from copy import deepcopy
from pathlib import Path

import torch
import torch.nn.functional as F
from packed import Clip, read_pack
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.resize import imresize
from vsr_lab.metrics import psnr
from vsr_lab.models import Interpolation, Span, init_network, save_network
from vsr_lab.models.files import read_weights

RIDGE = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)  # of the change of the weights, over the variance of what they multiply


def pair(clip: Clip, scale: int, frames: int) -> tuple[Tensor, Tensor]:
    """lr and hr of some frames, spread over the clip: N 3 h w and N 3 sh sw."""
    hr = clip.hr[:: max(len(clip.hr) // frames, 1)][:frames].float() / 255
    return quantise(imresize(hr, 1 / scale)), hr


@torch.no_grad()
def normal_equations(network: Span, clips: list[Clip], frames: int) -> tuple[Tensor, Tensor]:
    """X'X and X'(Y - XW) of the last convolution, each clip weighed by the inverse of its squared error."""
    gram = right = torch.zeros((), dtype=torch.float64)
    for clip in clips:
        lr, hr = pair(clip, network.scale, frames)
        features = network.deep(network.shallow(lr))
        error = F.pixel_unshuffle(hr, network.scale) - network.pixels(features)
        columns = F.unfold(features, 3, padding=1).transpose(0, 1).flatten(1)
        rows = torch.cat([columns, torch.ones_like(columns[:1])])
        weight = 1 / (error.square().mean() + 1e-6) / rows.shape[1]
        gram = gram + (weight * rows @ rows.T).double()
        right = right + (weight * rows @ error.transpose(0, 1).flatten(1).T).double()
    return gram, right


def fitted(network: Span, gram: Tensor, right: Tensor, ridge: float) -> Span:
    """network with its last convolution moved towards the least squared error."""
    change = torch.linalg.solve(gram + ridge * torch.diag(gram.diagonal()), right).float()
    made = deepcopy(network)
    conv = made.upsampler[0]
    with torch.no_grad():
        conv.weight += change[:-1].T.view_as(conv.weight)
        conv.bias += change[-1]
    return made


@torch.no_grad()
def judged(network: Span | Interpolation, clips: list[Clip], frames: int) -> Tensor:
    """PSNR-Y of every clip."""
    pairs = (pair(clip, network.scale, frames) for clip in clips)
    return torch.stack([psnr(quantise(network.frame(lr))[None], hr[None], "y").mean() for lr, hr in pairs])


def main(pack: Path, published: Path, out: Path, scale: int, content: str, frames: int) -> None:
    """Fit, choose, judge and write."""
    network = Span(scale, len(read_weights(published)["conv_1.bias"]))
    init_network(network, published)
    clips = [clip for clip in read_pack(pack)[0] if content in (clip.content, "mixed")]
    train, held = ([clip for clip in clips if clip.split == split] for split in ("train", "validation"))
    equations = normal_equations(network, train, frames)
    choices = {ridge: fitted(network, *equations, ridge) for ridge in RIDGE}
    scores = {ridge: judged(made, held, frames) for ridge, made in choices.items()}
    ridge = max(scores, key=lambda value: float(scores[value].mean()))
    start, bicubic = judged(network, held, frames), judged(Interpolation(scale), held, frames)
    print(f"{out.stem}: ridge {ridge:g}; PSNR-Y of bicubic, start, fitted, by clip:")
    for rows in zip((clip.source for clip in held), bicubic, start, scores[ridge], strict=True):
        print(f"  {rows[0]:36} " + " ".join(f"{value:.2f}" for value in rows[1:]))
    if 2 * int((scores[ridge] >= start).sum()) >= len(held):
        about = {"name": out.stem, "content": content, "scale": scale, "init_from": published.stem, "ridge": ridge}
        save_network(choices[ridge].half(), about, out)


if __name__ == "__main__":
    options = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
    main(
        *(Path(word) for word in sys.argv[1:] if "=" not in word),
        scale=int(options["scale"]),
        content=options["content"],
        frames=int(options.get("frames", 4)),
    )
