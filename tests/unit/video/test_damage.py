"""Damage is named with frame numbers, and what is left is read on request, at its own times."""

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

from tests.weaving import panned, write_gray
from vsr_lab.core.errors import UserError
from vsr_lab.video import ReadOptions, VideoFile
from vsr_lab.video.damage import format_ranges

_KEEP = ReadOptions(damaged="keep")


def _spoil(path: Path, number: int) -> None:
    """Overwrite the middle of the packet that holds frame `number` (in decoding order)."""
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    start, size = packets[number]
    assert start is not None
    data = bytearray(path.read_bytes())
    middle = slice(start + size // 3, start + 2 * size // 3)
    data[middle] = hashlib.shake_256(b"noise").digest(len(data[middle]))
    path.write_bytes(data)


def _h264(path: Path) -> Path:
    return write_gray(path, panned(36), "libx264", {"crf": "12", "bf": "0"})


def test_a_sound_file_has_no_damage(tmp_path: Path) -> None:
    assert not VideoFile(_h264(tmp_path / "a.mp4")).damage


def test_a_broken_frame_is_named_and_the_file_refused(tmp_path: Path) -> None:
    path = _h264(tmp_path / "a.mp4")
    _spoil(path, 17)
    video = VideoFile(path)
    with pytest.raises(
        UserError, match=r"is damaged: (lost|broken) frames 17.*; copy or download the file again, or set damaged=keep"
    ):
        video.read(20, 21)


def test_a_window_is_read_where_its_own_frames_are_sound(tmp_path: Path) -> None:
    """Frames 12 to 23 hang together; those before and behind are not concerned, in whatever order they are read."""
    path = _h264(tmp_path / "a.mp4")
    whole = VideoFile(path).read(0, 36).frames
    _spoil(path, 17)
    video = VideoFile(path)
    for start, stop in ((24, 36), (0, 12)):
        assert np.array_equal(video.read(start, stop).frames, whole[start:stop])
    for start, stop in ((12, 13), (0, 36), (23, 25)):
        with pytest.raises(UserError, match="is damaged"):
            video.read(start, stop)
    assert np.array_equal(video.read(24, 36).frames, whole[24:])


def test_the_rest_of_a_broken_file_is_read_as_it_was(tmp_path: Path) -> None:
    path = _h264(tmp_path / "a.mp4")
    whole = VideoFile(path).read(0, 36).frames
    _spoil(path, 17)
    video = VideoFile(path, read_options=_KEEP)
    touched = video.damage.lost + video.damage.broken
    assert 17 in touched
    clip = video.read(0, video.frames)
    numbers = np.rint(clip.timestamps * 30).astype(int)  # which frames of the file these are, by their times
    assert sorted({*range(36)} - {*numbers.tolist()}) == list(video.damage.lost)
    sound = [n for n, number in enumerate(numbers) if number < 17 or number >= 24]  # before, and from the next keyframe
    assert np.array_equal(clip.frames[sound], whole[numbers[sound]])


def test_lost_frames_are_left_out_and_the_times_stay_true(tmp_path: Path) -> None:
    """FFV1 checks each frame's sum (CRC), so a spoilt one is known for certain."""
    path = write_gray(tmp_path / "a.mkv", panned(20), options={"slicecrc": "1", "level": "3"}, gop=1)
    whole = VideoFile(path).read(0, 20).frames
    _spoil(path, 7)
    video = VideoFile(path, read_options=_KEEP)
    assert 7 in video.damage.lost + video.damage.broken
    clip = video.read(0, video.frames)
    numbers = np.rint(clip.timestamps * 30).astype(int)
    kept = numbers != 7
    assert kept.sum() == 19
    assert np.array_equal(clip.frames[kept], whole[numbers[kept]])


def test_a_file_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write_gray(tmp_path / "a.mkv", panned(60))
    whole = VideoFile(path).read(0, 60).frames
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(UserError, match="cut short"):
        VideoFile(path)
    video = VideoFile(path, read_options=_KEEP)
    assert 30 <= video.frames < 60
    sound = video.frames - len(video.damage.broken)
    assert np.array_equal(video.read(0, sound).frames, whole[:sound])


def test_runs_of_frames_are_said_briefly() -> None:
    assert format_ranges((3, 4, 5, 9)) == "3-5, 9"
    assert format_ranges((1,)) == "1"
    assert format_ranges(tuple(range(0, 40, 2))) == "0, 2, 4, 6, 8, 10, 12, 14 and 12 more"


def test_a_real_file_with_a_damaged_slice_names_its_frame(shared_footage: Path) -> None:
    path = shared_footage / "odd" / "opencv_box.mp4"
    with pytest.raises(UserError, match=r"broken frames 0 \(A non-intra slice in an IDR NAL unit"):
        VideoFile(path).read(0, 1)
    video = VideoFile(path, read_options=_KEEP)
    assert video.frames == 455
    assert video.read(450, 455).frames.shape == (5, 480, 640, 3)
