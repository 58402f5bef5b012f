"""Contact sheets: where images and text are placed, and how images are scaled."""

from pathlib import Path

import numpy as np
from PIL import Image

from vsr_lab.core.pictures import SheetRow, write_contact_sheet


def plain(height: int, width: int, level: int) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_images_are_placed_in_rows_unscaled(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [SheetRow([plain(20, 30, 50), None, plain(20, 30, 90)]), SheetRow([plain(20, 30, 70)])])
    sheet = np.array(Image.open(path))
    assert sheet.shape == (2 * 26 + 6, 3 * 36 + 6, 3)
    for level, (row, column) in {50: (0, 0), 90: (0, 2), 70: (1, 0)}.items():
        y, x = 6 + 26 * row, 6 + 36 * column
        assert (sheet[y : y + 20, x : x + 30] == level).all()
    assert (sheet[6:26, 42:72] == 255).all()  # an empty cell


def test_images_are_scaled_into_their_cell(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    checks = np.indices((8, 8)).sum(0)[..., None].repeat(3, 2).astype(np.uint8) % 2 * 255
    write_contact_sheet(path, [SheetRow([checks, plain(100, 400, 9)], ["a\nb", "c"])], cell=(64, 64))
    sheet = np.array(Image.open(path))
    assert (sheet[6:70, 6:70] == checks.repeat(8, 0).repeat(8, 1)).all()
    assert (sheet[30:46, 76:140] == 9).all() and (sheet[8:28, 76:140] == 0x20).all()
    assert sheet.shape[0] == 64 + 2 * 17 + 12


def test_a_text_that_is_too_long_keeps_its_end(tmp_path: Path) -> None:
    long, short, cut = tmp_path / "long.png", tmp_path / "short.png", tmp_path / "cut.png"
    for path, text in ((long, "a" * 200 + "end"), (short, "end"), (cut, "a" * 200)):
        write_contact_sheet(path, [SheetRow([plain(10, 90, 0)], [text])])
    shape, images = np.array(Image.open(short)).shape, [np.array(Image.open(path)) for path in (long, short, cut)]
    assert {image.shape for image in images} == {shape}
    assert (images[0] != images[2]).any()


def test_a_title_and_a_row_of_captions_alone(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [SheetRow([], ["LR", "HR"]), SheetRow([plain(10, 60, 0)] * 2, title="clip\nfault")])
    assert Image.open(path).size == (2 * 66 + 6, 17 + 6 + 34 + 10 + 6 + 6)
