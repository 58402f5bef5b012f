"""Scores of clips in the folder of a stopped evaluation."""

from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.evaluation.stored import read_clip


def test_scores_are_neither_read_nor_written_through_a_link(tmp_path: Path) -> None:
    for name in ("run", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "run/.clips").symlink_to(tmp_path / "other")
    with pytest.raises(UserError, match="leads out of"):
        read_clip(tmp_path / "run", "c1", "")
