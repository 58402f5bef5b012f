"""Printing of text, tables, and names with values, such as the files that a command wrote."""

from collections.abc import Iterable, Mapping, Sequence

from rich import get_console
from rich.table import Table
from rich.text import Text

from vsr_lab.core.errors import printable

console = get_console()  # of progress bars too


def show(text: str, style: str = "") -> None:
    """Print text and a line break. Long lines are not wrapped. Control characters other than line breaks are escaped.

    Args:
        text: the text.
        style: style of rich, such as "yellow" or "bold"; empty: none.
    """
    console.print(_plain(text), style=style, soft_wrap=True)


def _plain(text: str) -> Text:
    return Text(printable(text, but="\n"))


def show_facts(title: str, facts: Mapping[str, object]) -> None:
    """Print names and values, such as the paths of written files.

    Args:
        title: line printed above the facts; if empty, no line is printed.
        facts: name -> value.
    """
    if title:
        show(f"\n{printable(title)}", "bold")
    width = max([10, *map(len, facts)])
    for name, fact in facts.items():
        show(f"  {name:<{width}} {printable(str(fact))}")


def show_left_out(problems: Iterable[str]) -> None:
    """Print, for each clip that was left out, one line that says why."""
    for problem in problems:
        show(f"left out: {printable(problem)}", "yellow")


def show_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> None:
    """Print a table. The first `texts` columns are text, aligned left; the others are numbers, aligned right."""
    table = Table(title=_plain(title), title_justify="left", title_style="bold")
    for i, name in enumerate(header):
        table.add_column(_plain(name), justify="left" if i < texts else "right")
    for row in rows:
        table.add_row(*map(_plain, row))
    console.print(table)
