"""Folders of images and animated images as a source and as an output."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.encoded import write_encoded
from vsr_lab import upscale
from vsr_lab.core.clip import AnyFrames, Frames
from vsr_lab.core.errors import UserError
from vsr_lab.deployment import Bundle, Encoding
from vsr_lab.deployment.provenance import find_provenance
from vsr_lab.video import VideoFile
from vsr_lab.video.disclosure import DISCLOSURE, find_disclosure

LOSSLESS = Encoding(codec="ffv1")


def write_images(folder: Path, frames: AnyFrames, suffix: str = ".png") -> Path:
    """Images named 1, 2, ... 10, which sort differently by characters."""
    folder.mkdir()
    for number, picture in enumerate(frames, 1):
        cv2.imwrite(str(folder / f"it's {number}{suffix}"), np.ascontiguousarray(picture[..., ::-1]))
    return folder


def doubled(frames: AnyFrames) -> AnyFrames:
    return frames.repeat(2, 1).repeat(2, 2)


@pytest.fixture
def many(frames: Frames) -> Frames:
    return np.concatenate([frames, 255 - frames])


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("deep", [False, True])
def test_images_are_read_in_order_and_depth(
    bundle: Bundle, tmp_path: Path, many: Frames, suffix: str, deep: bool
) -> None:
    given = many.astype(np.uint16) * 256 + 3 if deep else many
    source = write_images(tmp_path / "in", given, suffix)
    upscale(bundle, source, tmp_path / "out.mkv", encoding=LOSSLESS)
    video = VideoFile(tmp_path / "out.mkv")
    assert np.array_equal(video.read(0, video.frames).frames, doubled(given))
    assert video.rate == 25


def test_the_rate_is_that_which_is_set(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    encoding = Encoding(codec="ffv1", rate=Fraction(24000, 1001), start=0.2, stop=0.5)
    made = upscale(bundle, write_images(tmp_path / "in", many), tmp_path / "out.mkv", encoding=encoding)
    assert (made.plan.video.rate, made.plan.first, made.frames) == ("24000/1001", 5, 7)
    assert made.plan.converted[1:] == ["images at 24000/1001 frames a second, as asked"]


def test_videos_have_their_own_rate(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    upscale(bundle, write_images(tmp_path / "in", many), tmp_path / "out.mkv", encoding=LOSSLESS)
    with pytest.raises(UserError, match=r"out\.mkv states its own times"):
        upscale(bundle, tmp_path / "out.mkv", tmp_path / "again.mkv", encoding=Encoding(rate=Fraction(24)))


def test_linear_light_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.exr").touch()
    with pytest.raises(UserError, match="holds EXR, which is linear light"):
        upscale(bundle, tmp_path / "in", tmp_path / "out.mkv")


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_animations_keep_their_frames_and_times(bundle: Bundle, tmp_path: Path, many: Frames, suffix: str) -> None:
    gray = np.ascontiguousarray(many[..., :1].repeat(3, 3))  # which the palette of GIF holds
    images = [Image.fromarray(picture) for picture in gray]
    durations = [40, 200, *[40] * 14]
    source = tmp_path / f"moving{suffix}"
    images[0].save(source, save_all=True, append_images=images[1:], duration=durations, lossless=True)
    upscale(bundle, source, tmp_path / "out.mkv", encoding=LOSSLESS)
    video = VideoFile(tmp_path / "out.mkv")
    assert np.array_equal(video.read(0, video.frames).frames, doubled(gray))
    assert video.probe.timestamps == pytest.approx(np.cumsum([0, *durations[:-1]]) / 1000, abs=1e-3)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("deep", [False, True])
def test_images_are_written_with_depth_and_disclosure(
    bundle: Bundle, tmp_path: Path, many: Frames, suffix: str, deep: bool
) -> None:
    given = many.astype(np.uint16) * 256 + 3 if deep else many
    source, output = write_images(tmp_path / "in", given), tmp_path / "out" / f"%05d{suffix}"
    made = upscale(bundle, source, output, encoding=Encoding(segment=0.4))
    assert len(made.plan.segments) > 1
    written = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in written] == [f"{number:05d}{suffix}" for number in range(1, 17)]
    read = [np.asarray(cv2.imread(str(file), cv2.IMREAD_UNCHANGED)) for file in written]
    assert np.array_equal(np.stack(read)[..., ::-1], doubled(given))
    if suffix == ".png" or not deep:  # Pillow reads no TIFF of 16 bits and three channels
        with Image.open(written[3]) as image:
            text = image.info["Description"] if suffix == ".png" else image.getexif()[270]
        assert text == DISCLOSURE
    assert find_disclosure(tmp_path / "out")
    found = find_provenance(tmp_path / "out")
    assert found is not None and (found.how, found.record.output.file) == ("bytes", "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "in", "out", "out.provenance.json"]


def test_yuv_becomes_rgb_as_the_plan_says(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    source = write_encoded(
        tmp_path / "a.mkv", many, np.arange(16) / 25, pixel_format="yuv444p10le", options={"crf": "0"}
    )
    made = upscale(bundle, source, tmp_path / "out" / "%d.png")
    assert made.plan.converted == [
        "4:4:4 10-bit as RGB 16-bit", "images, which do not state the 25 frames a second"
    ]  # fmt: skip
    written = cv2.imread(str(tmp_path / "out" / "16.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(np.asarray(written)[..., ::-1], doubled(VideoFile(source).read(15, 16).frames)[0])


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x.png", "names one image"),
        ("f%d/x.png", "names one image"),
        ("50%/%d.png", "no folder for several"),
        ("%d%d.png", "names one image"),
        ("%s.png", "names one image"),
        ("%06d.exr", "has the suffix"),
    ],
)
def test_names_that_are_no_sequence_are_refused(
    bundle: Bundle, tmp_path: Path, many: Frames, name: str, problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        upscale(bundle, write_images(tmp_path / "in", many), tmp_path / "out" / name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["in", "bundle"])
def test_a_folder_with_files_is_never_written_to(bundle: Bundle, tmp_path: Path, many: Frames, name: str) -> None:
    source = write_images(tmp_path / "in", many)
    before = sorted((tmp_path / name).iterdir())
    with pytest.raises(UserError, match=r"is the input itself|is inside the bundle"):
        upscale(bundle, source, tmp_path / name / "%d.png", overwrite=True)
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="other: already exists"):
        upscale(bundle, source, tmp_path / "other" / "%d.png", overwrite=True)
    assert sorted((tmp_path / name).iterdir()) == before


def test_images_without_a_folder_are_refused(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_images(tmp_path / "in", np.zeros((2, 16, 16, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    for name in ("x.png", "%d.png"):
        with pytest.raises(UserError, match="no folder for several"):
            upscale(bundle, source, name)


@pytest.mark.parametrize("name", ["a.mkv", "deeper/a.mkv", "deeper/%d.png"])
def test_nothing_is_written_among_the_images_of_the_source(bundle: Bundle, tmp_path: Path, name: str) -> None:
    source = write_images(tmp_path / "in", np.zeros((2, 16, 16, 3), np.uint8))
    with pytest.raises(UserError, match="is among the images of the input"):
        upscale(bundle, source, source / name)
    assert len(list(source.iterdir())) == 2


@pytest.mark.parametrize("other", ["gray", "deep"])
def test_images_of_another_kind_than_the_first_are_refused(
    bundle: Bundle, tmp_path: Path, many: Frames, other: str
) -> None:
    source = write_images(tmp_path / "in", many)
    picture = many[2, ..., 0] if other == "gray" else many[2].astype(np.uint16) * 257
    cv2.imwrite(str(source / "it's 3.png"), picture)
    with pytest.raises(UserError, match=r"changes from rgb24 to (gray|rgb48be) at frame 2"):
        upscale(bundle, source, tmp_path / "out.mkv")
    cv2.imwrite(str(source / "it's 1.png"), many[0, ..., 0])
    with pytest.raises(UserError, match="changes from gray to rgb24 at frame 1"):
        upscale(bundle, source, tmp_path / "out.mkv")


def test_an_image_that_is_transparent_after_opaque_ones_is_refused(
    bundle: Bundle, tmp_path: Path, many: Frames
) -> None:
    source = write_images(tmp_path / "in", many)
    half = np.full((*many.shape[1:3], 1), 128, np.uint8)
    cv2.imwrite(str(source / "it's 12.png"), np.concatenate([many[11], half], 2))
    with pytest.raises(UserError, match="is transparent at frame 11, and opaque before"):
        upscale(bundle, source, tmp_path / "out.mkv")


def test_gray_images_have_full_range(bundle: Bundle, tmp_path: Path) -> None:
    white = np.full((2, 16, 16, 3), 255, np.uint8)
    source = write_encoded(tmp_path / "a.mkv", white, [0, 0.04], options={"crf": "0"})
    made = upscale(bundle, source, tmp_path / "out" / "%d.png", encoding=Encoding(pixel_format="gray"))
    written = cv2.imread(str(tmp_path / "out" / "1.png"), cv2.IMREAD_UNCHANGED)
    assert np.asarray(written).min() == 255 and not made.plan.dropped


def test_varying_times_are_refused(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    source = write_encoded(tmp_path / "a.mkv", many[:4], [0, 0.1, 0.5, 0.6], codec="ffv1", pixel_format="bgr0")
    with pytest.raises(UserError, match="the times of frames, as images have none"):
        upscale(bundle, source, tmp_path / "out" / "%d.png")
