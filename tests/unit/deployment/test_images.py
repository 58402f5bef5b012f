"""Folders of images and animated images as a source and as an output."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vsr_lab import upscale
from vsr_lab.core.clip import AnyFrames, Frames
from vsr_lab.core.errors import UserError
from vsr_lab.deployment import Bundle, Encoding
from vsr_lab.video import VideoFile

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
