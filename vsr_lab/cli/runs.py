"""The evaluations that runs= names."""

from pathlib import Path
from typing import Any

from vsr_lab.cli.app import plain
from vsr_lab.cli.usage import options
from vsr_lab.core.errors import UserError
from vsr_lab.evaluation import Run, read_run


def read_runs(value: Any) -> list[Run]:
    """The evaluations of runs=[a,b]. Raises UserError where there is none, or a folder holds no evaluation."""
    folders = plain(value)
    folders = folders if isinstance(folders, list) else [folders]
    if not folders:
        raise UserError("runs=[]", "names no run", "set runs=[<evaluation folder>,...]")
    runs = [read_run(Path(str(folder))) for folder in folders]
    for run in runs:
        check_content(f"{run.folder / 'summary.json'}: content", run.summary.content)
    return runs


def check_content(subject: str, content: str | None) -> None:
    """Raises UserError, which begins with subject, for a content type that has no yaml."""
    if content is not None and content not in (known := options("content")):
        raise UserError(subject, f"must be {', '.join(known)} or null, got {content!r}")
