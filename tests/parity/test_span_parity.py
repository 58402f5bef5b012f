"""SPAN against its authors' weights, and what half precision costs them. They do not travel with the repository."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from vsr_lab.models import Span, SpanStream, init_network

WEIGHTS = Path(__file__).parents[3] / "shared/weights"
FILES = {"span_ch28_x4": (28, 4), "span_ch48_x4": (48, 4), "span_ch48_x2": (48, 2)}
MEMORY = ["early.*", "recall.*", "late.*", "correction.*", "gate.*"]


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest) -> tuple[Path, int, int]:
    path = WEIGHTS / f"{request.param}.safetensors"
    if not path.is_file():
        pytest.skip(f"no published weights at {path}: nothing was compared")
    return path, *FILES[request.param]


def _frames() -> Tensor:
    """Smooth and sharp structure, 2 frames that move."""
    texture = torch.rand(1, 3, 12, 14, generator=torch.Generator().manual_seed(0))
    picture = F.interpolate(texture, scale_factor=4, mode="bicubic").clamp(0, 1)
    return torch.stack([picture, picture.roll((1, 2), (2, 3))], 1)


def _as_published(lr: Tensor, tensors: dict[str, Tensor], scale: int) -> Tensor:
    """The paper's figure 2, written from shared/weights/README.md: the reference that `Span` is held against."""

    def conv(x: Tensor, name: str, padding: int = 1) -> Tensor:
        return F.conv2d(x, tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float(), padding=padding)

    first = y = conv((lr - torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)) * 255, "conv_1")
    outputs = []
    a = y
    for i in range(1, 7):
        a = F.silu(conv(y, f"block_{i}.c1_r"))
        t = conv(F.silu(conv(a, f"block_{i}.c2_r")), f"block_{i}.c3_r")
        y = (t + y) * (torch.sigmoid(t) - 0.5)
        outputs.append(y)
    together = torch.cat([first, conv(y, "conv_2"), outputs[0], a], 1)
    return F.pixel_shuffle(conv(conv(together, "conv_cat", 0), "upsampler.0"), scale)


@pytest.mark.parametrize("memory", [False, True])
def test_published_weights_give_what_their_paper_says(file: tuple[Path, int, int], memory: bool) -> None:
    path, channels, scale = file
    network = SpanStream(scale, channels) if memory else Span(scale, channels)
    init_network(network, path, MEMORY if memory else [])
    lr = _frames()
    expected = torch.stack([_as_published(frame, load_file(path), scale) for frame in lr.unbind(1)], 1)
    with torch.inference_mode():
        assert (network.eval()(lr) - expected).abs().max() <= 2e-6
    upscaled = F.interpolate(lr[0], scale_factor=scale, mode="bicubic")
    assert (expected[0] - upscaled).abs().mean() < 0.03, "a picture, and this one"


def test_half_precision_keeps_the_picture(file: tuple[Path, int, int]) -> None:
    """The first and the last layers run in float32: 51 dB from float32 without that, 55 with it."""
    path, channels, scale = file
    network = Span(scale, channels)
    init_network(network, path)
    lr = _frames()
    with torch.inference_mode():
        full = network.eval()(lr)
        with torch.autocast("cpu", torch.bfloat16):
            half = network(lr)
        psnr = -10 * torch.log10((half - full).square().mean())
    assert half.dtype == torch.float32
    assert psnr > 54, psnr
