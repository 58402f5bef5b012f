"""Indexing of footage: what cannot be indexed is refused."""

from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.curation import Scans, plan_index


@pytest.mark.parametrize(("text", "told"), [("name,bytes\na,1\n", "has no column `path`"), ("path\n", "has no rows")])
def test_a_table_that_lists_no_paths_is_refused(tmp_path: Path, text: str, told: str) -> None:
    table = tmp_path / "list.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=told):
        plan_index(table, tmp_path / "manifest.csv", Scans(tmp_path / "scans"))


@pytest.mark.parametrize(
    ("renamed", "notes"),
    [
        ([("a", "x"), ("b", "a"), ("x", "b")], {"a": "of b", "b": "of a", "c": "of c"}),
        ([("c", "d"), ("b", "c"), ("a", "b")], {"b": "of a", "c": "of b", "d": "of c"}),
        ([], {"a": "of a", "b": "of b", "c": "of c"}),
    ],
)
def test_a_renamed_file_takes_its_row_along(
    tmp_path: Path, renamed: list[tuple[str, str]], notes: dict[str, str]
) -> None:
    lines = ["path,note,sha256,indexed,bytes,modified,problem"]
    for name in "abc":
        file = tmp_path / "film" / f"{name}.mkv"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(name.encode() * 100)
        lines.append(f"film/{name}.mkv,of {name},{sha256(file)},3,100,0,")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for old, new in renamed:
        (tmp_path / f"film/{old}.mkv").rename(tmp_path / f"film/{new}.mkv")
    plan = plan_index(tmp_path / "film", tmp_path / "m.csv", Scans(tmp_path / "scans"))
    assert {task.path.stem: task.previous[0]["note"] for task in plan.tasks} == notes
    assert {task.path.stem: f"of {(task.old_path or Path()).stem}" for task in plan.tasks} == notes
    assert plan.other_rows == []
