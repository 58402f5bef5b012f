"""Upscaled files are recognised as such, so that none is taken for HR."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vsr_lab.core.clip import Frames
from vsr_lab.deployment import Bundle, Encoding, upscale
from vsr_lab.video.disclosure import find_disclosure

WriteVideo = Callable[..., Path]


@pytest.fixture
def source(write_video: WriteVideo, frames: Frames) -> Path:
    return write_video("in/source.mkv", frames)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.avi", "a.webm", "a.ts"])
def test_what_upscale_wrote_is_recognised(bundle: Bundle, source: Path, tmp_path: Path, name: str) -> None:
    assert find_disclosure(source) == ""
    codec = "libvpx-vp9" if name == "a.webm" else "libx264"
    upscale(
        bundle,
        source,
        tmp_path / name,
        encoding=Encoding(codec=codec, pixel_format="yuv420p", unsupported="drop"),
    )
    assert find_disclosure(tmp_path / name) == "it says that vsr_lab upscaled it"


def test_a_digital_source_type_is_recognised(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    picture = tmp_path / "frames" / "0.png"
    picture.parent.mkdir()
    picture.write_bytes(b"\x89PNG ... digitalsourcetype/trainedAlgorithmicMedia ...")
    assert "digital source type" in find_disclosure(picture)
    assert "digital source type" in find_disclosure(picture.parent)
    assert find_disclosure(tmp_path / "none.mp4") == ""
    (tmp_path / "text.mp4").write_text("no video")
    assert find_disclosure(tmp_path / "text.mp4") == ""
