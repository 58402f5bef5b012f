"""Lists of other files: libav must not even look into them, since it would wait for what they name."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.video import find_footage, open_footage
from vsr_lab.video.packets import open_input

pytestmark = pytest.mark.timeout(60)
LIVE = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:100000\n#EXTINF:10.0,\nempty.ts\n"


@pytest.mark.parametrize("name", ["live.m3u8", "nest.mp4", "pipe.mp4"])
def test_a_list_of_other_files_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.ts").touch()
    (tmp_path / "live.m3u8").write_text(LIVE)
    (tmp_path / "nest.mp4").write_text("ffconcat version 1.0\nfile live.m3u8\n")
    (tmp_path / "pipe.mp4").write_text("ffconcat version 1.0\nfile fifo.mp4\n")
    os.mkfifo(tmp_path / "fifo.mp4")
    with pytest.raises(UserError, match=rf"{name}: is a list of other files"):
        open_footage(tmp_path / name)


def test_a_list_among_pictures_is_not_opened(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((16, 16, 3), np.uint8))
    (tmp_path / "1.png").write_text(LIVE)
    with open_input(tmp_path) as container, pytest.raises(Exception, match=r"[Ii]nvalid"):
        list(container.decode(video=0))


def test_folders_with_exponentially_many_links_are_listed_once(tmp_path: Path) -> None:
    for i in range(31):
        (tmp_path / f"d{i}").mkdir()
        for name in "ab":
            (tmp_path / f"d{i}" / name).symlink_to(tmp_path / f"d{i + 1}")
    (tmp_path / "d31").mkdir()
    (tmp_path / "d31/clip.mp4").touch()
    (found,) = find_footage(tmp_path / "d0")
    assert found.resolve() == tmp_path / "d31/clip.mp4"
