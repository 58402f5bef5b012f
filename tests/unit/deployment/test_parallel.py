"""Segments of one file that run in parallel: the frames and times of a serial run, as far as the lead-in reaches."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import ROOT
from tests.delivery.making import Film, make
from tests.delivery.odd_files import zeroed
from tests.robustness.resuming import content, write_source
from vsr_lab.core.clip import to_frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import UpscaleJob
from vsr_lab.deployment import Encoding, Inference, upscale, write_bundle
from vsr_lab.deployment.pipeline import UpscaleSettings, upscale_in_parallel
from vsr_lab.fleet import Local, Outcome
from vsr_lab.models import load_network
from vsr_lab.video import VideoFile

WriteVideo = Callable[..., Path]
FFV1 = Encoding(codec="ffv1", pixel_format="bgr0", segment=0.4)  # ten frames
SETTINGS = UpscaleSettings(encoding=FFV1)
FRAMES = 44  # four segments, the last of which is longer


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A network of the zoo with a recurrent state."""
    network, _ = load_network(ROOT / "results/zoo/weights/animation_stream_nano_x2.safetensors")
    write_bundle(tmp_path / "bundle", "stream", network, about={}, exporters=[])
    return tmp_path / "bundle"


@pytest.fixture
def source(write_video: WriteVideo, moving: Callable[..., Tensor]) -> Path:
    """Two scenes, the second from frame 27."""
    scenes = [moving(27, 40, 56, 0, 1), moving(FRAMES - 27, 40, 56, 1, 0, 5)]
    return write_video("in/source.mkv", to_frames(torch.cat(scenes)))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "parallel.mkv"


def frames(path: Path) -> Any:
    return VideoFile(path).read(0, FRAMES).frames.astype(float)


def psnr(one: Any, other: Any) -> Any:
    """dB of each frame; infinite for equal ones."""
    error = np.square(one - other).mean((1, 2, 3))
    return np.where(error == 0, np.inf, 10 * np.log10(255**2 / np.maximum(error, 1e-12)))


def times(path: Path) -> list[tuple[Any, Any, Any]]:
    with av.open(str(path)) as container:
        return [(packet.pts, packet.dts, packet.duration) for packet in container.demux(video=0) if packet.size]


def test_frames_are_those_of_a_serial_run(bundle: Path, source: Path, output: Path, tmp_path: Path) -> None:
    made = upscale_in_parallel(bundle, source, output, Local(2), settings=replace(SETTINGS, lead_in=4))
    serial = upscale(bundle, source, tmp_path / "serial.mkv", encoding=FFV1)
    quality = psnr(frames(output), frames(tmp_path / "serial.mkv"))
    assert quality.min() >= 50
    assert np.isinf(quality[:10]).all() and np.isinf(quality[27:]).all()  # the first segment, and after the cut
    assert np.isfinite(quality[10:12]).any()  # or nothing would be tested here
    assert made.cuts == serial.cuts == [27]
    assert (made.plan.lead_in, made.plan.segments, serial.plan.lead_in) == (4, [0, 10, 20, 30], None)
    assert (made.frames, made.frame_hashes) == (FRAMES, serial.frame_hashes)
    assert {path.name for path in tmp_path.glob("parallel.mkv*")} == {"parallel.mkv", "parallel.mkv.provenance.json"}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_times_and_sound_are_those_of_a_serial_run(bundle: Path, tmp_path: Path, suffix: str) -> None:
    source = write_source(tmp_path / "source.mkv", FRAMES)
    encoding = Encoding(segment=0.4, unsupported="convert", options={"preset": "ultrafast", "bf": "2"})
    parallel, serial = tmp_path / f"parallel{suffix}", tmp_path / f"serial{suffix}"
    upscale_in_parallel(bundle, source, parallel, Local(), settings=UpscaleSettings(encoding=encoding))
    upscale(bundle, source, serial, encoding=encoding)
    assert times(parallel) == times(serial) and len(times(serial)) == FRAMES
    assert content(parallel).sound == content(serial).sound


def test_a_short_file_is_one_segment(bundle: Path, source: Path, output: Path) -> None:
    whole = replace(SETTINGS, encoding=replace(FFV1, segment=60))
    assert upscale_in_parallel(bundle, source, output, Local(2), settings=whole).plan.segments == [0]


class Failing:
    """Runs tasks one after another; the second of them is reported as failed."""

    workers = 2

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run(self, work: Callable[[Any], Any], tasks: Mapping[str, Any]) -> Iterator[Outcome[Any]]:
        for number, (key, task) in enumerate(tasks.items()):
            if number == 1:
                yield Outcome(key, error="the process that ran it ended")
            else:
                self.ran.append(key)
                yield Outcome(key, work(task))


def test_a_rerun_does_the_segments_that_failed(bundle: Path, source: Path, output: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"1 of 4 segments failed .frames 10 to 19: the process that ran it ended"):
        upscale_in_parallel(bundle, source, output, Failing(), settings=SETTINGS)
    folder = tmp_path / "parallel.mkv.segments"
    assert sorted(read_record(folder / "job.json", UpscaleJob).finished) == [0, 2, 3]
    with pytest.raises(UserError, match="lacks segments that were to be upscaled in parallel"):
        upscale(bundle, source, output, encoding=replace(FFV1, lead_in=16))
    second = Failing()
    upscale_in_parallel(bundle, source, output, second, settings=SETTINGS)
    assert second.ran == ["frames 10 to 19"] and not folder.exists()
    upscale_in_parallel(bundle, source, tmp_path / "other.mkv", Local(), settings=SETTINGS)
    assert output.read_bytes() == (tmp_path / "other.mkv").read_bytes()


def test_tiles_and_deep_color_as_in_a_serial_run(
    bundle: Path, write_video: WriteVideo, tmp_path: Path, moving: Callable[..., Tensor]
) -> None:
    source = write_video("in/deep.mkv", to_frames(moving(24, 40, 56)), codec="ffv1", pixel_format="yuv420p10le")
    encoding = Encoding(codec="ffv1", segment=0.4)
    settings = UpscaleSettings(encoding=encoding, inference=Inference(32, 16))
    made = upscale_in_parallel(bundle, source, tmp_path / "parallel.mkv", Local(), settings=settings)
    upscale(bundle, source, tmp_path / "serial.mkv", encoding=encoding, inference=settings.inference)
    assert made.plan.video.pixel_format == "yuv420p10le"
    one, other = (VideoFile(tmp_path / f"{name}.mkv").read(0, 24).frames for name in ("parallel", "serial"))
    assert one.dtype == np.uint16 and np.abs(one.astype(int) - other).max() <= 64  # of 65535


def test_damage_is_found_before_its_segment_is_upscaled(bundle: Path, output: Path, tmp_path: Path) -> None:
    film = Film("a.mkv", options={"preset": "ultrafast", "crf": "10", "bf": "0", "g": "10"}, frames=40)
    path = make(film, tmp_path)
    path.write_bytes(zeroed(0.6, 700)(path.read_bytes()))
    with pytest.raises(UserError, match=r"1 of 3 segments failed \(frames 20 to 33: .* is damaged: broken frames 23"):
        upscale_in_parallel(bundle, path, output, Local(1), settings=SETTINGS)
    assert not output.exists()
