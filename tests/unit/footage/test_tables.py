"""Tables of text: CSV and Parquet say the same, and what is broken is named."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import write_moving_clip
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import read_parquet
from vsr_lab.footage.shots import find_shots
from vsr_lab.footage.tables import read_rows, write_rows

CELLS = st.text(st.characters(exclude_categories=("C", "Z")), max_size=8)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_come_back_as_text(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_rows(path, [{"path": 'a, "b".mkv', "start": 3, "motion": 0.25}, {"path": "ü.mkv", "note": "one\ntwo"}])
    assert read_rows(path) == [
        {"path": 'a, "b".mkv', "start": "3", "motion": "0.25", "note": ""},
        {"path": "ü.mkv", "start": "", "motion": "", "note": "one\ntwo"},
    ]


@given(rows=st.lists(st.fixed_dictionaries({"path": CELLS, "note": CELLS}), min_size=1, max_size=4))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("rows")
    for suffix in (".csv", ".parquet"):
        write_rows(folder / f"a{suffix}", rows)
        assert read_rows(folder / f"a{suffix}") == rows


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_no_table_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\xff\xfe\x00 no table")
    with pytest.raises(UserError, match="cannot be read"):
        read_rows(path)


def test_a_row_with_too_many_cells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,note\na.mkv,one, two\n")
    with pytest.raises(UserError, match="line 2"):
        read_rows(tmp_path / "a.csv")


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="must end in"):
        write_rows(tmp_path / "a.xlsx", [{"path": "a"}])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_manifest_leaves_out_what_could_not_be_read(tmp_path: Path, suffix: str) -> None:
    clip = write_moving_clip(tmp_path / "good.mkv", frames=4)
    rows = [{"path": clip.name, "stop": 3}, {"path": "bad.mkv", "problem": "is no video"}]
    write_rows(tmp_path / f"manifest{suffix}", rows)
    assert [(shot.name, shot.frames) for shot in find_shots(tmp_path / f"manifest{suffix}")] == [("good", 3)]


def test_a_table_of_too_many_rows_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "many.parquet"
    write_rows(path, [{"path": "a.mkv"}] * 11)
    with pytest.raises(UserError, match="has 11 rows and 1 columns, more than 10 cells"):
        read_parquet(path, most=10)


def test_a_small_file_that_becomes_huge_is_refused(tmp_path: Path) -> None:
    many, long = tmp_path / "many.parquet", tmp_path / "long.parquet"
    pl.DataFrame({f"c{i}": pl.repeat("a", 200_000, eager=True) for i in range(60)}).write_parquet(many)
    pl.DataFrame({"path": pl.repeat("a" * 100_000, 6000, eager=True)}).write_parquet(long)
    assert long.stat().st_size < 1_000_000
    for path, problem in ((many, "more than 10,000,000 cells"), (long, "has more than 512 MiB of text")):
        with pytest.raises(UserError, match=problem):
            read_rows(path)


@pytest.mark.parametrize("value", [b"\0", [1, 2], {"a": 1}])
def test_columns_of_lists_and_binary_data_are_not_read(tmp_path: Path, value: object) -> None:
    """The values of a small file may be of any size."""
    pl.DataFrame({"path": ["a.mkv"], "extra": [value]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: has values of type \w+.* in column extra"):
        read_rows(tmp_path / "a.parquet")


def test_a_sparse_csv_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(UserError, match=r"a\.csv: has more than 256 MiB"):
        read_rows(tmp_path / "a.csv")
