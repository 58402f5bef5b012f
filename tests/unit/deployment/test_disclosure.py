"""Upscaled files are recognised as such, so that none is taken for HR."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
import pytest

from vsr_lab.core.clip import Frames
from vsr_lab.deployment import DISCLOSURE, Bundle, Encoding, upscale
from vsr_lab.video import disclosure
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


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_streams_disclose_it_where_the_container_has_no_tags(
    bundle: Bundle, write_video: WriteVideo, frames: Frames, tmp_path: Path, codec: str
) -> None:
    source, output = write_video("in/long.mkv", np.tile(frames, (4, 1, 1, 1))), tmp_path / "a.ts"
    encoding = Encoding(codec=codec, pixel_format="yuv420p", segment=0.4, options={"preset": "ultrafast"})
    upscale(bundle, source, output, encoding=encoding)
    assert find_disclosure(output)
    with av.logging.Capture() as complaints, av.open(str(output)) as container:
        decoded: list[Any] = list(container.decode(video=0))
    assert (len(decoded), complaints) == (32, [])
    kinds = {data.type.name: bytes(data) for data in decoded[0].side_data}
    assert kinds["SEI_UNREGISTERED"].endswith(DISCLOSURE.encode())
    with av.open(str(output)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    texts = [bytes(packet).count(DISCLOSURE.encode()) for packet in packets]
    assert texts == [int(packet.is_keyframe) for packet in packets]
    assert sum(texts) == 3  # one for each segment


def test_text_that_headers_of_a_transport_stream_divide_is_found(
    bundle: Bundle, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding = Encoding(codec="libx265", pixel_format="yuv420p", unsupported="drop")
    upscale(bundle, source, tmp_path / "a.ts", encoding=encoding)
    monkeypatch.setattr(disclosure, "_READ", 0)
    assert find_disclosure(tmp_path / "a.ts")


def test_a_digital_source_type_is_recognised(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> None:
    picture = tmp_path / "frames" / "0.png"
    picture.parent.mkdir()
    picture.write_bytes(b"\x89PNG ... digitalsourcetype/trainedAlgorithmicMedia ...")
    assert "digital source type" in find_disclosure(picture)
    assert "digital source type" in find_disclosure(picture.parent)
    assert find_disclosure(tmp_path / "none.mp4") == ""
    (tmp_path / "text.mp4").write_text("no video")
    assert find_disclosure(tmp_path / "text.mp4") == ""
