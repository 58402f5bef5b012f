"""Video in and out: what was written is read, and what would be read wrong is refused."""

import os
import pickle
import struct
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vsr_lab.core.clip import Colour, Frames
from vsr_lab.core.errors import UserError
from vsr_lab.video import ImageSequence, VideoFile, VideoWriter, find_footage, open_footage, read_chunks, read_video
from vsr_lab.video.writer import check_encoder

WriteVideo = Callable[..., Path]


def _read(path: Path) -> Frames:
    video = VideoFile(path)
    return video.read(0, video.frames).frames


def _write_source(
    path: Path, frames: Frames, video_starts: float = 0.0, transfer: int | None = None, movflags: str = ""
) -> Path:
    """An H.264 and AAC file written without our writer: its sound begins at 0, its picture at video_starts."""
    with av.open(str(path), "w", options={"movflags": movflags} if movflags else {}) as container:
        video = container.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = *frames.shape[1:3], "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        if transfer:
            video.codec_context.color_trc = transfer
        audio = container.add_stream("aac", rate=48000, layout="mono")
        for t, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round((t / 25 + video_starts) * 1000), Fraction(1, 1000)
            container.mux(video.encode(frame))
        for t in range(12):
            tone = np.sin(np.arange(1024, dtype=np.float32)[None] / (10 + t))
            sound = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 48000, 1024 * t, Fraction(1, 48000)
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def _packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(**{kind: 0}) if packet.size]


def _start(path: Path, kind: str) -> float:
    with av.open(str(path)) as container:
        return min(float(p.pts * p.time_base) for p in container.demux(**{kind: 0}) if p.pts is not None)


# Written and read


def test_lossless_rgb_comes_back_exactly(write_video: WriteVideo, frames: Frames) -> None:
    assert np.array_equal(_read(write_video("a.mkv", frames)), frames)


def test_lossless_yuv_comes_back_to_two_levels(write_video: WriteVideo, frames: Frames) -> None:
    path = write_video("a.mkv", frames, codec="ffv1", pixel_format="yuv444p")
    assert np.abs(_read(path).astype(int) - frames).max() <= 2


def test_any_window_equals_that_part_of_the_whole(write_video: WriteVideo, frames: Frames) -> None:
    video = VideoFile(write_video("a.mp4", frames))
    whole = video.read(0, 8).frames
    assert np.array_equal(video.read(5, 8).frames, whole[5:])
    assert np.array_equal(video.read(2, 4).frames, whole[2:4])


def test_chunks_follow_one_another_without_gap(write_video: WriteVideo, frames: Frames) -> None:
    chunks = list(read_chunks(VideoFile(write_video("a.mkv", frames)), 1, 8, 3))
    assert [len(chunk.frames) for chunk in chunks] == [3, 3, 1]
    assert np.array_equal(np.concatenate([chunk.frames for chunk in chunks]), frames[1:])


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_frame_rate_is_kept(write_video: WriteVideo, frames: Frames, suffix: str) -> None:
    times = [0, 0.04, 0.2, 0.24, 0.5, 0.51, 2.0, 2.04]
    video = VideoFile(write_video(f"a.{suffix}", frames, times, codec="libx264", pixel_format="yuv420p"))
    assert video.probe.timestamps == pytest.approx(times, abs=1e-3)
    assert video.read(3, 6).timestamps == pytest.approx(times[3:6], abs=1e-3)


def test_a_written_file_says_how_its_colour_is_meant(write_video: WriteVideo, frames: Frames) -> None:
    assert VideoFile(write_video("a.mp4", frames)).probe.colour == Colour("bt709", full_range=False)
    assert VideoFile(write_video("a.mkv", frames)).probe.colour == Colour("rgb", full_range=True)


def test_a_guessed_matrix_is_called_assumed(tmp_path: Path, frames: Frames) -> None:
    assert VideoFile(_write_source(tmp_path / "a.mp4", frames)).probe.colour.assumed


def test_footage_opens_anew_after_pickling(write_video: WriteVideo, frames: Frames) -> None:
    video = VideoFile(write_video("a.mkv", frames))
    video.read(0, 1)
    assert np.array_equal(pickle.loads(pickle.dumps(video)).read(6, 8).frames, frames[6:])


# Refused


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(UserError, match=r"a\.mp4: is empty"):
        open_footage(tmp_path / "a.mp4")


def test_text_that_calls_itself_mp4_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("dear diary\n" * 50)
    with pytest.raises(UserError, match=r"a\.mp4: is not a video"):
        open_footage(tmp_path / "a.mp4")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        open_footage(tmp_path / "a.mp4")


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        audio = container.add_stream("aac", rate=48000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 48000
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    with pytest.raises(UserError, match="no video stream"):
        open_footage(tmp_path / "a.mp4")


def _cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def test_an_mp4_cut_before_its_index_is_refused(write_video: WriteVideo, frames: Frames) -> None:
    path = _cut(write_video("a.mp4", frames), 0.6)
    with pytest.raises(UserError, match=r"a\.mp4"):
        open_footage(path)


def test_an_mp4_cut_behind_its_index_is_refused(tmp_path: Path, frames: Frames) -> None:
    path = _cut(_write_source(tmp_path / "a.mp4", frames, movflags="faststart"), 0.7)
    with pytest.raises(UserError, match=r"cut short \(\d of 8 frames\)"):
        open_footage(path)


def test_a_matroska_file_cut_in_the_middle_is_refused(write_video: WriteVideo, frames: Frames) -> None:
    path = _cut(write_video("a.mkv", frames), 0.5)
    with pytest.raises(UserError, match="cut short"):
        open_footage(path)


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused(tmp_path: Path, frames: Frames, transfer: int, name: str) -> None:
    path = _write_source(tmp_path / "a.mp4", frames, transfer=transfer)
    with pytest.raises(UserError, match=rf"HDR \({name}\)"):
        open_footage(path)


def test_frames_hidden_by_an_edit_list_are_never_shifted(write_video: WriteVideo, frames: Frames) -> None:
    """The reader, asked for frame 0 of such a file, gives the first that is shown."""
    path = write_video("a.mp4", frames)
    honest = _read(path)
    data = bytearray(path.read_bytes())
    entry = data.index(b"elst") + 12  # the list's one entry: duration, media time, rate
    media_time = struct.unpack(">i", data[entry + 4 : entry + 8])[0]
    data[entry + 4 : entry + 8] = struct.pack(">i", media_time + 3 * 90_000 // 25)
    path.write_bytes(data)
    assert np.array_equal(_read(path), honest[3:])


def test_a_rotated_file_is_read_upright(write_video: WriteVideo, frames: Frames) -> None:
    """A phone's upright video: stored lying, to be turned a quarter clockwise."""
    path = write_video("a.mp4", frames)
    lying = _read(path)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 32 << 16, 0, 1 << 30)
    path.write_bytes(data)
    assert VideoFile(path).size == (64, 32)
    assert np.array_equal(_read(path), np.rot90(lying, -1, (1, 2)))


@pytest.mark.parametrize("name", ["Film – 映画.mkv", "a%03d.mkv", "file:a.mkv", "concat:a.mkv|b.mkv", "12:30.mkv"])
def test_a_path_is_no_protocol_and_no_pattern(
    write_video: WriteVideo, frames: Frames, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(write_video("a.mkv", frames).rename(Path(write_video("b.mkv", frames).parent, name)).parent)
    assert np.array_equal(_read(Path(name)), frames)


# Refused by the writer


@pytest.mark.parametrize("name", ["a.webm", "a.xyz", "a"])
def test_a_container_that_cannot_hold_ffv1_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot hold FFV1"):
        VideoWriter(tmp_path / name, (32, 64), Fraction(25))


@pytest.mark.parametrize(
    ("codec", "pixel_format", "options", "words"),
    [
        ("no_such_codec", "yuv420p", {}, "codec: FFmpeg has no encoder 'no_such_codec'"),
        ("libx264", "no_such_format", {}, "pixel_format: libx264 does not take no_such_format"),
        ("libx264", "yuv420p", {"crf": "no_number"}, r"options\.crf: libx264 does not take 'no_number'"),
        ("libx264", "yuv420p", {"preset": "slower", "tune": "no_tune"}, r"options\.tune: libx264 does not take"),
        ("libx264", "yuv420p", {"no_such_option": "18"}, r"options\.no_such_option: is not an option of libx264"),
        ("ffv1", "gbrp", {}, r"ffv1|pixel_format"),
    ],
)
def test_an_encoding_that_cannot_be_is_refused_by_key(
    capfd: pytest.CaptureFixture[str], codec: str, pixel_format: str, options: dict[str, str], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        check_encoder(codec, (32, 64), Fraction(1, 25), pixel_format=pixel_format, options=options)
    assert not capfd.readouterr().err  # of x264's own


# Folders of frames


def _pictures(folder: Path, **pictures: np.ndarray) -> Path:
    folder.mkdir()
    for name, picture in pictures.items():
        assert cv2.imwrite(str(folder / f"{name}.png"), picture[..., ::-1] if picture.ndim == 3 else picture)
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="SVT-AV1 changes the priority on Linux")
def test_no_encoder_keeps_real_time_priority() -> None:
    """SVT-AV1 takes it if the user is root."""
    check_encoder("libsvtav1", (128, 128), Fraction(1, 25), pixel_format="yuv420p", options={})
    threads = [int(thread.name) for thread in Path("/proc/self/task").iterdir()]
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_OTHER}


def test_a_folder_of_frames_reads_like_a_clip(tmp_path: Path, frames: Frames) -> None:
    folder = _pictures(tmp_path / "clip", **{f"{t:03}": frame for t, frame in enumerate(frames)})
    clip = open_footage(folder).read(2, 6)
    assert np.array_equal(clip.frames, frames[2:6])
    assert clip.timestamps == pytest.approx(np.arange(2, 6) / 25)


def test_frames_numbered_without_zeros_are_read_in_counting_order(tmp_path: Path, frames: Frames) -> None:
    folder = _pictures(tmp_path / "clip", **{f"frame{t + 4}": frame for t, frame in enumerate(frames)})
    assert np.array_equal(ImageSequence(folder).read(0, 8).frames, frames)


def test_gray_and_transparent_pictures_become_rgb(tmp_path: Path, frames: Frames) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    alpha = np.full((32, 64, 1), 7, np.uint8)
    cv2.imwrite(str(folder / "0.png"), np.concatenate([frames[0][..., ::-1], alpha], 2))
    cv2.imwrite(str(folder / "1.png"), frames[1, ..., 0])
    clip = ImageSequence(folder).read(0, 2).frames
    assert np.array_equal(clip[0], frames[0])
    assert np.array_equal(clip[1], frames[1, ..., :1].repeat(3, 2))


def test_frames_of_mixed_sizes_are_refused(tmp_path: Path, frames: Frames) -> None:
    folder = _pictures(tmp_path / "clip", a=frames[0], b=frames[1][:16])
    with pytest.raises(UserError, match=r"b\.png: is 64x16"):
        ImageSequence(folder).read(0, 2)


@pytest.mark.parametrize(("start", "stop"), [(0, 9), (2, 2), (5, 3), (-1, 2)])
def test_a_range_that_a_source_does_not_have_is_refused(
    tmp_path: Path, frames: Frames, write_video: WriteVideo, start: int, stop: int
) -> None:
    folder = _pictures(tmp_path / "clip", **{f"frame{t}": frame for t, frame in enumerate(frames[:8])})
    for path in (folder, write_video(tmp_path / "clip.mkv", frames[:8])):
        with pytest.raises(UserError, match=f"has 8 frames, which do not include all of {start}:{stop}"):
            read_video(path, start, stop)


def test_sixteen_bits_are_kept(tmp_path: Path, frames: Frames) -> None:
    deep = frames.astype(np.uint16) * 256 + 77
    folder = _pictures(tmp_path / "clip", a=deep[0], b=deep[1])
    clip = ImageSequence(folder).read(0, 2)
    assert np.array_equal(clip.frames, deep[:2])
    assert np.allclose(clip.tensor().permute(0, 2, 3, 1), deep[:2] / 65535, atol=1e-7)


def test_frames_of_mixed_depth_are_refused(tmp_path: Path, frames: Frames) -> None:
    folder = _pictures(tmp_path / "clip", a=frames[0].astype(np.uint16) * 257, b=frames[1])
    with pytest.raises(UserError, match=r"b\.png: has 8 bits per sample, but others have 16"):
        ImageSequence(folder).read(0, 2)


def test_a_broken_frame_is_named(tmp_path: Path, frames: Frames) -> None:
    folder = _pictures(tmp_path / "clip", a=frames[0])
    (folder / "b.png").write_text("not a picture")
    with pytest.raises(UserError, match=r"b\.png: is not a picture"):
        ImageSequence(folder).read(0, 2)


def test_footage_is_found_at_any_depth(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    video = write_video("deep/down/a.mkv", frames[:1])
    folder = _pictures(tmp_path / "clip", a=frames[0])
    (tmp_path / "notes.txt").touch()
    assert find_footage(tmp_path) == [folder, video]


def test_a_picture_beside_videos_does_not_hide_them(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    """A cover, a thumbnail, a screenshot: no clip of one frame."""
    video = write_video("a.mkv", frames)
    assert cv2.imwrite(str(tmp_path / "cover.jpg"), frames[0])
    try:
        found = find_footage(tmp_path)
    except UserError:
        return
    assert found == [video]


def test_one_frame_in_two_formats_is_refused(tmp_path: Path, frames: Frames) -> None:
    folder = _pictures(tmp_path / "clip", a=frames[0])
    assert cv2.imwrite(str(folder / "a.jpg"), frames[0])
    with pytest.raises(UserError, match=r"clip: contains pictures of several types \(\.jpg, \.png\)"):
        open_footage(folder)


def test_a_place_without_footage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="contains neither a video"):
        find_footage(tmp_path)
    with pytest.raises(UserError, match="not found"):
        find_footage(tmp_path / "nowhere")


def test_a_pipe_among_pictures_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "001.png"), np.zeros((8, 8, 3), np.uint8))
    os.mkfifo(tmp_path / "002.png")
    with pytest.raises(UserError, match=r"002\.png: is not a regular file"):
        open_footage(tmp_path)
