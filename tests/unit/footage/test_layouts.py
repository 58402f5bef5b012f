"""Data sets as they lie on disk in the field, in miniature: what is taken for what."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.footage.layouts import read_layout
from vsr_lab.footage.shots import Shot, ShotSelection, check_lr_shot, find_lr_shots, find_shots

WriteVideo = Callable[..., Path]


def _frames(
    folder: Path, count: int = 3, size: tuple[int, int] = (16, 24), name: str = "{:08d}.png", first: int = 0
) -> None:
    folder.mkdir(parents=True)
    for t in range(first, first + count):
        cv2.imwrite(str(folder / name.format(t)), np.full((*size, 3), t, np.uint8))


def _names(shots: list[Shot]) -> list[str]:
    return [shot.name for shot in shots]


@pytest.fixture
def reds(tmp_path: Path) -> Path:
    for clip in ("000", "001", "015", "030"):
        _frames(tmp_path / "train_sharp" / clip)
        _frames(tmp_path / "train_sharp_bicubic" / "X4" / clip, size=(4, 6))
    for clip in ("000", "001"):
        _frames(tmp_path / "val_sharp" / clip)
    return tmp_path


def test_reds_is_trained_on_without_the_four_clips_that_it_is_judged_on(reds: Path) -> None:
    assert read_layout(reds).name == "reds"
    assert _names(find_shots(reds)) == _names(find_shots(reds, ShotSelection(split="train"))) == ["001", "030"]
    assert _names(find_shots(reds, ShotSelection(split="reds4"))) == ["000", "015"]
    assert [shot.path for shot in find_shots(reds, ShotSelection(split="val"))] == [
        reds / "val_sharp" / n for n in ("000", "001")
    ]


def test_reds_brings_its_lr(reds: Path) -> None:
    high = find_shots(reds)
    low = find_lr_shots(high, "auto", 4)
    assert low is not None
    assert [shot.path for shot in low] == [reds / "train_sharp_bicubic/X4" / name for name in ("001", "030")]
    for pair in zip(high, low, strict=True):
        check_lr_shot(*pair, scale=4)
    assert find_lr_shots(high, None, 4) is None
    with pytest.raises(UserError, match="001: has no recorded LR clips at 1/2"):
        find_lr_shots(high, "auto", 2)


def test_reds_is_known_as_it_is_packed_too(tmp_path: Path) -> None:
    _frames(tmp_path / "train" / "train_sharp" / "007")
    _frames(tmp_path / "train" / "train_sharp_bicubic" / "X4" / "007", size=(4, 6))
    (shot,) = find_shots(tmp_path)
    assert (shot.name, shot.lows) == ("007", ((4, tmp_path / "train/train_sharp_bicubic/X4/007"),))


@pytest.fixture
def vimeo(tmp_path: Path) -> Path:
    for name in ("00001/0001", "00001/0002", "00002/0001"):
        _frames(tmp_path / "sequences" / name, 7, name="im{}.png", first=1)
    (tmp_path / "sep_trainlist.txt").write_text("00001/0001\n00002/0001\n")
    (tmp_path / "sep_testlist.txt").write_text("00001/0002\n\n")
    return tmp_path


def test_the_lists_of_vimeo90k_are_honoured(vimeo: Path) -> None:
    assert read_layout(vimeo).name == "vimeo90k"
    assert _names(find_shots(vimeo)) == ["00001/0001", "00002/0001"]
    (judged,) = find_shots(vimeo, ShotSelection(split="test"))
    assert judged.name == "00001/0002"
    assert [int(frame[0, 0, 0]) for frame in judged.read(0, 7).frames] == list(range(1, 8))


def test_vimeo90k_without_lists_is_all_of_it_and_its_lr_has_the_same_names(vimeo: Path) -> None:
    for name in ("00001/0001", "00002/0001"):
        _frames(vimeo / "lr" / "sequences" / name, 7, (4, 6), "im{}.png", 1)
    low = find_lr_shots(find_shots(vimeo), str(vimeo / "lr"), 4)
    assert low is not None
    assert [shot.path for shot in low] == [vimeo / "lr/sequences/00001/0001", vimeo / "lr/sequences/00002/0001"]


def test_a_folder_that_a_list_names_and_that_is_not_there_is_told(vimeo: Path) -> None:
    (vimeo / "sep_trainlist.txt").write_text("00009/0001\n")
    (shot,) = find_shots(vimeo)
    with pytest.raises(UserError, match="0001: not found"):
        len(shot)


def test_vid4_and_udm10(tmp_path: Path) -> None:
    for clip in ("calendar", "walk"):
        _frames(tmp_path / "GT" / clip)
        for low in ("BIx4", "BDx4", "BIx2"):
            _frames(tmp_path / low / clip, size=(8, 12) if low == "BIx2" else (4, 6))
    (tmp_path / "meta_info_Vid4_GT.txt").write_text("calendar 3 (16,24,3)\n")
    high = find_shots(tmp_path)
    assert (read_layout(tmp_path).name, _names(high)) == ("pairs", ["calendar", "walk"])
    low = find_lr_shots(high, "auto", 2)
    assert low is not None and low[0].path == tmp_path / "BIx2" / "calendar"
    with pytest.raises(UserError, match="calendar: has 2 recorded LR clips at 1/4 of the HR size; set lr_root=FOLDER"):
        find_lr_shots(high, "auto", 4)
    named = find_lr_shots(high, str(tmp_path / "BDx4"), 4)
    assert named is not None and named[1].path == tmp_path / "BDx4" / "walk"


def test_spmcs(tmp_path: Path) -> None:
    for clip in ("car05_001", "hdclub_003"):
        _frames(tmp_path / clip / "truth")
        _frames(tmp_path / clip / "input4", size=(4, 6))
        _frames(tmp_path / clip / "input2", size=(8, 12))
    high = find_shots(tmp_path)
    assert (read_layout(tmp_path).name, _names(high)) == ("spmcs", ["car05_001", "hdclub_003"])
    low = find_lr_shots(high, "auto", 4)
    assert low is not None
    check_lr_shot(high[1], low[1], 4)
    assert low[1].path == tmp_path / "hdclub_003" / "input4"


def test_videos_in_two_folders_are_pairs_whatever_their_suffix(
    tmp_path: Path, write_video: WriteVideo, frames: Frames
) -> None:
    write_video("HR/deep/a.mkv", frames)
    write_video("LR/deep/a.mp4", frames[:, :16, :32])
    high = find_shots(tmp_path)
    low = find_lr_shots(high, "auto", 2)
    assert low is not None
    assert (_names(high), low[0].path) == (["deep/a"], tmp_path / "LR/deep/a.mp4")
    check_lr_shot(high[0], low[0], 2)


def test_frames_right_inside_hr_and_lr_are_one_clip(tmp_path: Path) -> None:
    _frames(tmp_path / "hr")
    _frames(tmp_path / "lr", size=(8, 12))
    high = find_shots(tmp_path)
    low = find_lr_shots(high, "auto", 2)
    assert low is not None
    assert (_names(high), low[0].path) == ([tmp_path.name], tmp_path / "lr")


def test_videos_side_by_side_told_by_their_names(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    for name in ("a_hr.mkv", "b_hr.mkv", "a_lrx2.mkv", "b_lrx2.mkv", "b_lrx4.mkv"):
        write_video(name, frames[:1])
    high = find_shots(tmp_path)
    low = find_lr_shots(high, "auto", 2)
    assert low is not None
    assert (_names(high), [shot.path.name for shot in low]) == (["a", "b"], ["a_lrx2.mkv", "b_lrx2.mkv"])


def test_one_folder_of_videos_is_all_of_it_and_nothing_is_said(
    tmp_path: Path, write_video: WriteVideo, frames: Frames
) -> None:
    for name in ("a.mkv", "deep/b.mkv", "gt.mkv"):
        write_video(name, frames[:1])
    lines: list[str] = []
    assert _names(find_shots(tmp_path, report=lines.append)) == ["a", "deep/b", "gt"]
    assert lines == []


def test_a_folder_of_another_kind_beside_hr_and_lr_makes_it_no_pair(tmp_path: Path) -> None:
    """Nothing is guessed where a folder's use is not plain."""
    for name in ("HR/a", "LR/a", "holiday/b"):
        _frames(tmp_path / name)
    assert _names(find_shots(tmp_path)) == ["HR/a", "LR/a", "holiday/b"]


def test_what_was_taken_for_what_is_said_in_a_line(reds: Path) -> None:
    lines: list[str] = []
    find_shots(reds, ShotSelection(split="val"), report=lines.append)
    (line,) = lines
    assert "layout reds; HR is train_sharp and val_sharp, 2 clips of split val" in line
    assert "recorded LR in train_sharp_bicubic/X4 is used only with lr_root=auto" in line


def test_a_layout_may_be_said(reds: Path) -> None:
    assert "val_sharp/001" in _names(find_shots(reds, ShotSelection(layout="footage")))
    with pytest.raises(UserError, match="is not laid out as vimeo90k"):
        find_shots(reds, ShotSelection(layout="vimeo90k"))
    with pytest.raises(UserError, match=r"layout=red: is not known; choose one of auto, reds, vimeo90k, pairs"):
        find_shots(reds, ShotSelection(layout="red"))


def test_a_split_that_a_layout_does_not_have_is_told(reds: Path) -> None:
    with pytest.raises(UserError, match=r"has no split 'test'; choose one of reds4, train, val"):
        find_shots(reds, ShotSelection(split="test"))


def test_listing_opens_no_picture(vimeo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsr_lab.video.image_sequence._read_picture", lambda path: pytest.fail("opened a picture"))
    monkeypatch.setattr("vsr_lab.video.image_sequence.Image.open", lambda path: pytest.fail("opened a header"))
    for root in (vimeo, vimeo / "sequences"):
        assert find_shots(root)
