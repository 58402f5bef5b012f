"""What commands print: sentences, facts by name, tables of numbers, and the files that were written."""

from collections.abc import Iterable, Mapping, Sequence

from rich import get_console
from rich.table import Table
from rich.text import Text

from vsr_lab.core.errors import printable

console = get_console()  # of progress bars too


def show(text: str, style: str = "") -> None:
    """Print text, which the terminal breaks. No control character of a file name reaches the terminal."""
    console.print(_plain(text), style=style, soft_wrap=True)


def _plain(text: str) -> Text:
    return Text(printable(text, but="\n"))


def show_facts(title: str, facts: Mapping[str, object]) -> None:
    """Print names and values, such as the paths of written files.

    Args:
        title: line above them; empty: none.
        facts: name -> value.
    """
    if title:
        show(f"\n{printable(title)}", "bold")
    width = max([10, *map(len, facts)])
    for name, fact in facts.items():
        show(f"  {name:<{width}} {printable(str(fact))}")


def show_left_out(problems: Iterable[str]) -> None:
    """Print why footage was left out."""
    for problem in problems:
        show(f"left out: {printable(problem)}", "yellow")


def show_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> None:
    """Print a table whose first `texts` columns are text and the others numbers."""
    table = Table(title=_plain(title), title_justify="left", title_style="bold")
    for i, name in enumerate(header):
        table.add_column(_plain(name), justify="left" if i < texts else "right")
    for row in rows:
        table.add_row(*map(_plain, row))
    console.print(table)
