"""Manifests that are not what they seem are refused, with the file and the column."""

from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.footage.shots import ShotSelection, find_shots, splits_of


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("path,path\na.mkv,b.mkv\n", "two columns named path"),
        ("path;split\na.mkv;train\n", "separate columns by commas"),
        ("path,fraems\na.mkv,0:4\n", "'fraems'; did you mean frames"),
        ("path, start\na.mkv,4\n", "' start'; did you mean start"),
        ('path\n"a.mkv\nb.mkv\n', "cannot be read"),
        ("path,cuts\na.mkv,-5\n", "row a.mkv: .*must be >= 0"),
        ("path,start,stop\na.mkv,8,4\n", "row a.mkv: .*stop > start"),
        ("name,path\n../../a,a.mkv\n", "cannot be the name of a file"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"m\.csv: .*{problem}"):
        find_shots(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_marks_and_line_ends_of_other_systems_are_read(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(end.join(["path,split,owner", "a.mkv,train,me", "b.mkv,eval,me", ""]).encode(encoding))
    assert [shot.name for shot in find_shots(path, ShotSelection(split="train"))] == ["a"]
    assert splits_of(path) == ["eval", "train"]
