"""Progress bars in the terminal."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from rich import get_console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from vsr_lab.core.errors import printable

T = TypeVar("T")


class _Counts(ProgressColumn):
    """Completed and total units, and units per second; bytes as GiB and MiB/s."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed, total = task.speed or 0, task.total or 0
        if self._unit == "bytes":
            return Text(f"{task.completed / 2**30:.1f}/{total / 2**30:.1f} GiB {speed / 2**20:.0f} MiB/s")
        rate = f" {speed:.1f} {self._unit}/s" if speed and self._unit else ""
        return Text(f"{task.completed:.0f}/{total:.0f}{rate}")


class _Description(ProgressColumn):
    """What is being done; it may contain the name of a file."""

    def render(self, task: Task) -> Text:
        return Text(printable(task.description))


@contextmanager
def progress_bar(description: str, total: float, unit: str = "", *, shown: bool = True) -> Generator[partial[None]]:
    """Show a progress bar in the terminal while a `with` block runs; it disappears at the end.

    Args:
        description: text before the bar.
        total: number of units to do.
        unit: name of a unit, for the speed ("frames", "clips"; "bytes" are shown as GiB).
        shown: whether the bar is shown.

    Yields:
        Function that updates the bar, with the keywords of rich's `Progress.update`: `update(advance=1)`,
        `update(completed=n)`, `update(description="another.mp4")`. Threads may call it.
    """
    columns = (_Description(), BarColumn(), _Counts(unit), TimeRemainingColumn())
    with Progress(*columns, transient=True, disable=not shown) as progress:
        yield partial(progress.update, progress.add_task(description, total=total))


def tracked(description: str, items: Iterable[T], total: int, unit: str = "", *, shown: bool = True) -> Iterator[T]:
    """Iterate over items, with a progress bar that advances by one after each item. Args: see `progress_bar`."""
    with progress_bar(description, total, unit, shown=shown) as update:
        for item in items:
            yield item
            update(advance=1)


def report(line: str) -> None:
    """Print a line above the progress bars."""
    get_console().print(Text(printable(line)), soft_wrap=True)
