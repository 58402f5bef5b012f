"""Pictures that a stranger made: no other program runs for them, and small files need no large memory."""

import struct
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from vsr_lab.core.errors import UserError
from vsr_lab.video import open_footage, open_picture
from vsr_lab.video.image_sequence import as_apng


def test_a_postscript_program_with_the_name_of_a_photograph_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ghostscript = tmp_path / "bin/gs"
    ghostscript.parent.mkdir()
    ghostscript.write_text(f"#!/bin/sh\necho run >> {tmp_path}/run\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ghostscript.parent}:/usr/bin:/bin")
    path = tmp_path / "photo.jpg"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30 20\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(UserError, match=r"photo\.jpg: is not a picture"), open_picture(path) as picture:
        picture.load()
    assert not (tmp_path / "run").exists()


def test_pictures_are_opened_in_one_module() -> None:
    """Which says of which types they may be."""
    opened = [path.name for path in (ROOT / "vsr_lab").rglob("*.py") if "Image.open(" in path.read_text()]
    assert opened == ["image_sequence.py"]


def animation(path: Path, side: int, frames: int) -> Path:
    """A WebP file of small frames on a large canvas."""
    buffer = BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "WEBP", lossless=True)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    def three(value: int) -> bytes:
        return struct.pack("<I", value)[:3]

    body = chunk(b"VP8X", bytes([2, 0, 0, 0]) + 2 * three(side - 1)) + chunk(b"ANIM", bytes(6))
    for i in range(frames):
        place = three(0) + three(i % 64) + 2 * three(15) + three(40) + b"\0"
        body += chunk(b"ANMF", place + buffer.getvalue()[12:])
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body)
    return path


def test_a_small_animation_is_read(tmp_path: Path) -> None:
    assert as_apng(animation(tmp_path / "a.webp", 256, 3)).startswith(b"\x89PNG")


@pytest.mark.parametrize(("side", "frames"), [(13000, 60), (16000, 3)])
def test_an_animation_that_needs_gibibytes_is_refused(tmp_path: Path, side: int, frames: int) -> None:
    path = animation(tmp_path / "a.webp", side, frames)
    with pytest.raises(UserError, match=r"a\.webp"):
        open_footage(path)


def test_a_frame_of_another_size_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, side in enumerate((16, 4000)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((side, side, 3), np.uint8))
    footage = open_footage(tmp_path)
    read: list[str] = []
    decode = cv2.imread
    monkeypatch.setattr(cv2, "imread", lambda path, flags: (read.append(Path(path).name), decode(path, flags))[1])
    with pytest.raises(UserError, match=r"1\.png: is 4000x4000, but the first frame is 16x16"):
        footage.read(0, 2)
    assert read == ["0.png"]
