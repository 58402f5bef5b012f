"""Segments: what is finished is kept, and what goes on after an interruption equals what was never interrupted."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.robustness.resuming import X264, Memory, content, failing_after, write_source
from vsr_lab.core.errors import UserError
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import UpscaleJob
from vsr_lab.deployment import Bundle, Encoding, Inference, plan_upscale, upscale
from vsr_lab.deployment.pipeline import conversion
from vsr_lab.deployment.streams.frames import FrameEncoder

FFV1 = Encoding(codec="ffv1", pixel_format="bgr0", segment=0.4)  # ten frames
FRAMES = 44  # four segments, the last of which is longer


@pytest.fixture
def remembering(bundle: Bundle) -> Bundle:
    """A bundle whose frames depend on all frames before them."""
    return replace(bundle, network=Memory())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "source.mkv", FRAMES)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "large.mkv"


def _folder(output: Path) -> Path:
    return output.with_name(output.name + ".segments")


class Stopped(Exception):
    """An interruption."""


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch, remembering: Bundle, source: Path) -> Callable[..., None]:
    """interrupted(output, frames): upscale until so many frames are encoded."""

    def interrupt(output: Path, frames: int, encoding: Encoding = FFV1, **options: Any) -> None:
        with monkeypatch.context() as patch, pytest.raises(Stopped):
            patch.setattr(conversion, "FrameEncoder", failing_after(frames, Stopped()))
            upscale(remembering, source, output, encoding=encoding, **options)
        assert not output.exists()

    return interrupt


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of frames, from 0 for each call, that are encoded from here on."""
    count: list[int] = []

    class Counting(FrameEncoder):
        def __call__(self, *args: Any) -> av.VideoFrame:
            count.append(len(count))
            return super().__call__(*args)

    monkeypatch.setattr(conversion, "FrameEncoder", Counting)
    return count


def test_the_plan_states_the_segments(remembering: Bundle, source: Path, output: Path) -> None:
    assert plan_upscale(remembering, source, output, encoding=FFV1).segments == [0, 10, 20, 30]
    assert plan_upscale(remembering, source, output).segments == [0]
    assert plan_upscale(remembering, source, output, encoding=replace(FFV1, segment=1e-3)).segments[1] == 8


def test_frames_do_not_depend_on_segments(remembering: Bundle, source: Path, output: Path) -> None:
    whole = output.with_name("whole.mkv")
    upscale(remembering, source, output, encoding=FFV1)
    upscale(remembering, source, whole, encoding=replace(FFV1, segment=60))
    assert (content(output).frames, content(output).sound) == (content(whole).frames, content(whole).sound)
    assert not _folder(output).exists()


@pytest.mark.parametrize("stops", [(5,), (10,), (25,), (12, 15, 3), (43,)])
def test_it_goes_on_after_the_last_finished_segment(
    remembering: Bundle,
    source: Path,
    output: Path,
    interrupted: Callable[..., None],
    encoded: list[int],
    stops: tuple[int, ...],
) -> None:
    done = 0
    for frames in stops:
        interrupted(output, frames)
        done = min(3, done + frames // 10)
        assert _folder(output).exists() == bool(done)
        if done:
            assert sorted(read_record(_folder(output) / "job.json", UpscaleJob).finished) == [*range(done)]
    upscale(remembering, source, output, encoding=FFV1)
    assert len(encoded) == FRAMES - 10 * done
    assert not _folder(output).exists()
    whole = output.with_name("whole.mkv")
    upscale(remembering, source, whole, encoding=FFV1)
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("suffix", "number", "damage"),
    [
        (".packets", 0, "flip"),
        (".packets", 1, "cut"),
        (".packets", 2, "remove"),
        (".packets", 2, "flip"),
        (".safetensors", 1, "cut"),
        (".safetensors", 2, "flip"),
    ],
)
def test_a_damaged_segment_is_made_again(
    remembering: Bundle,
    source: Path,
    output: Path,
    interrupted: Callable[..., None],
    encoded: list[int],
    suffix: str,
    number: int,
    damage: str,
) -> None:
    interrupted(output, 35)
    path = _folder(output) / f"{number:06d}{suffix}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data if damage == "flip" else data[: len(data) // 2])
    if damage == "remove":
        path.unlink()
    upscale(remembering, source, output, encoding=FFV1)
    assert len(encoded) == FRAMES - (30 if suffix == ".safetensors" else 20)
    whole = output.with_name("whole.mkv")
    upscale(remembering, source, whole, encoding=FFV1)
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"encoding": replace(FFV1, options={"slices": "16"})}, "plan.video"),
        ({"encoding": replace(FFV1, segment=0.5)}, "plan.segments"),
        ({"encoding": replace(FFV1, label="visible")}, "plan.video, plan.converted"),
        ({"inference": Inference(16, 4)}, "tile, overlap"),
        ({"inference": Inference(watch_cuts=False)}, "watch_cuts"),
    ],
)
def test_finished_segments_with_other_options_are_kept(
    remembering: Bundle,
    source: Path,
    output: Path,
    interrupted: Callable[..., None],
    encoded: list[int],
    changes: dict[str, Any],
    named: str,
) -> None:
    interrupted(output, 25)
    with pytest.raises(UserError, match=f"has 2 finished segments of an upscaling with another {named}; repeat"):
        upscale(remembering, source, output, **{"encoding": FFV1, **changes})
    encoded.clear()
    upscale(remembering, source, output, encoding=FFV1)
    assert 0 < len(encoded) < FRAMES


def test_another_option_begins_again_if_no_segment_is_finished(
    remembering: Bundle, source: Path, output: Path, interrupted: Callable[..., None], encoded: list[int]
) -> None:
    interrupted(output, 1)
    upscale(remembering, source, output, encoding=FFV1, inference=Inference(watch_cuts=False))
    assert len(encoded) == FRAMES


def test_finished_segments_of_another_source_are_kept(
    remembering: Bundle, source: Path, output: Path, interrupted: Callable[..., None]
) -> None:
    interrupted(output, 25)
    write_source(source, FRAMES, seed=1)
    with pytest.raises(UserError, match="finished segments of an upscaling with another"):
        upscale(remembering, source, output, encoding=FFV1)


@pytest.mark.parametrize(
    "change", [lambda text: text[:-9], lambda text: text.replace(b'"plan": {', b'"plan": {"new": 1,')]
)
def test_a_record_that_cannot_be_read_loses_no_segment(
    remembering: Bundle, source: Path, output: Path, interrupted: Callable[..., None], change: Callable[[bytes], bytes]
) -> None:
    """It may be damaged, or of another version."""
    interrupted(output, 25)
    record = _folder(output) / "job.json"
    record.write_bytes(change(record.read_bytes()))
    before = {path: path.read_bytes() for path in _folder(output).iterdir()}
    with pytest.raises(UserError, match=r"to begin again, remove .* with its finished segments"):
        upscale(remembering, source, output, encoding=FFV1)
    assert {path: path.read_bytes() for path in before} == before


def test_files_of_others_are_kept(remembering: Bundle, source: Path, output: Path) -> None:
    _folder(output).mkdir()
    (_folder(output) / "0.txt").write_text("mine")
    with pytest.raises(UserError, match="no upscaling wrote"):
        upscale(remembering, source, output, encoding=FFV1)
    assert (_folder(output) / "0.txt").read_text() == "mine"


@pytest.mark.parametrize("name", [".env", ".git/HEAD", "job.json", "000000.packets", "1.jpg"])
def test_a_folder_with_other_files_is_neither_used_nor_removed(
    remembering: Bundle, source: Path, output: Path, name: str
) -> None:
    path = _folder(output) / name
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(UserError, match="no upscaling wrote"):
        upscale(remembering, source, output, encoding=FFV1)
    assert path.read_text() == "{}"


def test_files_that_came_meanwhile_are_kept(
    remembering: Bundle, source: Path, output: Path, interrupted: Callable[..., None]
) -> None:
    interrupted(output, 25)
    (_folder(output) / "2024.jpg").write_text("mine")
    with pytest.raises(UserError, match=r"such as 2024\.jpg"):
        upscale(remembering, source, output, encoding=FFV1)
    with pytest.raises(UserError, match=r"such as 2024\.jpg"):  # another option begins again
        upscale(remembering, source, output, encoding=FFV1, inference=Inference(watch_cuts=False))
    assert (_folder(output) / "2024.jpg").read_text() == "mine"


def test_a_link_to_another_folder_is_not_used(remembering: Bundle, source: Path, output: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    _folder(output).symlink_to(tmp_path / "other")
    with pytest.raises(UserError, match="is a symbolic link"):
        upscale(remembering, source, output, encoding=FFV1)
    assert not any((tmp_path / "other").iterdir())


@pytest.mark.parametrize(
    ("suffix", "encoding"),
    [
        (".mp4", Encoding(codec="libx264", options={"x264-params": "mbtree=0"})),
        (".mp4", Encoding(codec="libx265", pixel_format="yuv420p10le", options={"preset": "veryfast"})),
        (".ts", Encoding(codec="libx264", options=X264)),
        (".mkv", Encoding(codec="mpeg4", options={"bf": "2"})),
        (".avi", Encoding(codec="libx264", options={"preset": "ultrafast"})),
        (".mp4", Encoding(codec="libsvtav1", options={"preset": "12"})),
    ],
    ids=["H.264", "HEVC", "TS", "MPEG-4", "AVI", "AV1"],
)
def test_joined_packets_have_the_times_of_one_encoder(
    remembering: Bundle,
    source: Path,
    tmp_path: Path,
    interrupted: Callable[..., None],
    suffix: str,
    encoding: Encoding,
) -> None:
    output, straight, whole = (tmp_path / f"{name}{suffix}" for name in ("output", "straight", "whole"))
    parts = replace(encoding, segment=0.4, audio="drop" if suffix == ".avi" else "copy", unsupported="drop")
    interrupted(output, 23, encoding=parts)
    upscale(remembering, source, output, encoding=parts)
    upscale(remembering, source, straight, encoding=parts)
    upscale(remembering, source, whole, encoding=replace(parts, segment=60))
    one, other = content(output), content(straight)
    if encoding.codec != "libx265":  # whose packets may differ from run to run, without segments too
        assert one.frames == other.frames
    assert (one.packets, one.sound) == (other.packets, other.sound)
    times = [_times(path) for path in (output, whole)]
    decoding = [dts for _, dts in times[0]]
    assert all(one < other for one, other in itertools.pairwise(decoding))
    assert decoding == [dts for _, dts in times[1]]
    assert sorted(pts for pts, _ in times[0]) == sorted(pts for pts, _ in times[1])
    assert content(output).sound == content(whole).sound


def _times(path: Path) -> list[tuple[Any, Any]]:
    with av.open(str(path)) as container:
        return [(packet.pts, packet.dts) for packet in container.demux(video=0) if packet.size]


def test_uneven_times_are_kept(
    remembering: Bundle, tmp_path: Path, interrupted: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.07, FRAMES))
    source = write_source(tmp_path / "source.mkv", FRAMES, times=times.tolist())
    output, whole = tmp_path / "uneven.mp4", tmp_path / "whole.mp4"
    interrupted(output, 23, encoding=Encoding(segment=0.4))
    upscale(remembering, source, output, encoding=Encoding(segment=0.4))
    upscale(remembering, source, whole)
    assert sorted(pts for pts, _ in _times(output)) == sorted(pts for pts, _ in _times(whole))
    assert [dts for _, dts in _times(output)] == [dts for _, dts in _times(whole)]


def test_memory_depends_on_all_frames() -> None:
    network, lr = Memory(), torch.rand(1, 3, 4, 4)
    _, state = network.step(lr, network.zero_state(lr))
    first: Tensor = network.step(lr, state)[0]
    assert not torch.equal(first, network.step(lr, network.zero_state(lr))[0])
