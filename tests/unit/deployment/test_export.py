"""What the base class asks of every exporter, shown on one that writes a single number."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.deployment.export import Exporter, open_onnx, rollout_clip


class Sum(StreamingNetwork):
    """Repeats pixels; each frame is factor times the frame plus a hundredth of all before it."""

    def __init__(self, factor: float = 1.0, scale: int = 2, memory: float = 1.0) -> None:
        super().__init__()
        self.factor = factor
        self.scale = scale
        self.memory = memory

    def zero_state(self, lr: Tensor) -> State:
        return (torch.zeros_like(lr),)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        total = state[0] * self.memory + lr / 100
        sr = (self.factor * lr + total).repeat_interleave(self.scale, -1).repeat_interleave(self.scale, -2)
        return sr, (total,)


class Number(Exporter):
    """Writes the factor; what comes back is up to `rebuild`."""

    format = "number"
    file = "number.txt"

    def __init__(self, rebuild: Callable[[float], StreamingNetwork] = Sum, frames: int = 12) -> None:
        super().__init__(tolerance=1e-4, frames=frames)
        self.rebuild = rebuild

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        assert isinstance(network, Sum)
        path.write_text(str(network.factor))

    def load(self, path: Path) -> StreamingNetwork:
        return self.rebuild(float(path.read_text()))


def test_a_faithful_graph_stays_and_its_parity_is_told(tmp_path: Path) -> None:
    parity = Number().export(Sum(0.5), tmp_path)
    equal = {"worst": 0, "worst_frame": 0, "psnr": None}
    sizes = [{"width": width, "height": height, **equal} for width, height in ((64, 48), (96, 72), (161, 121))]
    own = {"format": "number", "precision": "fp32", "tolerance": 1e-4, "frames": 12, "sizes": sizes, "streaming": None}
    assert parity.model_dump() == own | equal
    assert (tmp_path / "number.txt").read_text() == "0.5"


@pytest.mark.parametrize(
    "rebuild",
    [
        lambda factor: Sum(factor + 0.01),
        lambda factor: Sum(factor, memory=0.0),
        lambda factor: Sum(float("nan")),
        lambda factor: Sum(factor, scale=3),
    ],
    ids=["strays", "forgets", "is not finite", "has another scale"],
)
def test_a_graph_that_differs_is_refused_and_removed(
    tmp_path: Path, rebuild: Callable[[float], StreamingNetwork]
) -> None:
    with pytest.raises(Refusal, match="nothing was exported"):
        Number(rebuild).export(Sum(0.5), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_lower_precision_is_judged_by_psnr(tmp_path: Path) -> None:
    def half(rebuild: Callable[[float], StreamingNetwork]) -> Number:
        exporter = Number(rebuild)
        exporter.precision = "fp16"
        return exporter

    near = half(lambda factor: Sum(factor + 2e-3)).export(Sum(0.5), tmp_path)
    assert near.worst > 1e-3 and near.psnr and near.psnr > 50
    assert min(size.psnr or 0 for size in near.sizes) == near.psnr
    for wrong in (lambda factor: Sum(factor + 1e-2), lambda _: Sum(float("nan")), lambda factor: Sum(factor, scale=3)):
        with pytest.raises(Refusal, match=r"dB to the network in fp32 .*at least 50 required"):
            half(wrong).export(Sum(0.5), tmp_path)


def test_a_drift_that_grows_is_found_by_a_longer_rollout(tmp_path: Path) -> None:
    def leaking(factor: float) -> StreamingNetwork:
        return Sum(factor, memory=0.999)

    Number(leaking, frames=3).export(Sum(0.5), tmp_path)
    with pytest.raises(Refusal, match="at frame 39 of 40"):
        Number(leaking, frames=40).export(Sum(0.5), tmp_path)


def test_the_rollout_is_repeatable_moves_flashes_and_cuts() -> None:
    clip = rollout_clip(12, 20, 27)
    assert clip.shape == (12, 3, 20, 27)
    assert torch.equal(clip, rollout_clip(12, 20, 27))
    assert clip.min() >= 0 and clip.max() <= 1
    assert clip[4].min() == 1
    changes = (clip[1:] - clip[:-1]).abs().mean((1, 2, 3))
    assert changes.min() > 0.05, "every frame moves"
    assert (clip[6] - (1 - clip[6])).abs().max() > 0.5


# Opening graphs


def test_a_missing_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        open_onnx(tmp_path / "a.onnx")


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"not a graph")
    with pytest.raises(UserError, match="is not an ONNX file"):
        open_onnx(tmp_path / "a.onnx")
