"""Reading of the evaluations that the key `runs` of a command lists."""

from collections.abc import Iterable
from pathlib import Path

from vsr_lab.cli.configuration.usage import options
from vsr_lab.core.errors import UserError
from vsr_lab.evaluation import results
from vsr_lab.evaluation.results import Run


def read_runs(folders: Iterable[Path]) -> list[Run]:
    """Read evaluations. Raises UserError for a folder without an evaluation, and for a content type without a yaml."""
    runs = results.read_runs(folders)
    for run in runs:
        check_content(f"{run.folder / 'summary.json'}: content", run.summary.content)
    return runs


def check_content(subject: str, content: str | None) -> None:
    """Raise UserError if a content type has no yaml in configs/content; None is accepted.

    Args:
        subject: what the message begins with: the key or file that contains the content type.
        content: the content type.
    """
    if content is not None and content not in (known := options("content")):
        raise UserError(subject, f"must be {', '.join(known)} or null, got {content!r}")
