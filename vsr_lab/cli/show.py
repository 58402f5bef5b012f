"""Output at the end of a command: a table of numbers, and the files that were written."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

console = Console(highlight=False)


def show_files(title: str, files: Mapping[str, Path]) -> None:
    """Print the paths of written files, under a title."""
    console.print(f"\n[bold]{title}[/bold]")
    for what, path in files.items():
        console.print(f"  {what:<10} {path}", soft_wrap=True)


def show_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> None:
    """Print a table whose first `texts` columns are text and the others numbers."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for i, name in enumerate(header):
        table.add_column(name, justify="left" if i < texts else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
