"""The table of a training, continued."""

from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.training.csv_log import CsvLog


def test_a_continued_table_keeps_its_rows_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,name,value,note\n1,loss,0.5,good\n2,loss,0.4,\n3,lo")  # a kill cut the last row
    log = CsvLog(path)
    log.start(2)
    log.log_metrics({"loss": 0.3}, 2)
    assert path.read_text() == "step,name,value,note\n1,loss,0.5,good\n2,loss,0.3\n"


@pytest.mark.parametrize(
    "text", ["", "my,own,table\n1,2,3\n", "step,name,value\none,loss,0.5\n", "step,name,value\n# a note\n1,loss,0.5\n"]
)
def test_another_table_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    with pytest.raises(UserError, match="is not the table of a training"):
        CsvLog(path).start(2)
    assert path.read_text() == text
