"""Every encoding is read right at every index, or refused by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.parity.encoding_rows import ROWS
from tests.parity.encodings import Result, Row, hide, measure, x264

_BY_NAME = {row.name: row for row in ROWS}


def _sampled() -> list[object]:
    """Every row, of which `make test` runs one in three."""
    return [pytest.param(row, id=row.name, marks=[pytest.mark.slow] if i % 3 else []) for i, row in enumerate(ROWS)]


@pytest.mark.parametrize("row", _sampled())
def test_read_right_or_refused_by_name(row: Row, tmp_path: Path) -> None:
    result = measure(row, tmp_path)
    assert result.right, result


def test_names_are_unique_and_rows_enough() -> None:
    assert len(_BY_NAME) == len(ROWS) >= 24


def _measured(row: Row, tmp_path: Path) -> Result:
    return measure(row, tmp_path)


def test_chroma_in_another_place_would_be_noticed(tmp_path: Path) -> None:
    assert _measured(replace(_BY_NAME["h264 709"], siting="center"), tmp_path).mae > 1


def test_another_matrix_would_be_noticed(tmp_path: Path) -> None:
    """The file says 601, its planes were made by 709."""
    row = replace(_BY_NAME["h264 709"], tags={"colorspace": 6})
    assert _measured(row, tmp_path).mae > 1


def test_another_range_would_be_noticed(tmp_path: Path) -> None:
    row = replace(_BY_NAME["h264 709"], tags={"color_range": 2})
    assert _measured(row, tmp_path).mae > 1


def test_another_peak_would_be_noticed(tmp_path: Path) -> None:
    """The file says that it was mastered at 4000 cd/m2."""
    row = replace(_BY_NAME["hevc PQ mastered at 4000, mapped"], peak=1000)
    assert _measured(row, tmp_path).mae > 1


def test_a_shifted_frame_would_be_noticed(tmp_path: Path) -> None:
    """Three frames are hidden; a reader that hid only two would stand where this row looks from."""
    row = Row("shifted", "mp4", "libx264", options=x264(), patch=hide(3), shown=range(2, 23))
    result = _measured(row, tmp_path)
    assert result.wrong and not result.right
