"""SPAN: its memory adds nothing until it is trained, its branches fold, its weights come and go in published forms."""

from pathlib import Path

import pytest
import spandrel
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import backward_warp
from vsr_lab.models import Span, SpanStream, add_branches, fold_branches, init_network, save_network
from vsr_lab.models.branches import deploy_published, fit_upsampler, fold_state
from vsr_lab.models.span import warp_unshuffled

MEMORY = ["early.*", "recall.*", "late.*", "correction.*", "gate.*"]


def _published_form(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert the weights of a `Span` to the published format, which spandrel recognises.

    The output is exactly the same.
    """
    made: dict[str, Tensor] = {}
    for name, weight in tensors.items():
        stem = name.removesuffix(".weight")
        if name.startswith(("conv_cat", "upsampler")):
            made[name] = weight
        elif stem != name:
            made |= {f"{stem}.{part}": value for part, value in _conv3xc(weight, tensors[f"{stem}.bias"]).items()}
    return made


def _conv3xc(weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
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


def _random(network: nn.Module, std: float = 0.05) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=std, generator=generator)
    return network


def _clip(*size: int) -> Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def span(tmp_path: Path) -> tuple[Span, Path]:
    torch.manual_seed(0)
    network = Span(4, channels=8)
    _random(network)
    save_network(network, {}, tmp_path / "span.safetensors")
    return network.eval(), tmp_path / "span.safetensors"


def test_a_memory_that_is_not_trained_changes_no_bit(span: tuple[Span, Path]) -> None:
    network, path = span
    stream = SpanStream(4, channels=8)
    left = init_network(stream, path, MEMORY)
    assert {name.split(".")[0] for name in left} == {pattern.split(".")[0] for pattern in MEMORY}
    lr = _clip(1, 4, 3, 12, 10)
    assert torch.equal(stream.eval()(lr), torch.stack([network.frame(frame) for frame in lr.unbind(1)], 1))


def test_the_first_frame_is_left_to_span(span: tuple[Span, Path]) -> None:
    network, path = span
    stream = SpanStream(4, channels=8)
    init_network(stream, path, MEMORY)
    _random(stream)
    lr = _clip(1, 3, 3, 12, 10)
    alone = torch.stack([network.frame(frame) for frame in lr.unbind(1)], 1)
    difference = (stream.eval()(lr) - alone).abs().amax((0, 2, 3, 4))
    assert difference[0] == 0
    assert difference[1:].min() > 1e-4


@pytest.mark.parametrize("scale", [2, 4])
def test_pixels_are_looked_up_as_in_the_large_picture(scale: int) -> None:
    sr = _clip(2, 3, 8 * scale, 6 * scale)
    flow = 4 * _clip(2, 2, 8, 6) - 2
    fine = scale * flow.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    found = warp_unshuffled(sr, flow, scale)
    assert torch.allclose(nn.functional.pixel_shuffle(found, scale), backward_warp(sr, fine), atol=1e-5)


def test_branches_start_at_zero_learn_and_fold(span: tuple[Span, Path]) -> None:
    network, _ = span
    lr = _clip(1, 2, 3, 12, 10)
    before = network(lr)
    add_branches(network)
    assert torch.equal(network(lr), before)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        (network(lr) - 0.5).square().mean().backward()
        optimizer.step()
    trained = network(lr)
    assert (trained - before).abs().max() > 1e-3
    state = fold_state(network.state_dict())
    fold_branches(network)
    assert (network(lr) - trained).abs().max() <= 1e-5
    plain = Span(4, channels=8)
    plain.load_state_dict(state)
    assert torch.equal(plain.eval()(lr), network(lr))


def test_a_checkpoint_with_branches_is_read_without(span: tuple[Span, Path], tmp_path: Path) -> None:
    network, _ = span
    add_branches(network)
    _random(network)
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "last.ckpt")
    plain = Span(4, channels=8)
    assert init_network(plain, tmp_path / "last.ckpt") == []
    lr = _clip(1, 2, 3, 12, 10)
    assert torch.equal(plain.eval()(lr), network(lr))


def test_spandrel_reads_what_is_written_in_its_form(span: tuple[Span, Path], tmp_path: Path) -> None:
    network, _ = span
    written = _published_form(network.state_dict())
    model = spandrel.ModelLoader().load_from_state_dict(dict(written))
    assert (model.architecture.name, model.scale) == ("SPAN", 4)
    frame = _clip(1, 3, 12, 10)
    assert (model.model.eval()(frame) - network.frame(frame)).abs().max() <= 1e-5
    torch.save({"params": written}, tmp_path / "span.pth")
    again = Span(4, channels=8)
    init_network(again, tmp_path / "span.pth")
    assert torch.equal(again.eval().frame(frame), network.frame(frame))


def test_published_branches_fold_as_spandrel_runs_them() -> None:
    from spandrel.architectures.SPAN import SPAN

    torch.manual_seed(0)
    theirs = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2)
    ours = Span(2, channels=8)
    ours.load_state_dict(deploy_published(theirs.state_dict()))
    frame = _clip(1, 3, 12, 10)
    expected = theirs.eval()(frame)
    assert (ours.eval().frame(frame) - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_weights_of_scale_4_give_means_of_their_pixels_at_scale_2(span: tuple[Span, Path]) -> None:
    network, path = span
    half = Span(2, channels=8)
    init_network(half, path)
    frame = _clip(1, 3, 12, 10)
    means = nn.functional.avg_pool2d(network.frame(frame), 2)
    assert (half.eval().frame(frame) - means).abs().max() <= 1e-6
    assert fit_upsampler(tensors := network.state_dict(), 3) is tensors
    with pytest.raises(UserError, match="another architecture"):
        init_network(Span(3, channels=8), path)


def test_a_pattern_without_a_match_is_an_error(span: tuple[Span, Path]) -> None:
    with pytest.raises(UserError, match=r"init_skip=flw\.\*"):
        init_network(SpanStream(4, channels=8), span[1], ["flw.*"])
