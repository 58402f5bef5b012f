"""Fields become whole frames on request alone, the same frame however it is asked for; film comes back exactly."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.weaving import interlaced, panned, telecined, texture, weaved, write_gray
from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.video import ReadOptions, VideoFile

_BWDIF, _IVTC, _AUTO, _KEEP = (ReadOptions(deinterlace=how) for how in ("bwdif", "ivtc", "auto", "keep"))
_FLAGGED = {"flags": "+ildct+ilme", "x264-params": "tff=1:fake-interlaced=0", "qp": "0"}


def _levels(frames: Frames) -> np.ndarray:
    """Studio luma of gray RGB, as it was written."""
    return np.rint(frames[..., 1] / 255 * 219 + 16).astype(int)


def _whole(video: VideoFile) -> Frames:
    return video.read(0, video.frames).frames  # pyright: ignore[reportReturnType]


def test_fields_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = write_gray(tmp_path / "a.mkv", interlaced(panned(52)))
    with pytest.raises(UserError, match=r"is interlaced tff; set deinterlace=bwdif, or deinterlace=keep"):
        VideoFile(path)
    with pytest.raises(UserError, match="not telecined; set deinterlace=bwdif"):
        VideoFile(path, read_options=_IVTC)


def test_telecined_film_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = write_gray(tmp_path / "a.mkv", telecined(panned(40)))
    with pytest.raises(UserError, match=r"is telecined tff 3:2; set deinterlace=ivtc"):
        VideoFile(path)


def test_kept_fields_are_read_weaved(tmp_path: Path) -> None:
    source = interlaced(panned(40))
    video = VideoFile(write_gray(tmp_path / "a.mkv", source), read_options=_KEEP)
    assert np.array_equal(_levels(_whole(video)), source)


def test_whole_frames_are_left_alone_whatever_is_said(tmp_path: Path) -> None:
    source = panned(20)
    path = write_gray(tmp_path / "a.mkv", source)
    for read_options in (_BWDIF, _IVTC, _AUTO):
        assert np.array_equal(_levels(_whole(VideoFile(path, read_options=read_options))), source)


def test_frames_flagged_interlaced_that_are_whole_are_read_as_they_are(tmp_path: Path) -> None:
    """PsF: a camera's whole frames in an interlaced stream."""
    source = panned(20)
    video = VideoFile(write_gray(tmp_path / "a.mp4", source, "libx264", _FLAGGED))
    assert video.probe.interlaced
    assert np.array_equal(_levels(_whole(video)), source)


def test_a_flag_is_believed_where_nothing_moves(tmp_path: Path) -> None:
    path = write_gray(tmp_path / "a.mp4", panned(20, 0, 0), "libx264", _FLAGGED)
    with pytest.raises(UserError, match="flagged as interlaced"):
        VideoFile(path)


@pytest.mark.parametrize("top_field_first", [True, False])
def test_bwdif_keeps_the_rate_and_half_of_the_rows(tmp_path: Path, top_field_first: bool) -> None:
    """send_frame: each frame is the moment of its first field, whose rows are not touched."""
    moments = panned(48)
    source = interlaced(moments, top_field_first)
    video = VideoFile(write_gray(tmp_path / "a.mkv", source), read_options=_BWDIF)
    assert (video.frames, video.probe.rate) == (24, 30)
    seen, first = _levels(_whole(video)), slice(0 if top_field_first else 1, None, 2)
    assert np.array_equal(seen[:, first], source[:, first])
    truth = moments[0::2].astype(int)
    assert np.abs(seen - truth)[2:-2].mean() < 0.6 * np.abs(source - truth)[2:-2].mean()


@pytest.mark.parametrize("read_options", [_BWDIF, _AUTO], ids=["bwdif", "ivtc"])
def test_any_window_equals_that_part_of_the_whole(tmp_path: Path, read_options: ReadOptions) -> None:
    source = interlaced(panned(120)) if read_options is _BWDIF else telecined(panned(48))
    path = write_gray(tmp_path / "a.mkv", source)
    whole = _whole(VideoFile(path, read_options=read_options))
    for start, stop in ((0, 1), (17, 23), (3, 5), (30, 48), (len(whole) - 1, len(whole)), (9, 10)):
        video = VideoFile(path, read_options=read_options)
        assert np.array_equal(video.read(start, stop).frames, whole[start:stop])
    video = pickle.loads(pickle.dumps(VideoFile(path, read_options=read_options)))
    chunks = [video.read(first, min(first + 7, video.frames)).frames for first in range(0, video.frames, 7)]
    assert np.array_equal(np.concatenate(chunks), whole)


@pytest.mark.parametrize("top_field_first", [True, False])
@pytest.mark.parametrize("phase", [0, 1, 4])
def test_film_comes_back_exactly(tmp_path: Path, phase: int, top_field_first: bool) -> None:
    film = panned(60, 2, 1)
    path = write_gray(tmp_path / "a.mkv", telecined(film, top_field_first, phase))
    video = VideoFile(path, read_options=_IVTC)
    assert (video.frames, video.probe.rate) == ((75 - phase) // 5 * 4, 24)
    first = {0: 0, 1: 1, 4: 3}[phase]
    assert np.array_equal(_levels(_whole(video)), film[first : first + video.frames])
    assert np.allclose(np.diff(video.probe.timestamps), 1 / 24, atol=2e-3)


def test_film_with_its_fields_out_of_step_comes_back_exactly(tmp_path: Path) -> None:
    film = panned(40)
    path = write_gray(tmp_path / "a.mkv", weaved(film[:-1], film[1:], True))
    video = VideoFile(path, read_options=_AUTO)
    assert video.frames == 39
    seen = _levels(_whole(video))[1:-1]
    assert all(any(np.array_equal(picture, frame) for frame in film) for picture in seen)


def test_a_lossy_interlaced_file_is_deinterlaced_too(tmp_path: Path) -> None:
    source = interlaced(panned(60, 3, 1, texture(seed=2)))
    path = write_gray(tmp_path / "a.mp4", source, "libx264", {**_FLAGGED, "qp": "22"})
    with pytest.raises(UserError, match="is interlaced tff"):
        VideoFile(path)
    assert VideoFile(path, read_options=_AUTO).read(4, 9).frames.shape == (5, 120, 160, 3)


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(UserError, match="deinterlace=yadif: is not known; use null or auto, bwdif, ivtc, keep"):
        ReadOptions(deinterlace="yadif")
