"""The label that is drawn into frames: where it is, and what knows of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError
from vsr_lab.deployment import Bundle, Encoding, plan_upscale, upscale
from vsr_lab.deployment.streams.frames import LABEL, Label
from vsr_lab.video import VideoFile

EXACT = Encoding(codec="ffv1", pixel_format="bgr0")
MPEG = Encoding(codec="mpeg2video", pixel_format="yuv420p")
ROWS = 14  # of 144 that the label takes


@pytest.fixture
def source(write_video: Callable[..., Path]) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (3, 72, 128, 3)).astype(np.uint8)
    return write_video("in/source.mkv", noise)


def _frames(path: Path) -> AnyFrames:
    video = VideoFile(path)
    return video.read(0, video.frames).frames


@pytest.mark.parametrize("pixel_format", ["bgr0", "gbrp16le"])
def test_only_the_bottom_changes(bundle: Bundle, source: Path, tmp_path: Path, pixel_format: str) -> None:
    plain, labelled = tmp_path / "plain.mkv", tmp_path / "labelled.mkv"
    encoding = replace(EXACT, pixel_format=pixel_format)
    assert upscale(bundle, source, plain, encoding=encoding).plan.video.label == ""
    provenance = upscale(bundle, source, labelled, encoding=replace(encoding, label="visible"))
    assert provenance.plan.video.label == LABEL
    assert any("label" in line for line in provenance.plan.converted)
    before, after = _frames(plain), _frames(labelled)
    assert np.array_equal(before[:, :-ROWS], after[:, :-ROWS])
    strip = after[:, -ROWS:] / np.iinfo(after.dtype).max
    assert (strip < 0.66).all()
    assert 0.02 < (strip.min(3) > 0.4).mean() < 0.2  # letters


@pytest.mark.parametrize("size", [(1920, 1080), (256, 144), (128, 64), (90, 400)])
def test_the_label_is_small_and_equal_in_both_depths(size: tuple[int, int]) -> None:
    white = np.full((size[1], size[0], 3), 255, np.uint8)
    drawn = Label(LABEL, size).draw(white)
    deep = Label(LABEL, size).draw(white.astype(np.uint16) * 257)
    assert white.min() == 255
    assert np.abs(drawn / 255 - deep / 65535).max() < 0.003
    changed = (drawn != white).any((1, 2))
    rows = int(changed.sum())
    assert changed[-rows:].all()
    assert rows <= size[1] * (0.06 if min(size) > 720 else 0.4)
    strip = drawn[-rows:]
    assert strip.min() == 38
    assert 150 < strip.max() <= 166
    assert np.ptp(strip[:, [0, -1]]) == 0  # letters are not cut off at the sides


def test_transparent_frames_show_the_label() -> None:
    alpha = Label(LABEL, (256, 144)).cover(np.zeros((144, 256), np.uint8))
    assert alpha[-ROWS:].min() == 255
    assert alpha[:-ROWS].max() == 0


def test_frames_that_it_would_hide_are_refused(
    bundle: Bundle, write_video: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_video("in/small.mkv", np.zeros((3, 24, 32, 3), np.uint8))
    with pytest.raises(UserError, match=r"label: needs 44 rows"):
        plan_upscale(bundle, source, tmp_path / "a.mkv", encoding=replace(EXACT, label="visible"))


def test_a_container_that_keeps_no_note_needs_the_label(bundle: Bundle, source: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.mpg"
    for unsupported in (None, "drop"):
        with pytest.raises(UserError, match=r"the note that it was upscaled.*label=visible"):
            upscale(bundle, source, output, encoding=replace(MPEG, unsupported=unsupported))
    assert any("note" in lost for lost in plan_upscale(bundle, source, output, encoding=MPEG).dropped)
    provenance = upscale(bundle, source, output, encoding=replace(MPEG, label="visible", unsupported="drop"))
    assert not any("note" in lost for lost in provenance.plan.dropped)
    assert _frames(output)[0, -2:].max() < 80
