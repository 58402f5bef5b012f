"""Tiles for which memory suffices: estimated, and smaller where memory runs out after all."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import ROOT
from tests.unit.conftest import WriteVideo
from vsr_lab import upscale
from vsr_lab.core.clip import Frames
from vsr_lab.deployment import Bundle, Encoding, Inference, plan_upscale
from vsr_lab.deployment.pipeline import preparation
from vsr_lab.deployment.runtimes.memory import bytes_per_pixel, fitting_tile, needed_memory
from vsr_lab.models import Interpolation, load_network
from vsr_lab.video import VideoFile

FFV1 = Encoding(codec="ffv1", pixel_format="bgr0")
AUTO = Inference(None, overlap=16)
SIZE = (160, 240)


@pytest.fixture
def source(write_video: WriteVideo, frames: Frames) -> Path:
    return write_video("in/source.mkv", np.tile(frames, (1, 5, 4, 1))[:, : SIZE[0], : SIZE[1]])


def _same(source: Path, output: Path) -> bool:
    expected = VideoFile(source).read(0, 8).frames.repeat(2, 1).repeat(2, 2)
    return np.array_equal(VideoFile(output).read(0, 8).frames, expected)


def test_the_estimate_counts_what_exists_at_once() -> None:
    assert bytes_per_pixel(Interpolation(2, "nearest")) >= 3 * 4 * 2**2  # the frame that is returned
    network, _ = load_network(ROOT / "results/zoo/weights/animation_stream_nano_x2.safetensors")
    assert isinstance(network, preparation.StreamingNetwork)
    assert needed_memory(network, None, 100) == pytest.approx(100 * 3 * bytes_per_pixel(network))
    assert 1000 < bytes_per_pixel(network) < 2500


@pytest.mark.parametrize(
    ("size", "pixels", "tile"),
    [((100, 100), 10_000, 0), ((100, 101), 10_000, 64), ((1080, 1920), 1e6, 960), ((1080, 1920), 10, 64)],
)
def test_tiles_with_their_overlaps_fit(size: tuple[int, int], pixels: float, tile: int) -> None:
    assert fitting_tile(size, 16, pixels) == tile


def test_a_tile_needs_no_more_than_the_frame(bundle: Bundle, source: Path, tmp_path: Path) -> None:
    needed = {
        plan_upscale(bundle, source, tmp_path / "large.mkv", inference=Inference(tile)).memory_bytes
        for tile in (0, 4096)
    }
    assert len(needed) == 1


def test_a_file_is_run_in_tiles_where_frames_do_not_fit(
    bundle: Bundle, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = plan_upscale(bundle, source, tmp_path / "large.mkv", encoding=FFV1, inference=AUTO)
    monkeypatch.setattr(preparation, "total_memory", lambda _: 2 * 100**2 * 48 * 3)  # pyright: ignore
    plan = plan_upscale(bundle, source, tmp_path / "large.mkv", encoding=FFV1, inference=AUTO)
    assert (whole.tile, plan.tile) == (0, 64) and plan.memory_bytes < whole.memory_bytes
    made = upscale(bundle, source, tmp_path / "large.mkv", encoding=FFV1, inference=AUTO)
    assert (made.tile, made.overlap, made.plan.tile) == (64, 16, 64)
    assert _same(source, tmp_path / "large.mkv")


def test_tiles_become_smaller_where_memory_runs_out(
    bundle: Bundle, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step, asked = type(bundle.network).step, list[int]()

    def short(self: object, lr: torch.Tensor, state: tuple[torch.Tensor, ...]) -> object:
        asked.append(lr.shape[-1] * lr.shape[-2])
        if asked[-1] > 130**2:
            raise RuntimeError("not enough memory: you tried to allocate 1 bytes")
        return step(self, lr, state)  # type: ignore[arg-type]

    monkeypatch.setattr(type(bundle.network), "step", short)
    monkeypatch.setattr(preparation, "total_memory", lambda _: 2 * 400**2 * 48 * 3)  # pyright: ignore
    with pytest.raises(RuntimeError, match="not enough memory"):
        upscale(bundle, source, tmp_path / "large.mkv", encoding=FFV1)
    made = upscale(bundle, source, tmp_path / "large.mkv", encoding=FFV1, inference=AUTO)
    assert made.tile == 64 and "out of memory; trying again with tile=64" in capsys.readouterr().out
    assert _same(source, tmp_path / "large.mkv")
