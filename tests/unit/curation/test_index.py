"""Indexing of footage: what cannot be indexed is refused."""

from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.curation import Scans, plan_index


@pytest.mark.parametrize("text", ["name,bytes\na,1\n", "path\n"])
def test_a_table_that_lists_no_paths_is_refused(tmp_path: Path, text: str) -> None:
    table = tmp_path / "list.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="has no rows with a column path"):
        plan_index(table, tmp_path / "manifest.csv", Scans(tmp_path / "scans"))
