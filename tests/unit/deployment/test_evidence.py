"""Evidence mode: the original beside the prediction, and where the prediction can be trusted."""

import csv
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.resize import imresize
from vsr_lab.deployment import Bundle, Encoding, upscale
from vsr_lab.deployment.pipeline.evidence import FlipEnsemble, uncertainty
from vsr_lab.video import VideoFile
from vsr_lab.video.disclosure import find_disclosure

WriteVideo = Callable[..., Path]
TIMES = [0, 0.04, 0.2, 0.24, 0.5, 0.51, 2.0, 2.04]
EVIDENCE = Encoding(codec="ffv1", pixel_format="bgr0", evidence=True)


class Sloped(StreamingNetwork):
    """x2, brighter to the right, and by the mean of the previous frame: it changes with the mirror image."""

    scale = 2

    def zero_state(self, lr: Tensor) -> State:
        return (lr.new_zeros(len(lr), 3, 1, 1),)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        sr = torch.nn.functional.interpolate(lr, scale_factor=2.0)
        return sr + 0.1 * torch.linspace(0, 1, sr.shape[-1]) + 0.01 * state[0], (lr.mean((2, 3), keepdim=True),)


@pytest.fixture
def honest(bundle: Bundle) -> Bundle:
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"trained_with": "fidelity"}))


@pytest.fixture
def source(write_video: WriteVideo, moving: Callable[..., Tensor]) -> Path:
    """Eight frames of 96 x 160 at uneven times."""
    return write_video("in/source.mkv", to_frames(moving(8, 96, 160)), TIMES)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "large.mkv"


def test_the_original_is_beside_the_prediction(honest: Bundle, source: Path, output: Path, tmp_path: Path) -> None:
    provenance = upscale(honest, source, output, encoding=EVIDENCE)
    upscale(honest, source, tmp_path / "plain.mkv", encoding=replace(EVIDENCE, evidence=False))
    made, plain, lr = (VideoFile(path).read(0, 8).frames for path in (output, tmp_path / "plain.mkv", source))
    free = slice(0, 150)  # rows above the label
    assert made.shape == (8, 192, 640, 3)
    assert np.array_equal(made[:, free, 320:], plain[:, free])
    assert np.array_equal(made[:, free, :320], to_frames(imresize(to_tensor(lr), 2))[:, free])
    assert not np.array_equal(made[:, 170:, 320:], plain[:, 170:])
    assert "not recorded fact" in provenance.plan.video.label and provenance.plan.evidence


def test_the_list_of_frames_identifies_each(honest: Bundle, source: Path, output: Path) -> None:
    upscale(honest, source, output, encoding=EVIDENCE)
    with output.with_name("large.mkv.frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    frames = VideoFile(source).read(0, 8).frames
    assert [row["source_frame"] for row in rows] == [row["frame"] for row in rows] == [str(n) for n in range(8)]
    assert [float(row["seconds"]) for row in rows] == pytest.approx(TIMES, abs=1e-3)
    assert [row["source_sha256"] for row in rows] == [hashlib.sha256(frame.tobytes()).hexdigest() for frame in frames]
    assert all(0 < float(row["confidence"]) < 1 for row in rows)


def test_the_confidence_map_has_the_times_of_the_output(honest: Bundle, source: Path, output: Path) -> None:
    upscale(honest, source, output, encoding=EVIDENCE)
    path = output.with_name("large.mkv.confidence.mp4")
    probe = VideoFile(path).probe
    assert (probe.codec, probe.pixel_format, probe.size) == ("h264", "yuv420p", (192, 320))
    assert probe.timestamps == pytest.approx(TIMES, abs=1e-3)
    assert find_disclosure(path)
    assert sorted(file.name for file in output.parent.iterdir()) == [
        *("large.mkv", "large.mkv.confidence.mp4", "large.mkv.frames.csv", "large.mkv.provenance.json"),
    ]


@pytest.mark.parametrize("trained_with", ["adversarial", "unknown"])
def test_networks_that_may_invent_are_refused(bundle: Bundle, source: Path, output: Path, trained_with: str) -> None:
    other = replace(bundle, manifest=bundle.manifest.model_copy(update={"trained_with": trained_with}))
    with pytest.raises(UserError, match="evidence=true needs a network trained for fidelity"):
        upscale(other, source, output, encoding=EVIDENCE)
    assert not list(output.parent.iterdir())


@pytest.mark.parametrize("suffix", ["confidence.mp4", "frames.csv"])
def test_no_file_beside_is_replaced(honest: Bundle, source: Path, output: Path, suffix: str) -> None:
    precious = output.with_name(f"large.mkv.{suffix}")
    precious.write_text("precious")
    with pytest.raises(UserError, match="already exists"):
        upscale(honest, source, output, encoding=EVIDENCE)
    assert precious.read_text() == "precious" and not output.exists()


def test_an_error_leaves_nothing(honest: Bundle, write_video: WriteVideo, output: Path, frames: Frames) -> None:
    path = write_video("in/damaged.mkv", np.concatenate([frames] * 4).repeat(4, 1).repeat(4, 2))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        upscale(honest, path, output, encoding=EVIDENCE)
    assert not list(output.parent.iterdir())


def test_the_ensemble_returns_what_the_network_returns() -> None:
    lr = 0.8 * torch.rand(3, 1, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    network, ensemble = Sloped(), FlipEnsemble(Sloped())
    alone, together = network.initial_state(lr[0]), ensemble.initial_state(lr[0])
    for frame in lr:
        expected, alone = network.step(frame, alone)
        sr, together = ensemble.step(frame, together)
        assert torch.equal(sr, expected)
    slope = 0.1 * torch.linspace(0, 1, 24)
    assert ensemble.spread.shape == (16, 24)
    assert ensemble.spread.mean(0) == pytest.approx((slope - slope.flip(0)).abs() / 2, abs=2e-3)


def test_a_prediction_that_contradicts_the_frame_is_uncertain_there() -> None:
    lr = torch.full((3, 8, 8), 0.5)
    sr = torch.full((3, 16, 16), 0.5)
    sr[:, :8] = 0.7
    doubt = uncertainty(lr, sr, torch.full((16, 16), 0.01))
    assert float(doubt[:4].min()) == pytest.approx(0.21, abs=1e-3)
    assert float(doubt[12:].max()) == pytest.approx(0.01, abs=1e-3)
