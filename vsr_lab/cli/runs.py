"""Reading the evaluation folders that runs= names."""

from pathlib import Path
from typing import Any

from vsr_lab.cli.app import plain
from vsr_lab.core.errors import UserError
from vsr_lab.evaluation import Run, read_run


def read_runs(value: Any) -> list[Run]:
    """runs=[a,b]: evaluation folders. Raises UserError for none, or for a folder that is no evaluation."""
    folders = plain(value)
    folders = folders if isinstance(folders, list) else [folders]
    if not folders:
        raise UserError("runs=[]", "names no run", "say runs=[<evaluation folder>,...]")
    return [read_run(Path(str(folder))) for folder in folders]
