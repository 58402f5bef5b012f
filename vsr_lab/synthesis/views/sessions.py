"""Programs in a terminal: a shell, a text editor, a process monitor, a pager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from vsr_lab.synthesis.drawing.style import pick
from vsr_lab.synthesis.drawing.text import Line, clock, file_name, fill
from vsr_lab.synthesis.views.cells import cut, fold
from vsr_lab.synthesis.views.code import coloured
from vsr_lab.synthesis.views.outputs import command, history, manual
from vsr_lab.synthesis.views.printing import log_line

Rng = np.random.Generator
Place = tuple[int, int]  # row and column of a cell


class Session(Protocol):
    """Base class of programs in a terminal, for any number of rows and columns."""

    title: str

    def tick(self) -> None:
        """Advance by one frame."""
        ...

    def work(self, rng: Rng) -> Iterator[None]:
        """Use the program for a while; yields once per frame."""
        ...

    def rows(self, high: int, columns: int) -> tuple[list[Line], Place | None]:
        """At most `high` rows of the screen, and the position of the caret."""
        ...


def _prompt(rng: Rng) -> tuple[str, list[Line]]:
    """User and host as text, and a prompt of one or two lines; the command is typed after the last line."""
    who, host = fill(rng, "{name1}").lower(), fill(rng, "{noun1}")
    where, branch = fill(rng, "~", "~/{noun1}", "~/src/{noun1}", "/srv/{noun1}"), fill(rng, "main", "{noun1}-{num1}")
    first, second, third = (pick(rng, ("green", "blue", "magenta", "cyan", "yellow", "red")) for _ in range(3))
    time = clock(int(rng.integers(86400)))
    arrow = "\ue0b0"
    return f"{who}@{host}:{where}", pick(rng, (
        [[(f"{who}@{host}", "bold green"), (":", "fg"), (where, "bold blue"), ("$ ", "fg")]],
        [[(f"[{who}@{host} {where.rpartition('/')[2]}]$ ", "fg")]],
        [[(f"{who}@{host}", f"bold {first}"), (f"  {where}", f"bold {second}")],
         [(time[:5], "bold green"), (" $ ", "fg")]],
        [[(where, f"bold {first}"), (" on ", "fg"), (f"{branch}", f"bold {second}"), (" [!?]", "bold red")],
         [("❯ ", f"bold {third}")]],
        [[(f" {who} ", f"back on {first}"), (arrow, f"{first} on {second}"), (f" {where} ", f"back on {second}"),
          (arrow, f"{second} on select"), (f" {branch} ", "fg on select"), (arrow, "select"), (" ", "fg")]],
        [[(f" {time} ", "back on fg"), (arrow, f"fg on {second}"), (f" {where} ", f"bold back on {second}"),
          (arrow, second), (" ", "fg")]],
        [[("┌─[", first), (f"{who}@{host}", f"bold {second}"), ("]─[", first), (where, "bold fg"), ("]", first)],
         [("└─", first), ("$ ", f"bold {third}")]],
        [[("→ ", "bold green"), (f" {where.rpartition('/')[2]} ", "bold cyan"), ("git:(", "bold blue"), (branch, "red"),
          (") ", "bold blue"), ("✗ ", "yellow")]],
        [[(f"PS {where.replace('/', chr(92))}> ", "fg")]],
        [[("root@", "bold red"), (host, "bold red"), (f":{where}# ", "fg")]],
    ))  # fmt: skip


class Shell:
    """A shell with commands and their output, the newest at the bottom."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self.title, self._prompt = _prompt(rng)
        self._lines: list[Line] = []
        self._queue: list[Line] = []
        self._typed = ""
        self._pace, self._due = 1.0, 0.0
        for _ in range(3):
            self._typed, output = command(rng)
            self._enter()
            self._lines += output[:20]

    def _asked(self) -> list[Line]:
        *above, last = self._prompt
        return [*above, [*last, (self._typed, "fg")]]

    def _enter(self) -> None:
        self._lines = [*self._lines[-200:], *self._asked()]
        self._typed = ""

    def tick(self) -> None:
        """Print output at a varying rate."""
        self._due = min(4.0, self._due + self._pace) if self._queue else 0.0
        while self._queue and self._due >= 1:
            self._due -= 1
            self._lines.append(self._queue.pop(0))
        if self._queue and self._due >= 0 and self._rng.random() < 0.04:
            self._due -= 5 * self._pace

    def work(self, rng: Rng) -> Iterator[None]:
        """Type a command and print its output; sometimes clear the screen first."""
        if not self._queue:
            typed, output = command(self._rng)
            if rng.random() < 0.15:
                self._lines = []
            while self._typed != typed:
                self._typed = typed[: len(self._typed) + 1 + int(rng.random() < 0.3)]
                yield
            for _ in range(3):
                yield
            self._enter()
            self._queue += output
            self._pace = float(rng.uniform(0.6, 1.8))
        for _ in range(30):
            if self._queue:
                yield

    def rows(self, high: int, columns: int) -> tuple[list[Line], Place | None]:
        """The last rows of the output."""
        shown = [row for line in self._lines[-high:] for row in fold(line, columns)]
        if self._queue:
            return shown[-high:], None
        shown = [*shown, *(row for line in self._asked() for row in fold(line, columns))][-high:]
        return shown, (len(shown) - 1, sum(len(text) for text, _ in shown[-1]))


class Vi:
    """A text editor with program text and a status line; the caret moves, the text scrolls, words are typed."""

    def __init__(self, rng: Rng) -> None:
        self._text = coloured(rng, int(rng.integers(60, 160)))
        self._name = fill(rng, "src/{noun1}.rs", "{noun1}_{noun2}.py", "{noun1}/{noun2}.cpp", "{verb1}.ts")
        self.title = f"vi {self._name}"
        self._numbered, self._bar = (
            rng.random() < 0.6,
            pick(rng, ("back on fg", "fg on select", "back on blue", "back on green")),
        )
        self._at, self._top, self._column, self._typing = int(rng.integers(0, 30)), 0, 0, False
        self._high = 20

    def tick(self) -> None:
        """Do nothing."""

    def work(self, rng: Rng) -> Iterator[None]:
        """Move the caret up or down, scroll by half a page, or type a comment."""
        way = int(rng.integers(3))
        if way == 0:
            self._typing = True
            said = fill(rng, "{verb1} the {adj1} {noun1}", "{noun1}s are {adj1} here")
            self._text.insert(self._at, [("", "fg")])
            for length in range(len(said)):
                self._text[self._at] = [(f"    // {said[: length + 1]}", "italic cyan")]
                self._column = length + 8
                yield
            self._typing = False
        elif way == 1:
            for _ in range(int(rng.integers(3, 7))):
                self._at = (self._at + self._high // 2) % len(self._text)
                for _ in range(5):
                    yield
        else:
            down = 1 if self._at < len(self._text) / 2 else -1
            for _ in range(int(rng.integers(20, 50))):
                self._at = min(max(0, self._at + down), len(self._text) - 1)
                self._column = int(rng.integers(0, 30)) if rng.random() < 0.1 else self._column
                yield

    def rows(self, high: int, columns: int) -> tuple[list[Line], Place | None]:
        """The text around the caret, the status bar and the message line."""
        self._high = page = max(1, high - 2)
        self._top = min(max(self._top, self._at - page + 1), self._at)
        shown: list[Line] = []
        for index in range(self._top, self._top + page):
            if index >= len(self._text):
                shown.append([("~", "blue")])
                continue
            number: Line = [(f"{index + 1:>4} ", "yellow" if index == self._at else "dim")] if self._numbered else []
            shown.append(cut([*number, *self._text[index]], columns))
        place = f"{self._at + 1},{self._column + 1}   {100 * self._at // len(self._text)}%"
        shown.append([(f"{self._name:<{max(1, columns - len(place) - 1)}}{place} "[:columns], f"bold {self._bar}")])
        message = "-- INSERT --" if self._typing else f'"{self._name}" {len(self._text)}L, {len(self._text) * 31}C'
        shown.append([(message, "bold fg" if self._typing else "fg")])
        width = sum(len(text) for text, _ in self._text[self._at])
        return shown[-high:], (self._at - self._top, 5 * self._numbered + min(self._column, width))


class Monitor:
    """A process monitor: meters and a table, updated at most twice per second, with a selected row."""

    def __init__(self, rng: Rng) -> None:
        self.title = pick(rng, ("htop", "top", "btm"))
        self._rng = rng
        self._cores = int(rng.integers(2, 9))
        self._every, self._age, self._chosen = int(rng.integers(8, 26)), 0, 0
        self._names = [self._command() for _ in range(60)]
        self._loads = rng.exponential(4, 60)
        self._meters = rng.random(self._cores + 2)

    def _command(self) -> tuple[str, str]:
        name = fill(self._rng, "/usr/bin/{noun1} --{noun2}", "{noun1}d", "python {verb1}_{noun1}.py", "{noun1}-{noun2}")
        return f"{int(self._rng.integers(2, 99999)):>6} {fill(self._rng, '{name1}', 'root').lower():<8}", name

    def tick(self) -> None:
        """Update the numbers at the set interval."""
        self._age += 1
        if self._age % self._every == 0:
            self._loads *= self._rng.uniform(0.6, 1.5, 60)
            self._meters = np.clip(self._meters + self._rng.normal(0, 0.12, len(self._meters)), 0.02, 1)

    def work(self, rng: Rng) -> Iterator[None]:
        """Move the selection to another row, step by step."""
        step = 1 if self._chosen < 8 else -1
        for _ in range(int(rng.integers(15, 40))):
            self._chosen = min(max(0, self._chosen + step), 20)
            yield
            if self._chosen in (0, 20):
                step = -step

    def _meter(self, name: str, share: float, columns: int) -> Line:
        room = max(4, columns - 13)
        full = int(share * room)
        low, middle = min(full, room // 2), min(max(0, full - room // 2), room // 4)
        bars: Line = [("|" * low, "green"), ("|" * middle, "yellow"), ("|" * (full - low - middle), "red")]
        return cut([(f"{name:>4}", "cyan"), ("[", "bold fg"), *bars, (" " * (room - full), "fg"),
                    (f"{share * 100:>5.1f}%", "dim"), ("]", "bold fg")], columns)  # fmt: skip

    def rows(self, high: int, columns: int) -> tuple[list[Line], Place | None]:
        """Meters at the top, processes by load, keys at the bottom."""
        names = [*map(str, range(self._cores)), "Mem", "Swp"][: max(2, high // 3)]
        half = columns // 2
        meters = [self._meter(name, float(share), half) for name, share in zip(names, self._meters, strict=False)]
        shown = [[*meters[i], *(meters[i + 1] if i + 1 < len(meters) else [])] for i in range(0, len(meters), 2)]
        shown.append([("   Tasks: ", "cyan"), ("60", "bold fg"), (", ", "cyan"), ("212", "bold green"),
                      (" thr; load ", "cyan"), (f"{self._loads.mean():.2f}", "bold fg")])  # fmt: skip
        head = f"{'PID':>6} {'USER':<8}{'VIRT':>7}{'RES':>7} S {'CPU%':>5}{'MEM%':>6}   TIME+  Command"
        shown.append(cut([(head, "back on green")], columns, "green"))
        for index, number in enumerate(np.argsort(-self._loads)[: max(0, high - len(shown) - 1)]):
            load, (who, name) = float(self._loads[number]), self._names[int(number)]
            facts = f"{number * 41 + 13:>6}M{number * 7 + 3:>6}M "
            if index == self._chosen:
                text = f"{who}{facts}S {load:>5.1f}{number / 9:>6.1f}  {clock(number * 571)} {name}"
                shown.append(cut([(text, "back on cyan")], columns, "cyan"))
                continue
            state: Line = [("R ", "green")] if load > 5 else [("S ", "dim")]
            path, slash, last = name.rpartition("/")
            shares: Line = [(f"{load:>5.1f}{number / 9:>6.1f}", "fg"), (f"  {clock(number * 571)} ", "dim")]
            command: Line = [(path + slash, "fg"), (last, "bold fg")]
            shown.append(cut([(who, "fg"), (facts, "cyan"), *state, *shares, *command], columns))
        keys: Line = []
        for index, key in enumerate(("Help", "Setup", "Search", "Filter", "Tree", "Sort", "Nice", "Kill")):
            keys += [(f"F{index + 1}", "fg"), (f"{key:<6}", "back on cyan")]
        return [*shown[: high - 1], cut(keys, columns, "cyan")], None


class Pager:
    """A long text, read by rows or by pages."""

    def __init__(self, rng: Rng) -> None:
        kind = int(rng.integers(3))
        self._text = (history, manual, lambda rng: [log_line(rng, 9 * index) for index in range(90)])[kind](rng)
        self.title = ("git log", "man", f"less {file_name(rng)}")[kind]
        self._top, self._high = 0, 20

    def tick(self) -> None:
        """Do nothing."""

    def work(self, rng: Rng) -> Iterator[None]:
        """Scroll down or up, by one row per frame or by a page."""
        end = max(0, len(self._text) - self._high)
        sign = 1 if self._top < end / 2 else -1
        page = rng.random() < 0.3
        for _ in range(int(rng.integers(2, 5)) if page else int(rng.integers(15, 45))):
            self._top = min(max(0, self._top + sign * (self._high if page else 1)), end)
            for _ in range(8 if page else 1):
                yield

    def rows(self, high: int, columns: int) -> tuple[list[Line], Place | None]:
        """A page of text and the status line."""
        self._high = max(1, high - 1)
        shown = [cut(line, columns) for line in self._text[self._top : self._top + self._high]]
        mark = "(END)" if self._top + self._high >= len(self._text) else ":"
        shown = [*shown, [(mark, "back on fg")]][-high:]
        return shown, (len(shown) - 1, len(mark))
