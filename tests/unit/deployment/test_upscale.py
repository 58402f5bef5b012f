"""A video file through a bundle: every frame, at its time, in a new file that says what was done."""

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.robustness.resuming import failing_after, write_source
from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import FrameNetwork
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import Provenance
from vsr_lab.core.resize import resize_to
from vsr_lab.deployment import DISCLOSURE, Bundle, Encoding, Inference, upscale
from vsr_lab.deployment.pipeline import conversion
from vsr_lab.video import VideoFile
from vsr_lab.video.packets import decoder_of

WriteVideo = Callable[..., Path]
TIMES = [0, 0.04, 0.2, 0.24, 0.5, 0.51, 2.0, 2.04]
EXACT = Encoding(codec="ffv1", pixel_format="bgr0")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def source(write_video: WriteVideo, frames: Frames) -> Path:
    """Eight frames of 32 x 64 at uneven times."""
    return write_video("in/source.mkv", frames, TIMES)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "large.mkv"


def _upscale(bundle: Bundle, source: Path, output: Path, **changes: Any) -> Provenance:
    return upscale(bundle, source, output, **{"encoding": EXACT, **changes})


def test_every_frame_is_enlarged_and_keeps_its_time(bundle: Bundle, source: Path, output: Path, frames: Frames) -> None:
    _upscale(bundle, source, output)
    video = VideoFile(output)
    assert (video.frames, video.size) == (8, (64, 128))
    assert np.array_equal(video.read(0, 8).frames, frames.repeat(2, 1).repeat(2, 2))
    assert video.probe.timestamps == pytest.approx(TIMES, abs=1e-3)


@pytest.mark.parametrize("watched", [True, False])
def test_cuts_are_watched_for_and_told(
    bundle: Bundle, write_video: WriteVideo, output: Path, moving: Callable[..., Tensor], watched: bool
) -> None:
    scenes = np.concatenate([to_frames(moving(n, 32, 64, 0, 0, seed)) for n, seed in ((5, 0), (3, 1))])
    provenance = _upscale(bundle, write_video("in/scenes.mkv", scenes), output, inference=Inference(watch_cuts=watched))
    assert provenance.cuts == ([5] if watched else None)


@pytest.mark.parametrize(("tile", "overlap"), [(16, 4), (20, 0), (100, 8)])
def test_tiles_change_nothing_here(
    bundle: Bundle, source: Path, output: Path, frames: Frames, tile: int, overlap: int
) -> None:
    provenance = _upscale(bundle, source, output, inference=Inference(tile, overlap))
    assert np.array_equal(VideoFile(output).read(0, 8).frames, frames.repeat(2, 1).repeat(2, 2))
    assert (provenance.tile, provenance.overlap) == (tile, overlap)


def test_a_clip_longer_than_a_chunk_is_whole(bundle: Bundle, write_video: WriteVideo, output: Path) -> None:
    shades = np.arange(35, dtype=np.uint8)[:, None, None, None] * np.ones((1, 16, 64, 3), np.uint8)
    _upscale(bundle, write_video("in/long.mkv", shades), output)
    assert VideoFile(output).read(0, 35).frames[:, 5, 5, 0].tolist() == list(range(35))


def _remuxed(source: Path, path: Path, sound: Path | None = None, aspect: Fraction | None = None) -> Path:
    """A copy of a video with the sound of another file, and pixels of another shape."""
    with av.open(str(path), "w") as copy, ExitStack() as files:
        opened = [files.enter_context(av.open(str(file))) for file in (source, sound) if file]
        streams = [copy.add_stream_from_template(container.streams[0]) for container in opened]
        if aspect:
            streams[0].sample_aspect_ratio = aspect  # type: ignore[union-attr]
        for container, stream in zip(opened, streams, strict=True):
            for packet in container.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    copy.mux(packet)
    return path


def test_sound_is_copied(bundle: Bundle, tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    with av.open(str(tmp_path / "sound.mka"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.arange(4800, dtype=np.int16)[None], format="s16", layout="mono")
        sound.sample_rate = 48000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    source = _remuxed(write_video("in/silent.mkv", frames), tmp_path / "in/talking.mkv", sound=tmp_path / "sound.mka")
    output = tmp_path / "talking_large.mkv"
    _upscale(bundle, source, output)
    with av.open(str(output)) as container:
        copied = b"".join(bytes(packet) for packet in container.demux(audio=0))
    assert copied == np.arange(4800, dtype=np.int16).tobytes()


def test_the_file_itself_says_what_was_done(bundle: Bundle, source: Path, output: Path) -> None:
    _upscale(bundle, source, output)
    with av.open(str(output)) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    assert tags["comment"] == DISCLOSURE
    assert tags["vsr_lab_bundle"] == "doubler"


def test_the_original_is_only_read(bundle: Bundle, source: Path, output: Path) -> None:
    before, times = _hash(source), source.stat().st_mtime_ns
    _upscale(bundle, source, output)
    assert (_hash(source), source.stat().st_mtime_ns) == (before, times)
    assert _names(source.parent) == {"source.mkv"}


def test_the_provenance_names_all_that_took_part(bundle: Bundle, source: Path, output: Path) -> None:
    provenance = _upscale(bundle, source, output)
    assert read_record(output.with_name("large.mkv.provenance.json"), Provenance) == provenance
    facts = {"bits": 8, "matrix": "rgb", "full_range": True, "assumed": False}
    assert provenance.source.model_dump() == {
        "file": "source.mkv", "sha256": _hash(source), "size": (64, 32), **facts
    }  # fmt: skip
    assert provenance.output.model_dump() == {
        "file": "large.mkv", "sha256": _hash(output), "size": (128, 64), **facts
    }  # fmt: skip
    assert (provenance.bundle, provenance.bundle_sha256) == ("doubler", bundle.manifest.sha256)
    assert (provenance.frames, provenance.scale, provenance.disclosure) == (8, 2, DISCLOSURE)


def test_the_provenance_names_the_colors_that_are_written(bundle: Bundle, source: Path, output: Path) -> None:
    output = output.with_suffix(".mp4")
    provenance = _upscale(bundle, source, output, encoding=Encoding(codec="libx264", pixel_format="yuv420p"))
    written = VideoFile(output).probe.colour
    assert (provenance.output.matrix, provenance.output.full_range) == (written.matrix, written.full_range)
    assert written.matrix == "bt709"


def test_an_h264_file_is_written_by_default_means(bundle: Bundle, source: Path, output: Path, frames: Frames) -> None:
    output = output.with_suffix(".mp4")
    _upscale(bundle, source, output, encoding=Encoding(codec="libx264", pixel_format="yuv420p", options={"crf": "1"}))
    video = VideoFile(output)
    assert (video.frames, video.size, video.probe.codec) == (8, (64, 128), "h264")
    off = video.read(0, 8).frames.astype(int) - frames.repeat(2, 1).repeat(2, 2)
    assert np.abs(off @ [0.2126, 0.7152, 0.0722]).mean() < 1  # luma: 4:2:0 has no room for all of the colour


def test_h264_in_avi_begins_at_zero(bundle: Bundle, write_video: WriteVideo, output: Path) -> None:
    """AVI stores no time of presentation, and FFmpeg presents the first frame one frame late."""
    source = write_video("in/steady.mkv", np.random.default_rng(0).integers(0, 256, (6, 32, 64, 3), np.uint8))
    output = output.with_suffix(".avi")
    _upscale(bundle, source, output, encoding=Encoding(codec="libx264", pixel_format="yuv420p"))
    assert VideoFile(output).probe.timestamps == pytest.approx(VideoFile(source).probe.timestamps)


def test_colour_is_written_where_it_is_read(bundle: Bundle, write_video: WriteVideo, output: Path) -> None:
    """Soft pictures, which 4:2:0 has room for: chroma at another place, or by another matrix, would show."""
    y, x = np.mgrid[:32, :64]
    waves = np.stack([np.sin(x / 14), np.cos(y / 15 + x / 19), np.sin((x + y) / 16)], -1)
    soft = np.rint(127 + 90 * waves).astype(np.uint8)[None].repeat(3, 0)
    encoding = Encoding(codec="libx264", pixel_format="yuv420p", options={"crf": "1"})
    _upscale(bundle, write_video("in/soft.mkv", soft), output, encoding=encoding)
    off = VideoFile(output).read(0, 3).frames.astype(int) - soft.repeat(2, 1).repeat(2, 2)
    assert np.abs(off).mean((0, 1, 2)).max() < 1.4  # centre 1.6, top left 1.45, BT.601 11
    assert np.abs(off.mean((0, 1, 2))).max() < 0.1


@pytest.mark.parametrize(("pixel_format", "written"), [("gbrp16le", 16), ("bgr0", 8)])
def test_depth_is_kept_where_the_output_has_it_and_told(
    bundle: Bundle, write_video: WriteVideo, frames: Frames, output: Path, pixel_format: str, written: int
) -> None:
    deep = frames.astype(np.uint16) * 256 + 77
    source = write_video("in/deep.mkv", deep, codec="ffv1", pixel_format="gbrp16le")
    provenance = _upscale(bundle, source, output, encoding=Encoding(codec="ffv1", pixel_format=pixel_format))
    assert (provenance.source.bits, provenance.output.bits) == (16, written)
    if written == 16:
        assert np.array_equal(VideoFile(output).read(0, 8).frames, deep.repeat(2, 1).repeat(2, 2))


def test_the_shape_of_pixels_is_kept(bundle: Bundle, write_video: WriteVideo, frames: Frames, output: Path) -> None:
    h264 = Encoding(codec="libx264", pixel_format="yuv420p")
    source = _remuxed(write_video("in/square.mp4", frames), output.with_name("wide.mp4"), aspect=Fraction(16, 11))
    _upscale(bundle, source, output, encoding=h264)
    assert VideoFile(output).aspect == VideoFile(source).aspect == Fraction(16, 11)


# What is never overwritten


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_input_is_never_the_output(bundle: Bundle, source: Path, overwrite: bool) -> None:
    before = _hash(source)
    with pytest.raises(UserError, match="is the input, which is never overwritten"):
        _upscale(bundle, source, source, overwrite=overwrite)
    assert _hash(source) == before


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_the_input_under_another_name_is_never_the_output(
    bundle: Bundle, source: Path, output: Path, link: Callable[[Path, Path], None]
) -> None:
    before = _hash(source)
    link(source, output)
    with pytest.raises(UserError, match="is the input, which is never overwritten"):
        _upscale(bundle, source, output, overwrite=True)
    assert _hash(source) == before


@pytest.mark.parametrize("name", ["large.mkv", "large.mkv.provenance.json"])
def test_what_is_there_is_kept_unless_asked(bundle: Bundle, source: Path, output: Path, name: str) -> None:
    (output.parent / name).write_text("precious")
    with pytest.raises(UserError, match=f"{name}: already exists"):
        _upscale(bundle, source, output)
    assert (output.parent / name).read_text() == "precious"
    assert _names(output.parent) == {name}
    _upscale(bundle, source, output, overwrite=True)
    assert _names(output.parent) == {"large.mkv", "large.mkv.provenance.json"}
    assert VideoFile(output).frames == 8


def test_a_folder_is_no_output(bundle: Bundle, source: Path, output: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        _upscale(bundle, source, output.parent)


def test_a_missing_input_is_named(bundle: Bundle, tmp_path: Path, output: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        _upscale(bundle, tmp_path / "nowhere.mkv", output)


def test_tiles_that_cannot_be_are_the_users_to_mend(bundle: Bundle, source: Path, output: Path) -> None:
    with pytest.raises(UserError, match=r"\btile\b"):
        _upscale(bundle, source, output, inference=Inference(-8))
    assert _names(output.parent) == set()


# What a failure leaves


class Failed(Exception):
    """Something that nobody foresaw."""


@pytest.mark.parametrize("written", [0, 5])
@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(28, "No space left on device"), UserError), (KeyboardInterrupt(), KeyboardInterrupt), (Failed(), Failed)],
    ids=["full disk", "interrupt", "defect"],
)
def test_a_failure_midway_leaves_nothing(
    bundle: Bundle,
    source: Path,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: int,
    error: BaseException,
    raised: type[BaseException],
) -> None:
    monkeypatch.setattr(conversion, "FrameEncoder", failing_after(written, error))
    with pytest.raises(raised):
        _upscale(bundle, source, output)
    assert _names(output.parent) == set()
    assert _names(source.parent) == {"source.mkv"}


def test_a_failure_midway_keeps_the_output_of_before(
    bundle: Bundle, source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _upscale(bundle, source, output)
    before = {path.name: _hash(path) for path in output.parent.iterdir()}
    monkeypatch.setattr(conversion, "FrameEncoder", failing_after(3, Failed()))
    with pytest.raises(Failed):
        _upscale(bundle, source, output, overwrite=True)
    assert {path.name: _hash(path) for path in output.parent.iterdir()} == before


def test_a_video_that_cannot_be_put_in_place_leaves_no_provenance(
    bundle: Bundle, source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def fails(made: Path, target: Path) -> None:
        if Path(target) == output:
            raise OSError(28, "No space left on device")
        link(made, target)

    monkeypatch.setattr(os, "link", fails)
    with pytest.raises(UserError, match="disk is full"):
        _upscale(bundle, source, output)
    assert _names(output.parent) == set()


def test_a_bundle_that_fails_midway_leaves_nothing(bundle: Bundle, source: Path, output: Path) -> None:
    class Broken(FrameNetwork):
        scale = 2

        def frame(self, lr: Tensor) -> Tensor:
            raise Failed

    with pytest.raises(Failed):
        _upscale(replace(bundle, network=Broken()), source, output)
    assert _names(output.parent) == set()


def test_a_frame_that_is_not_finite_stops_the_work_with_its_number(
    bundle: Bundle, source: Path, output: Path, frames: Frames
) -> None:
    class Broken(FrameNetwork):
        scale = 2

        def frame(self, lr: Tensor) -> Tensor:
            broken = torch.equal(lr[0], to_tensor(frames)[3])
            return lr.repeat_interleave(2, -1).repeat_interleave(2, -2) * (np.nan if broken else 1.0)

    with pytest.raises(UserError, match="frame 3 of its upscaled video contains NaN"):
        _upscale(replace(bundle, network=Broken()), source, output)
    assert not output.exists()


def test_each_packet_is_decoded_once(
    bundle: Bundle, tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = Counter[str]()

    def counting(name: str, stream: Any) -> Callable[[Any], list[av.VideoFrame]]:
        decode = decoder_of(stream)
        return lambda packet: decoded.update({name: packet.size > 0}) or decode(packet)

    for name in ("deployment.pipeline.reading", "deployment.streams.survey", "video.probe", "video.damage"):
        monkeypatch.setattr(sys.modules[f"vsr_lab.{name}"], "decoder_of", partial(counting, name))
    _upscale(bundle, write_source(tmp_path / "tone.mkv", 100), output)
    assert decoded.pop("deployment.pipeline.reading") == 100
    assert decoded.total() < 50  # the first ones, before the work begins


def test_mp4_can_be_played_while_it_is_fetched(bundle: Bundle, source: Path, output: Path) -> None:
    _upscale(bundle, source, output.with_suffix(".mp4"), encoding=Encoding(codec="libx264"))
    written = output.with_suffix(".mp4").read_bytes()
    assert 0 < written.index(b"moov") < written.index(b"mdat")


@pytest.mark.parametrize(("height", "width"), [(48, 96), (63, 126), (64, 128)])
def test_frames_are_resized_to_the_height_that_is_set(
    bundle: Bundle, source: Path, output: Path, frames: Frames, height: int, width: int
) -> None:
    provenance = _upscale(bundle, source, output, encoding=replace(EXACT, height=height))
    assert provenance.output.size == (width, height)
    large = to_tensor(frames.repeat(2, 1).repeat(2, 2))
    video = VideoFile(output)
    assert np.array_equal(video.read(0, 8).frames, to_frames(resize_to(large, (height, width))))
    resized = [note for note in provenance.plan.converted if "resized to" in note]
    assert len(resized) == (height != 64)


@pytest.mark.parametrize(("scale", "size"), [(1.5, (96, 48)), (0.25, (16, 8)), (2.0, (128, 64))])
def test_frames_are_resized_to_the_scale_that_is_set(
    bundle: Bundle, source: Path, output: Path, scale: float, size: tuple[int, int]
) -> None:
    assert _upscale(bundle, source, output, encoding=replace(EXACT, scale=scale)).output.size == size
    with pytest.raises(UserError, match=r"scale: must be <= 2 for this bundle, got 3"):
        _upscale(bundle, source, output, encoding=replace(EXACT, scale=3.0), overwrite=True)
    with pytest.raises(UserError, match="scale: cannot be combined with height="):
        replace(EXACT, scale=scale, height=32)


def test_a_height_above_that_of_the_network_is_refused(bundle: Bundle, source: Path, output: Path) -> None:
    with pytest.raises(UserError, match=r"height: must be <= 64 for source\.mkv and this bundle, got 65"):
        _upscale(bundle, source, output, encoding=replace(EXACT, height=65))
    assert list(output.parent.iterdir()) == []
