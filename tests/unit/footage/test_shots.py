"""Shots: windows, crops and sizes of footage, and where they are found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.cuts import split_at_cuts
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.resize import imresize
from vsr_lab.footage.shots import Shot, ShotSelection, check_lr_shot, find_shots, parse_window
from vsr_lab.video import ReadOptions

WriteVideo = Callable[..., Path]


@pytest.fixture
def video(write_video: WriteVideo, frames: Frames) -> Path:
    """Eight frames of 32 x 64."""
    return write_video("a.mkv", frames)


def test_a_window_counts_from_its_own_first_frame(video: Path, frames: Frames) -> None:
    shot = Shot("a", video, start=2, stop=7)
    assert shot.frames == 5
    assert np.array_equal(shot.read(1, 3).frames, frames[3:5])
    assert shot.read(1, 3).timestamps == pytest.approx([3 / 25, 4 / 25])


def test_a_window_of_a_window_counts_from_the_first(video: Path, frames: Frames) -> None:
    shot = Shot("a", video, start=2, stop=7).window(1, 4)
    assert shot.frames == 3
    assert np.array_equal(shot.read(0, 3).frames, frames[3:6])


@pytest.mark.parametrize(("start", "stop"), [(0, 9), (5, 5), (6, 2), (8, None), (-1, 3)])
def test_a_window_outside_the_footage_is_refused(video: Path, start: int, stop: int | None) -> None:
    with pytest.raises(UserError, match="has 8 frames"):
        Shot("a", video, start, stop).read(0, 1)


def test_a_crop_is_width_height_x_y(video: Path, frames: Frames) -> None:
    shot = Shot("a", video, crop=(40, 16, 10, 4))
    assert shot.size == (16, 40)
    assert np.array_equal(shot.read(0, 8).frames, frames[:, 4:20, 10:50])


@pytest.mark.parametrize("crop", [(65, 32, 0, 0), (64, 32, 1, 0), (64, 32, 0, 1), (8, 8, -1, 0), (0, 8, 0, 0)])
def test_a_crop_that_does_not_fit_is_refused(video: Path, crop: tuple[int, int, int, int]) -> None:
    with pytest.raises(UserError, match="correct the column crop"):
        Shot("a", video, crop=crop).read(0, 1)


@pytest.mark.parametrize(("downscale", "size"), [(2.0, (16, 32)), (1.5, (22, 43)), (3.0, (11, 22))])
def test_a_shrunk_shot_is_as_large_as_it_says(video: Path, downscale: float, size: tuple[int, int]) -> None:
    shot = Shot("a", video, downscale=downscale)
    assert shot.size == size
    assert shot.read(0, 1).frames.shape[1:3] == size


def test_shrinking_is_imresize_rounded(video: Path, frames: Frames) -> None:
    expected = imresize(torch.from_numpy(frames).movedim(-1, -3) / 255, 0.5)
    assert np.array_equal(Shot("a", video, downscale=2).read(0, 8).frames, to_frames(expected))


def test_a_shot_is_cropped_before_it_is_shrunk(video: Path, frames: Frames) -> None:
    read = Shot("a", video, crop=(32, 16, 8, 8), downscale=2).read(0, 1).frames
    cut = torch.from_numpy(frames[:1, 8:24, 8:40]).movedim(-1, -3) / 255
    assert np.array_equal(read, to_frames(imresize(cut, 0.5)))


# Scenes


@pytest.mark.parametrize(
    ("cuts", "scenes"),
    [
        ((), [(10, 20)]),
        ((5, 12, 13), [(10, 12), (12, 13), (13, 20)]),  # a cut before the window is none of its own
        ((10, 20), [(10, 20)]),  # a scene that begins with the window, or after it, parts nothing
        ((13, 12, 13), [(10, 12), (12, 13), (13, 20)]),
    ],
)
def test_cuts_part_a_window_into_scenes(cuts: tuple[int, ...], scenes: list[tuple[int, int]]) -> None:
    assert split_at_cuts(cuts, 10, 20) == scenes


def test_a_manifest_says_where_scenes_begin(tmp_path: Path, video: Path) -> None:
    first, second = find_shots(_manifest(tmp_path, "name,path,cuts", "a,a.mkv,3 6", "b,a.mkv,"))
    assert (first.cuts, second.cuts) == ((3, 6), ())
    assert first.window(2, 5).cuts == (3, 6)  # of the file, whatever the window


# Pairs


@pytest.mark.parametrize("crop", [(64, 32, 0, 0), (63, 31, 0, 0)])
def test_a_pair_that_fits_is_accepted(video: Path, crop: tuple[int, int, int, int]) -> None:
    """What the scale does not divide loses its last row and column."""
    width, height = crop[0] // 2, crop[1] // 2
    check_lr_shot(Shot("high", video, crop=crop), Shot("low", video, crop=(width, height, 0, 0)), 2)


@pytest.mark.parametrize(
    ("low", "told"),
    [
        (Shot("low", Path(), 0, 7), "has 7 frames, but its HR has 8"),
        (Shot("low", Path(), crop=(32, 15, 0, 0)), "is 32x15, but its HR size divided by scale 2 is 32x16"),
        (Shot("low", Path(), crop=(16, 32, 0, 0)), "is 16x32, but its HR size divided by scale 2 is 32x16"),
        (Shot("low", Path()), "is 64x32, but its HR size divided by scale 2 is 32x16"),
    ],
)
def test_a_pair_that_does_not_fit_is_named(video: Path, low: Shot, told: str) -> None:
    with pytest.raises(UserError, match=f"a.mkv: {told}"):
        check_lr_shot(Shot("high", video), replace(low, path=video), 2)


# Windows in words


@pytest.mark.parametrize(
    ("text", "window"), [("60:84", (60, 84)), ("60:", (60, None)), (":84", (0, 84)), ("", (0, None)), (None, (0, None))]
)
def test_a_window_is_read_from_its_words(text: str | None, window: tuple[int, int | None]) -> None:
    assert parse_window(text) == window


@pytest.mark.parametrize("text", ["60", "a:b", "-1:3", "1:2:3", "1.5:2", " 1:2", "1:²"])
def test_other_words_are_no_window(text: str) -> None:
    with pytest.raises(UserError, match="must be START:STOP"):
        parse_window(text)


# Finding


def test_names_are_paths_below_the_root(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    for name in ("b.mkv", "deep/a.v2.mkv"):
        write_video(name, frames[:1])
    assert [shot.name for shot in find_shots(tmp_path)] == ["b", "deep/a.v2"]


def test_one_file_is_named_by_its_stem(video: Path) -> None:
    assert [shot.name for shot in find_shots(video)] == ["a"]


def test_clips_come_in_the_order_asked_for(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    for name in "abc":
        write_video(f"{name}.mkv", frames[:1])
    assert [shot.name for shot in find_shots(tmp_path, ShotSelection(clips=["c", "a"]))] == ["c", "a"]


def test_a_missing_clip_is_named_with_those_there(tmp_path: Path, video: Path) -> None:
    with pytest.raises(UserError, match=r"clips: .* has no clip walk; choose from a"):
        find_shots(tmp_path, ShotSelection(clips=["a", "walk"]))


def test_two_clips_of_one_name_are_refused(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    """Their scores would be filed under one clip."""
    write_video("a.mkv", frames)
    write_video("a.mp4", frames)
    with pytest.raises(UserError, match=r"\ba\b"):
        find_shots(tmp_path)


def test_frames_narrows_every_shot(tmp_path: Path, video: Path) -> None:
    assert [(shot.start, shot.frames) for shot in find_shots(tmp_path, ShotSelection(frames="2:6"))] == [(2, 4)]


# Manifests


def _manifest(folder: Path, *rows: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_row_says_what_its_shot_is(tmp_path: Path, video: Path, frames: Frames) -> None:
    manifest = _manifest(tmp_path, "name,path,start,stop,downscale,crop", "left,a.mkv,1,5,2,32 32 0 0")
    (shot,) = find_shots(manifest)
    assert shot == Shot("left", tmp_path / "a.mkv", 1, 5, 2.0, (32, 32, 0, 0))
    assert shot.read(0, 4).frames.shape == (4, 16, 16, 3)


def test_what_a_row_leaves_open_is_filled_by_the_caller(tmp_path: Path, video: Path) -> None:
    manifest = _manifest(tmp_path, "name,path,start,stop", "open,a.mkv,,", "own,a.mkv,3,4")
    shots = find_shots(manifest, ShotSelection(frames="1:6", downscale=2))
    assert shots == [Shot("open", video, 1, 6, 2.0), Shot("own", video, 3, 4, 2.0)]


def test_rows_are_chosen_by_split_and_content(tmp_path: Path) -> None:
    manifest = _manifest(
        tmp_path,
        "name,path,split,content_type",
        "a,a.mkv,train,screen",
        "b,b.mkv,eval,screen",
        "c,c.mkv,eval,film",
    )
    assert [shot.name for shot in find_shots(manifest, ShotSelection(split="eval"))] == ["b", "c"]
    assert [shot.name for shot in find_shots(manifest, ShotSelection(split="eval", content="screen"))] == ["b"]
    with pytest.raises(UserError, match="no footage for split=train and content=film"):
        find_shots(manifest, ShotSelection(split="train", content="film"))
    for split, hint in {"evel": "did you mean eval", "x": "choose one of eval, train"}.items():
        with pytest.raises(UserError, match=f"has no split '{split}'; {hint}"):
            find_shots(manifest, ShotSelection(split=split))
    with pytest.raises(UserError, match=r"remove split=, or give a manifest \(CSV\) that has a column named split"):
        find_shots(_manifest(tmp_path, "path,split", "a.mkv,"), ShotSelection(split="train"))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("path,start", "a.mkv,soon"),
        ("path,crop", "a.mkv,1 2 3"),
        ("path,crop", "a.mkv,wide"),
        ("path,cuts", "a.mkv,3 soon"),
        ("path,downscale", "a.mkv,half"),
        ("path,downscale", "a.mkv,0"),
        ("path,downscale", "a.mkv,-2"),
        ("path,downscale", "a.mkv,nan"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(tmp_path: Path, header: str, row: str) -> None:
    with pytest.raises(UserError, match=r"manifest\.csv: row a\.mkv: "):
        find_shots(_manifest(tmp_path, header, row))


def test_a_row_may_end_early(tmp_path: Path, video: Path) -> None:
    assert find_shots(_manifest(tmp_path, "path,start,stop,crop", "a.mkv")) == [Shot("a", video)]


def test_two_rows_of_one_name_are_refused(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path, "path,start,stop", "a.mkv,0,4", "a.mkv,4,8")
    with pytest.raises(UserError, match=r"\ba\b"):
        find_shots(manifest)


def test_a_manifest_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    """Spreadsheets put a byte order mark in front."""
    assert [shot.name for shot in find_shots(_manifest(tmp_path, "\ufeffpath,start", "a.mkv,0"))] == ["a"]


@pytest.mark.parametrize(("text", "told"), [("", "rows"), ("path", "rows"), ("file\na.mkv", "column `path`")])
def test_a_manifest_without_paths_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError, match=f"has no {told}"):
        find_shots(_manifest(tmp_path, text))


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"manifest\.csv: cannot be read"):
        find_shots(tmp_path / "manifest.csv")


def test_rows_say_how_their_files_are_treated_and_the_caller_for_the_rest(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path, "name,path,deinterlace,tone_map,damaged", "a,a.mkv,ivtc,,keep", "b,a.mkv,,bt2390,")
    one, two = find_shots(manifest, ShotSelection(deinterlace="bwdif"))
    assert one.read_options == ReadOptions(deinterlace="ivtc", damaged="keep")
    assert two.read_options == ReadOptions(deinterlace="bwdif", tone_map="bt2390")
    with pytest.raises(UserError, match="damaged=yes: is not known"):
        find_shots(_manifest(tmp_path, "path,damaged", "a.mkv,yes"))


def test_a_file_that_changed_since_it_was_noted_is_refused(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = _manifest(tmp_path, "name,path,start,stop,sha256", *(f"{n},a.mkv,{n},8,{sha256(video)}" for n in "012"))
    hashed: list[Path] = []
    monkeypatch.setattr("vsr_lab.core.files.sha256", lambda path: hashed.append(path) or sha256(path))
    for shot in find_shots(manifest):
        shot.read(0, 2)
    assert hashed == [video], "each file is summed once, however many windows it has"
    data = bytearray(video.read_bytes())
    data[-100] ^= 1
    video.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.mkv: is not the file that the manifest describes \(sha256 differs\)"):
        find_shots(manifest)[0].read(0, 2)
