"""Frames that repeat the one before: they are not run, and the state does not see them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.robustness.resuming import Memory, failing_after
from tests.unit.conftest import WriteVideo
from vsr_lab import upscale
from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.network import FrameStream, is_repeat
from vsr_lab.deployment import Bundle, Encoding, Inference
from vsr_lab.deployment.pipeline import conversion
from vsr_lab.video import VideoFile

FFV1 = Encoding(codec="ffv1", pixel_format="bgr0", segment=0.36)  # nine frames
SKIP = Inference(skip_repeats=True)


@pytest.fixture
def drawings(moving: Callable[..., Tensor]) -> Tensor:
    """Twelve drawings."""
    return moving(12, 32, 64, 2, 3)


@pytest.fixture
def twos(write_video: WriteVideo, drawings: Tensor) -> Path:
    return write_video("in/twos.mkv", np.repeat(to_frames(drawings), 2, 0))


def frames(path: Path) -> Frames:
    video = VideoFile(path)
    return np.asarray(video.read(0, video.frames).frames, np.uint8)


def test_output_and_state_are_those_of_the_drawings_alone(drawings: Tensor) -> None:
    process, alone = FrameStream(Memory(), skip_repeats=True), FrameStream(Memory())
    for number, drawing in enumerate(drawings):
        expected = alone(drawing)
        assert torch.equal(process(drawing), expected)
        assert torch.equal(process(drawing + 0.004 * torch.randn_like(drawing)), expected)
        assert process.repeats == number + 1
    assert process.state is not None and alone.state is not None
    assert all(map(torch.equal, process.state, alone.state))


def test_a_small_change_is_no_repeat() -> None:
    drawing = torch.full((3, 40, 60), 0.5)
    mouth = drawing.clone()
    mouth[0, 16:20, 16:20] += 0.1  # one channel of a quarter of a block
    assert is_repeat(drawing, drawing + 2 / 255) and not is_repeat(drawing, mouth)


def test_half_of_a_file_on_twos_is_run(bundle: Bundle, twos: Path, drawings: Tensor, tmp_path: Path) -> None:
    output = tmp_path / "large.mkv"
    made = upscale(bundle, twos, output, encoding=replace(FFV1, segment=20.0), inference=SKIP)
    assert (made.repeats, made.plan.skip_repeats) == (12, True)
    expected = np.repeat(to_frames(drawings), 2, 0).repeat(2, 1).repeat(2, 2)
    assert np.array_equal(frames(output), expected)


def test_an_interrupted_run_goes_on_with_the_same_frames(
    bundle: Bundle, twos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments of nine frames begin within a pair, of which the second frame is then run."""
    remembering = replace(bundle, network=Memory())
    whole = upscale(remembering, twos, tmp_path / "whole.mkv", encoding=FFV1, inference=SKIP)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(conversion, "FrameEncoder", failing_after(12, KeyboardInterrupt()))
        upscale(remembering, twos, tmp_path / "resumed.mkv", encoding=FFV1, inference=SKIP)
    resumed = upscale(remembering, twos, tmp_path / "resumed.mkv", encoding=FFV1, inference=SKIP)
    assert whole.repeats == resumed.repeats == 11
    assert np.array_equal(frames(tmp_path / "resumed.mkv"), frames(tmp_path / "whole.mkv"))
