"""Progress bars: what is shown, and that nothing is left."""

import io
from unittest.mock import patch

import rich
from rich.console import Console

from vsr_lab.core.progress import progress_bar


def shown(total: float, unit: str, *, hidden: bool = False) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with (
        patch.object(rich, "_console", console),
        progress_bar("working", total, unit, shown=not hidden) as update,
    ):
        update(advance=total / 4)
        update(description="still working", completed=total / 2, refresh=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_bar_shows_its_description_and_its_counts() -> None:
    assert "still working" in (text := shown(8, "frames")) and "4/8" in text


def test_bytes_are_shown_in_gib() -> None:
    assert "2.0/4.0 GiB" in shown(4 * 2**30, "bytes")


def test_a_hidden_bar_shows_nothing() -> None:
    assert shown(8, "frames", hidden=True) == ""
